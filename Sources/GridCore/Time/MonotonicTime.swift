/// A point on a clock that only moves forward, in nanoseconds since an unspecified start.
///
/// Comparable only with times of the same machine and boot. The core never reads a clock: times are handed in.
public struct MonotonicTime: Sendable, Hashable, Comparable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Later than every time a clock will show.
  public static let distantFuture = MonotonicTime(nanoseconds: .max)

  public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The time `duration` after `time`; a sum past the end of the scale is ``distantFuture``, one before its start the
  /// start.
  public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
    MonotonicTime(nanoseconds: time.nanoseconds.addingClamped(duration.wholeNanoseconds))
  }

  /// The milliseconds, modulo 2³²: enough for ages of up to 49 days.
  package var milliseconds: UInt32 { UInt32(truncatingIfNeeded: nanoseconds / 1_000_000) }

  /// How long it is from `right` to `left`, at most the whole scale.
  public static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
    .nanoseconds(left.nanoseconds.subtractingClamped(right.nanoseconds))
  }
}

extension Duration {
  /// The duration in whole nanoseconds, clamped to what 64 bits hold (±292 years).
  package var wholeNanoseconds: Int64 {
    // Most are between 0 and 18 s, and 128 bits are divided by a call.
    let low = UInt64(truncatingIfNeeded: attoseconds)
    if Int128(low) == attoseconds { return Int64(low / 1_000_000_000) }
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    let (sum, overflowed) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return overflowed ? (seconds < 0 ? .min : .max) : sum
  }

  /// The duration in seconds, for display and JSON.
  package var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
}

/// A date of the calendar clock: milliseconds since 1970-01-01T00:00:00Z. For display and identifiers only; it jumps.
public struct CalendarTime: Sendable, Hashable, Comparable {
  public var millisecondsSince1970: Int64

  public init(millisecondsSince1970: Int64) { self.millisecondsSince1970 = millisecondsSince1970 }

  public static func < (left: CalendarTime, right: CalendarTime) -> Bool {
    left.millisecondsSince1970 < right.millisecondsSince1970
  }

  /// RFC 3339 in UTC with milliseconds: `2026-01-02T03:04:05.678Z`.
  public var rfc3339: String {
    let days = Int(millisecondsSince1970.quotientRoundedDown(by: 86_400_000))
    let remainder = Int(millisecondsSince1970 % 86_400_000)
    let rest = remainder < 0 ? remainder + 86_400_000 : remainder
    let (year, month, day) = Self.civil(fromDays: days)
    func padded(_ value: Int, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
      + "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2))."
      + "\(padded(rest % 1000, 3))Z"
  }

  /// Howard Hinnant, “chrono-Compatible Low-Level Date Algorithms”, `civil_from_days`.
  private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    )
  }
}

extension Int64 {
  fileprivate func quotientRoundedDown(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
