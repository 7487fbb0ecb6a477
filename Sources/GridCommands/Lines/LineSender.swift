internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import Synchronization

/// Sends standard input line by line, in order, with back-pressure, and tells which lines were refused.
struct LineSender {
  let session: CommandSession
  let target: String
  let options: MessageOptions

  static let description = ListDescription<JSONValue>(
    kind: "LineFailureList", noun: "line", nameField: "line",
    columns: [
      Column("LINE", field: "line"),
      Column("ERROR") { Column.text(Column.member($0, "error")?[ErrorReport.messageField]) },
    ])

  func run() async throws {
    StandardInput.announce("each line is a message to \(target)", session)
    if !session.showsBodiesAlone { try session.renderer.streamHeader(Self.description) }
    let outcomes = LineOutcomes(session: session)
    let progress = Progress(
      "lines", clock: SystemClock(), writer: session.writer, isSilent: session.settings.isQuiet)
    let input = try LineFeed()
    var sent = 0
    var hasStopped = false
    while let line = try await input.next() {
      try await session.connection.streamTell(
        target, options.message(line.bytes, number: line.number), outcomes, UInt64(line.number))
      sent += 1
      progress.advance()
      hasStopped = outcomes.isHopeless
      if hasStopped { break }
    }
    let failures = try await outcomes.settled(sent)
    progress.finish()
    try session.end(
      failures, of: sent, "were not taken by \(target)" + (hasStopped ? "; no more was read after line \(sent)" : ""))
  }
}

/// What became of the lines: counts them and tells of each that failed.
final class LineOutcomes: ExchangeResponder {
  private struct State {
    var settled = 0
    var failures = LineFailures()
    var run = FailureRun()
    var isHopeless = false
    var awaited: Int?
    var waiting: Promise<Void>?
    /// Why nothing can be written any more.
    var broken: GridError?
  }

  private let state = Mutex(State())
  private let session: CommandSession

  init(session: CommandSession) { self.session = session }

  /// Whether going on makes no sense: the actor, the connection or the reader of the output is gone.
  var isHopeless: Bool {
    state.withLock { $0.isHopeless || $0.broken != nil }
  }

  private static let hopeless: [GridError.Code] = [
    .noSuchActor, .unavailable, .nodeLost, .protocolMismatch, .stopped,
  ]

  func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {
    let line = Int(clamping: correlation)
    let (promise, told) = state.withLock { state -> (Promise<Void>?, [GridError]) in
      state.settled += 1
      var told: [GridError] = []
      if case .failure(let error) = outcome {
        state.failures.add(line, error)
        if Self.hopeless.contains(error.code) { state.isHopeless = true }
        told = state.run.failed(line, error)
      } else if state.run.isOpen, let rest = state.run.ended() {
        told = [rest]
      }
      guard let awaited = state.awaited, state.settled >= awaited else { return (nil, told) }
      defer { state.waiting = nil }
      return (state.waiting, told)
    }
    if case .failure(let error) = outcome, !session.showsBodiesAlone { write(line, error) }
    for error in told { session.tell(error) }
    promise?.fulfil()
  }

  private func write(_ line: Int, _ error: GridError) {
    do throws(GridError) {
      try session.renderer.record(LineFailures.record(line, error), LineSender.description)
    } catch {
      state.withLock { $0.broken = $0.broken ?? error }
    }
  }

  /// Waits until so many lines have an outcome; the ones that failed.
  ///
  /// - Throws: what writing a record of them threw.
  func settled(_ count: Int) async throws(GridError) -> LineFailures {
    await withPromise { (promise: Promise<Void>) in
      let isDone = state.withLock { state in
        if state.settled >= count { return true }
        state.awaited = count
        state.waiting = promise
        return false
      }
      if isDone { promise.fulfil() }
    }
    let (failures, rest, broken) = state.withLock { ($0.failures, $0.run.ended(), $0.broken) }
    if let broken { throw broken }
    if let rest { session.tell(rest) }
    return failures
  }
}
