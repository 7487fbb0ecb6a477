internal import Glibc
internal import GridCore

/// Asks before something is done that cannot be undone: the one rule of what asks, whom, and what counts as an answer.
///
/// - In a protected context every command that stops or removes wants the context's name, whoever runs it.
/// - Elsewhere what stops a node, and what stops or removes for good what nobody chose one by one, asks a person, and
///   `--yes` answers.
/// - A person is asked whose terminal are both standard input and standard error; a script never is.
/// - An answer is the whole word, typed after the question. What was typed or pasted before is dropped, and the next
///   line of a paste, which may come later, is a command and so no answer.
struct Confirmation {
  let settings: Settings
  var writer = OutputWriter.shared
  /// Whether somebody can be asked: standard input and standard error are terminals.
  var canAsk = CommandEnvironment.current.map { $0.questioner != nil } ?? (isatty(0) == 1 && isatty(2) == 1)

  /// Returns when it may be done.
  ///
  /// In a protected context its name has to be typed, or given with `--confirm`. Elsewhere people are asked on a
  /// terminal when `asksAnyway`, unless `--yes` is given; scripts are not.
  ///
  /// - Parameter action: what is about to be done, in the infinitive: `stop 2 actors`.
  /// - Throws: ``GridError/Code/refused`` when it may not.
  func require(_ action: String, asksAnyway: Bool = false) async throws(GridError) {
    if let context = settings.context, context.isProtected { return try await requireName(context.name, action) }
    guard asksAnyway, !settings.agrees, canAsk, !settings.forbidsInput else { return }
    let answer = try await ask("\(action)? type yes to do it: ")
    guard answer.lowercased() == "yes" else { throw refusal(action, answer, "--yes") }
  }

  private func requireName(_ name: String, _ action: String) async throws(GridError) {
    if let confirmed = settings.confirmed {
      guard confirmed == name else {
        throw GridError(
          .refused, "--confirm names \(NameRules.quoted(confirmed)), the context in force is \(name)",
          hint: "see: gridctl context show --effective")
      }
      return
    }
    guard canAsk, !settings.forbidsInput else {
      throw GridError(
        .refused, "context \(name) is protected: it was not confirmed to \(action)", hint: "pass: --confirm \(name)")
    }
    let answer = try await ask("context \(name) is protected. type \"\(name)\" to \(action): ")
    guard answer == name else { throw refusal(action, answer, "--confirm \(name)") }
  }

  private func refusal(_ action: String, _ answer: String, _ option: String) -> GridError {
    GridError(
      .refused, "not done: \(action)",
      hint: answer.isEmpty ? nil : "\(NameRules.quoted(answer)) is no answer; to be asked nothing, pass: \(option)")
  }

  private func ask(_ question: String) async throws(GridError) -> String {
    if let questioner = CommandEnvironment.current?.questioner {
      TypeAhead.drop()
      guard let answer = await questioner.answer(to: question) else { throw GridError(.refused, "nobody answered") }
      return Self.trimmed(answer)
    }
    if TypeAhead.drop() { writer.warning("what was typed before the question is no answer, and was dropped") }
    writer.prompt(question)
    let feed = try LineFeed()
    defer { feed.close() }
    guard let line = try await feed.next() else { throw GridError(.refused, "nobody answered") }
    return Self.trimmed(String(decoding: line.bytes, as: UTF8.self))
  }

  private static func trimmed(_ text: String) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "\r" }.reversed())
  }
}

/// Keys that were pressed before anybody asked for them.
enum TypeAhead {
  /// Whether there are any: the rest of a paste. The end of the input, which ends a question as well, is none.
  static var isThere: Bool {
    var count: Int32 = 0
    return isatty(0) == 1 && ioctl(0, UInt(FIONREAD), &count) == 0 && count > 0
  }

  /// Forgets them; what comes later, the end of the input among it, stays.
  ///
  /// - Returns: whether there were any.
  @discardableResult
  static func drop() -> Bool {
    var hasDropped = false
    var bytes = [UInt8](repeating: 0, count: 4096)
    while isThere, read(0, &bytes, bytes.count) > 0 { hasDropped = true }
    return hasDropped
  }
}
