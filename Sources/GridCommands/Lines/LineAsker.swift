internal import GridClient
internal import GridCore
internal import GridSystem
internal import Synchronization

/// Asks with standard input line by line. What became of each line is printed in the order of the lines, as soon as it
/// is known: whoever writes a question, reads its answer and then writes the next one is never kept waiting.
struct LineAsker {
  let session: CommandSession
  let target: String
  let options: MessageOptions
  let parallel: Int
  let showsRoundTrips: Bool

  static let description = ListDescription<JSONValue>(
    kind: "ReplyList", noun: "reply", nameField: "line",
    columns: [
      Column("LINE", field: "line"), Column("REPLY", field: "reply"),
      Column("ERROR") { Column.text(Column.member($0, "error")?[ErrorReport.messageField]) },
    ])

  func run() async throws {
    StandardInput.announce("each line is a question to \(target)", session)
    if !session.showsBodiesAlone { try session.renderer.streamHeader(Self.description) }
    let answers = AnswerOrder { try write($0) }
    let writer = session.writer
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await ask(answers) }
      // A pipe whose reader has gone is otherwise noticed by the next line only, which may never come.
      group.addTask { try await writer.untilReaderIsGone() }
      defer { group.cancelAll() }
      try await group.next()
    }
    let (failures, printed) = answers.result
    try session.end(failures, of: printed, "got no reply")
  }

  private func ask(_ answers: AnswerOrder) async throws {
    let clock = SystemClock()
    let progress = Progress("replies", clock: clock, writer: session.writer, isSilent: session.settings.isQuiet)
    defer { progress.finish() }
    let (connection, target, timeout) = (session.connection, target, session.timeout)
    try await withThrowingTaskGroup(of: Void.self) { group in
      let input = try LineFeed()
      var underWay = 0
      while let line = try await input.next() {
        // Replies wait for those before them, so what is under way and what waits share one bound.
        while underWay >= parallel || line.number - answers.printed > parallel, try await group.next() != nil {
          underWay -= 1
        }
        let message = options.message(line.bytes, number: line.number)
        underWay += 1
        group.addTask {
          let began = clock.now()
          let result: Result<Message, GridError>
          do throws(GridError) {
            result = .success(try await connection.ask(target, message, timeout: timeout))
          } catch {
            result = .failure(error)
          }
          progress.advance()
          try answers.take(
            LineAnswer(line: line.number, result: result, seconds: (clock.now() - began).inSeconds))
        }
      }
      try await group.waitForAll()
    }
  }

  private func write(_ answer: LineAnswer) throws {
    switch answer.result {
    case .success(let message):
      let reply = AskReply(reply: message, node: session.connection.nodeName, seconds: answer.seconds)
      if session.showsBodiesAlone {
        try reply.write(session, raw: false)
      } else {
        try record(reply.json.with("line", .integer(Int64(answer.line))))
      }
      if showsRoundTrips {
        session.writer.remark("line \(answer.line): rtt \(HumanText.duration(answer.seconds))  \(reply.node)")
      }
    case .failure(let error):
      if session.showsBodiesAlone {
        try session.writer.output("\n")
      } else {
        try record(LineFailures.record(answer.line, error))
      }
      session.tell(FailureRun.told("line \(answer.line)", error))
    }
  }

  /// A line of the input is at least a line of the output, also where a template makes nothing of it.
  private func record(_ record: JSONValue) throws {
    try session.renderer.record(record, Self.description)
    if case .jsonPath(let template) = session.renderer.format, template.rendered(record).isEmpty {
      try session.writer.output("\n")
    }
  }
}

/// What became of one line.
struct LineAnswer: Sendable {
  /// From 1.
  let line: Int
  let result: Result<Message, GridError>
  let seconds: Double
}

/// Puts answers, which come in any order, into the order of their lines, and hands each on once those before it were.
///
/// Called from any task; one at a time hands on, so that nobody waits for a lock while a slow reader is written to.
final class AnswerOrder: Sendable {
  private struct State {
    var ready: [Int: LineAnswer] = [:]
    var printed = 0
    var isShowing = false
    var failures = LineFailures()
  }

  private let state = Mutex(State())
  private let show: @Sendable (LineAnswer) throws -> Void

  init(_ show: @escaping @Sendable (LineAnswer) throws -> Void) { self.show = show }

  /// How many were handed on.
  var printed: Int { state.withLock { $0.printed } }

  /// What failed, and how many there were.
  var result: (failures: LineFailures, printed: Int) { state.withLock { ($0.failures, $0.printed) } }

  /// - Throws: what handing one on threw; nothing is handed on afterwards.
  func take(_ answer: LineAnswer) throws {
    state.withLock { $0.ready[answer.line] = answer }
    while let next = next() {
      try show(next)
      state.withLock { state in
        state.printed += 1
        state.isShowing = false
        if case .failure(let error) = next.result { state.failures.add(next.line, error) }
      }
    }
  }

  private func next() -> LineAnswer? {
    state.withLock { state in
      guard !state.isShowing, let next = state.ready.removeValue(forKey: state.printed + 1) else { return nil }
      state.isShowing = true
      return next
    }
  }
}
