internal import GridConcurrency
package import GridCore
package import NIOCore
internal import Synchronization

/// Timers that an event loop drives: actions are called on its thread.
///
/// What is scheduled lies in one wheel, so that the loop has one alarm and is woken only for one that is earlier; what
/// nobody waits for costs nothing.
package final class LoopTimers: Timers {
  private struct State {
    var wheel = TimerWheel<@Sendable () -> Void>()
    /// When the loop calls; the distant future when it does not.
    var alarmTime = MonotonicTime.distantFuture
    var alarm: Scheduled<Void>?
  }

  private let loop: any EventLoop
  private let clock: SystemClock
  private let state = Mutex(State())

  package init(_ loop: any EventLoop, clock: SystemClock = SystemClock()) {
    self.loop = loop
    self.clock = clock
  }

  package func now() -> MonotonicTime { clock.now() }

  package func date() -> CalendarTime { clock.date() }

  @discardableResult
  package func schedule(at time: MonotonicTime, _ action: @escaping @Sendable () -> Void) -> TimerToken {
    state.withLock { state in
      let token = state.wheel.insert(action, at: time)
      if time < state.alarmTime { setAlarm(time, &state) }
      return token
    }
  }

  package func cancel(_ token: TimerToken) {
    // The alarm stays: at worst the loop looks once for nothing. The action goes after the lock is released.
    let action = state.withLock { $0.wheel.remove(token) }
    withExtendedLifetime(action) {}
  }

  /// Called with the lock held, so that of two alarms the earlier stands. The loop calls from its own thread, later.
  private func setAlarm(_ time: MonotonicTime, _ state: inout State) {
    state.alarm?.cancel()
    state.alarmTime = time
    let rest = max(0, (time - clock.now()).wholeNanoseconds)
    state.alarm = loop.scheduleTask(in: .nanoseconds(rest)) { self.fire() }
  }

  private func fire() {
    let now = clock.now()
    let due = state.withLock { state in
      let due = state.wheel.advance(to: now)
      state.alarmTime = .distantFuture
      state.alarm = nil
      if let next = state.wheel.next, next != .distantFuture { setAlarm(next, &state) }
      return due
    }
    for action in due { action() }
  }
}
