internal import Dispatch
package import GridCore
internal import GridSystem
internal import Synchronization

/// The machine's own time, for tests that wait for what takes some.
package final class MachineTimers: Timers {
  private struct State {
    var next: UInt64 = 0
    var actions: [TimerToken: @Sendable () -> Void] = [:]
  }

  private let clock = SystemClock()
  private let state = Mutex(State())

  package init() {}

  package func now() -> MonotonicTime { clock.now() }

  package func date() -> CalendarTime { clock.date() }

  package func schedule(at time: MonotonicTime, _ action: @escaping @Sendable () -> Void) -> TimerToken {
    let token = state.withLock { state in
      state.next += 1
      let token = TimerToken(number: state.next)
      state.actions[token] = action
      return token
    }
    guard time != .distantFuture else { return token }
    let rest = max(0, (time - now()).wholeNanoseconds)
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(rest))) { [weak self] in
      self?.state.withLock { $0.actions.removeValue(forKey: token) }?()
    }
    return token
  }

  package func cancel(_ token: TimerToken) {
    let action = state.withLock { $0.actions.removeValue(forKey: token) }
    withExtendedLifetime(action) {}
  }
}
