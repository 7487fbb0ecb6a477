public import GridCore
internal import Synchronization

/// A clock that stands still until a test moves it.
///
/// Whoever lives by this clock (``InMemoryStoreServer``) is told of every move, on the thread that makes it, before
/// ``advance(by:)`` returns.
public final class ManualClock: GridClock {
  private struct State {
    var now: MonotonicTime
    var date: CalendarTime
    var listeners: [@Sendable () -> Void] = []
  }

  private let state: Mutex<State>

  /// A clock that shows one hour after its start, and the date given.
  public init(date: CalendarTime = CalendarTime(millisecondsSince1970: 1_767_225_600_000)) {
    state = Mutex(State(now: MonotonicTime(nanoseconds: 3_600_000_000_000), date: date))
  }

  public func now() -> MonotonicTime { state.withLock { $0.now } }

  public func date() -> CalendarTime { state.withLock { $0.date } }

  /// Moves both clocks forward, and tells those who asked to be told.
  public func advance(by duration: Duration) {
    let listeners = state.withLock { state in
      state.now = state.now + duration
      state.date.millisecondsSince1970 += duration.wholeNanoseconds / 1_000_000
      return state.listeners
    }
    for listener in listeners { listener() }
  }

  /// Sets the calendar alone, as an administrator or a time server does: forward or back.
  public func set(date: CalendarTime) { state.withLock { $0.date = date } }

  /// Has `listener` called after each move, for as long as the clock lives.
  public func onAdvance(_ listener: @escaping @Sendable () -> Void) {
    state.withLock { $0.listeners.append(listener) }
  }
}
