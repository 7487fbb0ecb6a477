/// Where a component waits: a clock that can also be told to call back at a time.
///
/// Real nodes and commands have one that an event loop drives; tests and the simulation one that stands still until it
/// is moved. Tasks wait with what GridConcurrency builds on it: `timers.sleep(for:)`, `latch.wait(atMost:on:)`.
///
/// Every method may be called from any thread, also from an action.
public protocol Timers: GridClock, AnyObject {
  /// Has `action` called once, at `time` or shortly after, never before; soon when that time has passed, but not from
  /// within this call. ``MonotonicTime/distantFuture`` is never.
  ///
  /// Actions that are due together are called in the order of their times, and those of one time in the order in which
  /// they were scheduled. They return at once; no lock of the timers is held meanwhile.
  @discardableResult
  func schedule(at time: MonotonicTime, _ action: @escaping @Sendable () -> Void) -> TimerToken

  /// Takes back what was scheduled. Without effect once its time has come: then the action has been called, or is about
  /// to be.
  func cancel(_ token: TimerToken)
}

extension Timers {
  /// As ``schedule(at:_:)``, `duration` from now.
  @discardableResult
  public func schedule(after duration: Duration, _ action: @escaping @Sendable () -> Void) -> TimerToken {
    schedule(at: now() + duration, action)
  }
}

/// What ``Timers/cancel(_:)`` takes back; of meaning to the timers alone that gave it.
public struct TimerToken: Sendable, Hashable {
  public let number: UInt64

  public init(number: UInt64) { self.number = number }
}
