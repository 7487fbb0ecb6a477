internal import Dispatch
internal import GridCore
internal import Synchronization

/// Timers of the machine, for members whose leases stand still.
final class DispatchTimers: Timers {
  private struct State {
    var next: UInt64 = 0
    var actions: [TimerToken: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())

  func now() -> MonotonicTime { MonotonicTime(nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds)) }

  func date() -> CalendarTime { CalendarTime(millisecondsSince1970: 0) }

  func schedule(at time: MonotonicTime, _ action: @escaping @Sendable () -> Void) -> TimerToken {
    let token = state.withLock { state in
      state.next += 1
      let token = TimerToken(number: state.next)
      state.actions[token] = action
      return token
    }
    let rest = max(0, (time - now()).wholeNanoseconds)
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(rest))) {
      self.state.withLock { $0.actions.removeValue(forKey: token) }?()
    }
    return token
  }

  func cancel(_ token: TimerToken) { state.withLock { _ = $0.actions.removeValue(forKey: token) } }
}
