internal import GridCore

/// How many lines of a program its node logs: so many at once, then so many a second. Pure: time comes in.
struct LogBudget {
  let burst: Int
  let perSecond: Int
  /// Lines that were left out since ``takeLeftOut()``.
  private(set) var leftOut = 0
  /// When the budget is whole again.
  private var wholeAt: MonotonicTime?

  init(burst: Int = 100, perSecond: Int = 10) {
    self.burst = burst
    self.perSecond = perSecond
  }

  /// Whether a line at `now` is logged; one that is not is counted.
  mutating func admits(at now: MonotonicTime) -> Bool {
    let line = Duration.seconds(1) / perSecond
    let before = max(wholeAt ?? now, now)
    guard before - now <= line * (burst - 1) else {
      leaveOut(1)
      return false
    }
    wholeAt = before + line
    return true
  }

  mutating func leaveOut(_ count: Int) { leftOut += count }

  mutating func takeLeftOut() -> Int {
    defer { leftOut = 0 }
    return leftOut
  }
}
