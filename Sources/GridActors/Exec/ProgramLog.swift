internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import Synchronization

/// What a program writes for people: goes to its node's log within a budget, and its last lines are kept.
final class ProgramLog: Sendable {
  private struct State {
    var budget = LogBudget()
    var lastLines = LastLines()
    /// Whether it will be told how much was left out.
    var isNoticeDue = false
  }

  /// Opened when standard error has ended: ``lastWords`` is whole then.
  let errorsHaveEnded = Latch()
  private let state = Mutex(State())
  /// How often it is told how much was left out.
  private static let noticePause = Duration.seconds(5)
  /// The longest line in the log.
  static let maximumLineBytes = 4096

  /// Takes what comes from standard error, or from a standard output that answers nobody.
  func take(
    _ event: ChildProcess.SampledEvent, isError: Bool, _ context: ActorContext
  ) -> ChildProcess.Appetite {
    switch event {
    case .line(let line, let isCut):
      if isError { state.withLock { $0.lastLines.note(line) } }
      let text = PrintableText.of(line, limit: Self.maximumLineBytes) + (isCut ? "…" : "")
      return note(text, context) ? .all : .last(LastLines.maximumLines)
    case .skipped(let count):
      leaveOut(count, context)
      return .all
    case .ended:
      if isError { errorsHaveEnded.open() }
      return .all
    }
  }

  /// Logs a line, or counts it when there were too many.
  ///
  /// - Returns: whether it was logged.
  @discardableResult
  func note(_ text: @autoclosure () -> String, isError: Bool = false, _ context: ActorContext) -> Bool {
    let now = context.cell.host.now()
    guard state.withLock({ $0.budget.admits(at: now) }) else {
      leaveOut(0, context)
      return false
    }
    context.log(text(), isError: isError)
    return true
  }

  private func leaveOut(_ count: Int, _ context: ActorContext) {
    let isFirst = state.withLock { state in
      state.budget.leaveOut(count)
      defer { state.isNoticeDue = true }
      return !state.isNoticeDue
    }
    guard isFirst else { return }
    context.cell.host.timers.schedule(after: Self.noticePause) { self.tellLeftOut(context) }
  }

  private func tellLeftOut(_ context: ActorContext) {
    let (count, budget) = state.withLock { state in
      state.isNoticeDue = false
      return (state.budget.takeLeftOut(), state.budget)
    }
    guard count > 0 else { return }
    context.log(
      "left out \(count) lines of the program: \(budget.perSecond) a second are logged, after \(budget.burst) at once",
      isError: true)
  }

  /// What the program wrote last to standard error, to be put behind what became of it.
  var lastWords: String {
    state.withLock { $0.lastLines.text }.map { "; it last wrote: \($0)" } ?? ""
  }
}
