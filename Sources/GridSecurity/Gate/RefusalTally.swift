internal import DequeModule
package import GridCore

/// How many log-ins were refused, by the minute, for a day. Pure.
package struct RefusalTally: Sendable {
  private static let mostMinutes = 24 * 60

  private var minutes: Deque<(minute: Int64, count: Int)> = []
  /// Since the node started.
  package private(set) var total: Int64 = 0
  /// What the last one was about, for people.
  package private(set) var last: String?

  package init() {}

  package mutating func add(_ description: String, at now: CalendarTime) {
    total = total.addingClamped(1)
    last = description
    let minute = now.millisecondsSince1970 / 60_000
    if let newest = minutes.last, newest.minute >= minute {
      minutes[minutes.count - 1].count = newest.count.addingClamped(1)
    } else {
      minutes.append((minute, 1))
    }
    if minutes.count > Self.mostMinutes { minutes.removeFirst() }
  }

  /// How many in the minute of that time and later.
  package func count(since: CalendarTime) -> Int {
    let minute = since.millisecondsSince1970 / 60_000
    return minutes.reversed().prefix { $0.minute >= minute }.reduce(0) { $0.addingClamped($1.count) }
  }
}
