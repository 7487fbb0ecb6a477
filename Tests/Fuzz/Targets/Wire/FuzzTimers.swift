internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// Timers that an input moves.
final class FuzzTimers: Timers {
  private struct State {
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    var wheel = TimerWheel<@Sendable () -> Void>()
  }

  private let state = Mutex(State())

  func now() -> MonotonicTime { state.withLock { $0.now } }

  func date() -> CalendarTime { CalendarTime(millisecondsSince1970: 0) }

  @discardableResult
  func schedule(at time: MonotonicTime, _ action: @escaping @Sendable () -> Void) -> TimerToken {
    state.withLock { $0.wheel.insert(action, at: time) }
  }

  func cancel(_ token: TimerToken) { state.withLock { _ = $0.wheel.remove(token) } }

  func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.now = state.now + duration
      return state.wheel.advance(to: state.now)
    }
    for action in due { action() }
  }
}
