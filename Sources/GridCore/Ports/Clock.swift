/// Where a component reads time. The core takes times as arguments; adapters and the node hold a clock.
public protocol GridClock: Sendable {
  /// The current time of the monotonic clock. Cheap: tens of nanoseconds.
  func now() -> MonotonicTime
  /// The current date. For display and identifiers only.
  func date() -> CalendarTime
}
