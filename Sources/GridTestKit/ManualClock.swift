internal import GridConcurrency
package import GridCore
internal import Synchronization

/// A clock, and timers, that stand still until a test moves them.
///
/// Whoever lives by this clock (``InMemoryStoreServer``) is told of every move, on the thread that makes it, before
/// ``advance(by:)`` returns.
package final class ManualClock: Timers {
  private struct State {
    var now: MonotonicTime
    var date: CalendarTime
    var wheel = TimerWheel<@Sendable () -> Void>()
    var listeners: [@Sendable () -> Void] = []

    mutating func move(to time: MonotonicTime) {
      guard time > now else { return }
      date.millisecondsSince1970 += time.nanoseconds / 1_000_000 - now.nanoseconds / 1_000_000
      now = time
    }
  }

  private let state: Mutex<State>

  /// A clock that shows one hour after its start, and the date given.
  package init(date: CalendarTime = CalendarTime(millisecondsSince1970: 1_767_225_600_000)) {
    state = Mutex(State(now: MonotonicTime(nanoseconds: 3_600_000_000_000), date: date))
  }

  package func now() -> MonotonicTime { state.withLock { $0.now } }

  package func date() -> CalendarTime { state.withLock { $0.date } }

  @discardableResult
  package func schedule(at time: MonotonicTime, _ action: @escaping @Sendable () -> Void) -> TimerToken {
    state.withLock { $0.wheel.insert(action, at: time) }
  }

  package func cancel(_ token: TimerToken) {
    let action = state.withLock { $0.wheel.remove(token) }
    withExtendedLifetime(action) {}
  }

  /// When the next action is due; nil when none is scheduled.
  package var next: MonotonicTime? { state.withLock { $0.wheel.next } }

  /// Moves both clocks forward, calls what falls due on the way, each at its time, and tells those who asked to be
  /// told.
  package func advance(by duration: Duration) {
    let target = now() + duration
    while let due = takeDue(until: target) { for action in due { action() } }
    let listeners = state.withLock { state in
      state.move(to: target)
      return state.listeners
    }
    for listener in listeners { listener() }
  }

  /// Moves the clocks to the next time at which something is due, and takes that out; nil when that is after `target`.
  private func takeDue(until target: MonotonicTime) -> [@Sendable () -> Void]? {
    state.withLock { state in
      guard let next = state.wheel.next, next <= target else { return nil }
      state.move(to: next)
      return state.wheel.advance(to: state.now)
    }
  }

  /// Sets the calendar alone, as an administrator or a time server does: forward or back.
  package func set(date: CalendarTime) { state.withLock { $0.date = date } }

  /// Has `listener` called after each move, for as long as the clock lives.
  package func onAdvance(_ listener: @escaping @Sendable () -> Void) {
    state.withLock { $0.listeners.append(listener) }
  }
}
