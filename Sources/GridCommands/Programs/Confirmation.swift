internal import Glibc
internal import GridCore

/// Asks before something is done that cannot be undone.
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
    let answer = try await ask("\(action)? [y/N] ")
    guard ["y", "yes"].contains(answer.lowercased()) else { throw GridError(.refused, "not done: \(action)") }
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
    guard answer == name else { throw GridError(.refused, "not done: \(action)") }
  }

  private func ask(_ question: String) async throws(GridError) -> String {
    if let questioner = CommandEnvironment.current?.questioner {
      guard let answer = await questioner.answer(to: question) else { throw GridError(.refused, "nobody answered") }
      return Self.trimmed(answer)
    }
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
