internal import GridCore
internal import Synchronization

/// A count, a rate and the time on one line of the terminal, ten times a second at most. Silent elsewhere.
final class Progress: Sendable {
  private struct State {
    var count = 0
    var shownAt: MonotonicTime
    var hasFinished = false
  }

  /// The first line comes after so long: what is quicker needs none.
  static let firstAfter = Duration.seconds(1)
  static let interval = Duration.milliseconds(100)

  private let noun: String
  private let began: MonotonicTime
  private let clock: any GridClock
  private let writer: OutputWriter
  private let isSilent: Bool
  private let state: Mutex<State>

  /// - Parameters:
  ///   - noun: what is counted, in the plural.
  ///   - isSilent: shows nothing even on a terminal (`--quiet`).
  init(_ noun: String, clock: any GridClock, writer: OutputWriter, isSilent: Bool) {
    self.noun = noun
    self.clock = clock
    self.writer = writer
    self.isSilent = isSilent || !writer.errorIsTerminal
    began = clock.now()
    state = Mutex(State(shownAt: began + (Self.firstAfter - Self.interval)))
  }

  var count: Int { state.withLock { $0.count } }

  /// Counts, and shows the line when it is due. From any task; tens of nanoseconds when nothing is shown.
  func advance(by step: Int = 1) {
    let line = state.withLock { state -> String? in
      state.count += step
      guard !isSilent, !state.hasFinished else { return nil }
      let now = clock.now()
      guard now - state.shownAt >= Self.interval else { return nil }
      state.shownAt = now
      return text(state.count, at: now)
    }
    if let line { writer.progress(line) }
  }

  /// Takes the line away. Nothing is shown afterwards.
  func finish() {
    state.withLock { $0.hasFinished = true }
    writer.clearProgress()
  }

  private func text(_ count: Int, at now: MonotonicTime) -> String {
    let seconds = (now - began).inSeconds
    let rate = seconds > 0 ? Double(count) / seconds : 0
    return "\(CountText.grouped(Int64(count))) \(noun)   \(HumanText.rate(rate))   \(HumanText.duration(seconds))"
  }
}
