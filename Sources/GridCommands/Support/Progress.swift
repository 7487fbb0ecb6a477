internal import GridCore
internal import Synchronization

/// A count, a rate and the time on one line of the terminal, ten times a second at most. Silent elsewhere.
final class Progress: Sendable {
  private struct State {
    var count = 0
    var shownAt: MonotonicTime
  }

  private let noun: String
  private let began: MonotonicTime
  private let clock: any GridClock
  private let writer: OutputWriter
  private let isSilent: Bool
  private let state: Mutex<State>

  init(_ noun: String, clock: any GridClock, writer: OutputWriter, isSilent: Bool) {
    self.noun = noun
    self.clock = clock
    self.writer = writer
    self.isSilent = isSilent || !writer.errorIsTerminal
    began = clock.now()
    // The first line appears after a second: what is quicker needs none.
    state = Mutex(State(shownAt: began + .milliseconds(900)))
  }

  var count: Int { state.withLock { $0.count } }

  func advance(by step: Int = 1) {
    let shows = state.withLock { state in
      state.count += step
      guard !isSilent, state.count & 63 == 0 else { return false }
      let now = clock.now()
      guard now - state.shownAt > .milliseconds(100) else { return false }
      state.shownAt = now
      return true
    }
    if shows { writer.progress(line) }
  }

  func finish() { writer.clearProgress() }

  private var line: String {
    let seconds = (clock.now() - began).inSeconds
    let count = count
    return "\(count) \(noun), \(HumanText.rate(Double(count) / max(seconds, 1e-9))), \(HumanText.duration(seconds))"
  }
}
