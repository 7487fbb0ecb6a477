internal import Glibc
internal import GridCore
internal import GridSystem

/// A time in the past, as `--since` gives it everywhere: a duration (`5m`), a time of day (`03:12`, `03:12:07`), a date
/// (`2026-01-02`), or both as RFC 3339 has them. Without a zone the clock on the wall is meant.
enum Since {
  static let forms = "5m, 03:12, 03:12:07, 2026-01-02, 2026-01-02T03:12:07 or 2026-01-02T03:12:07Z"

  /// Milliseconds since 1970.
  ///
  /// - Throws: ``GridError/Code/usage`` with the forms that are understood.
  static func milliseconds(_ text: String) throws(GridError) -> Int64 {
    try parse(text, now: SystemClock().date(), offset: localOffset).millisecondsSince1970
  }

  /// - Parameter offset: by how many seconds local clocks are ahead of UTC at a time in seconds since 1970.
  static func parse(
    _ text: String, now: CalendarTime, offset: (Int64) -> Int64
  ) throws(GridError) -> CalendarTime {
    let unsigned = text.hasPrefix("-") ? String(text.dropFirst()) : text
    if let duration = Duration(gridText: unsigned), duration >= .zero {
      let (time, overflow) = now.millisecondsSince1970.subtractingReportingOverflow(
        duration.wholeNanoseconds / 1_000_000)
      return CalendarTime(millisecondsSince1970: overflow ? 0 : max(0, time))
    }
    guard let written = WrittenTime(text) else {
      throw GridError(.usage, "\(NameRules.quoted(text)) is no time; write \(forms)")
    }
    return written.time(now: now, offset: offset)
  }

  private static func localOffset(at seconds: Int64) -> Int64 {
    var time = time_t(seconds)
    var parts = tm()
    return localtime_r(&time, &parts) == nil ? 0 : Int64(parts.tm_gmtoff)
  }
}

/// A date, a time of day, or both, as they are written. Pure.
private struct WrittenTime {
  /// Days since 1970-01-01; nil means today.
  private var day: Int64?
  /// Milliseconds of the day.
  private var timeOfDay: Int64 = 0
  /// Seconds ahead of UTC; nil is the local zone.
  private var zone: Int64?

  init?(_ text: String) {
    var rest = Substring(text)
    if let date = Self.date(&rest) {
      day = date
      if rest.isEmpty { return }
      guard "Tt ".contains(rest.removeFirst()) else { return nil }
    }
    guard let time = Self.timeOfDay(&rest) else { return nil }
    timeOfDay = time
    if rest.isEmpty { return }
    guard let zone = Self.zone(&rest), rest.isEmpty else { return nil }
    self.zone = zone
  }

  func time(now: CalendarTime, offset: (Int64) -> Int64) -> CalendarTime {
    let nowSeconds = now.millisecondsSince1970 / 1000
    let today = (nowSeconds + (zone ?? offset(nowSeconds))) / 86_400
    func time(of day: Int64) -> Int64 {
      let local = day * 86_400 + timeOfDay / 1000
      // The offset that holds at the time itself, which is known only with an offset.
      let ahead = zone ?? offset(local - offset(local))
      return (local - ahead) * 1000 + timeOfDay % 1000
    }
    if let day { return CalendarTime(millisecondsSince1970: time(of: day)) }
    // A time of day that is still to come today was yesterday's.
    let past = time(of: today)
    return CalendarTime(millisecondsSince1970: past > now.millisecondsSince1970 ? time(of: today - 1) : past)
  }

  // MARK: Parts

  private static func number(_ text: inout Substring, digits: Int) -> Int64? {
    let head = text.prefix(digits)
    guard head.count == digits, head.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    text.removeFirst(digits)
    return Int64(head)
  }

  private static func skip(_ character: Character, _ text: inout Substring) -> Bool {
    guard text.first == character else { return false }
    text.removeFirst()
    return true
  }

  private static func date(_ text: inout Substring) -> Int64? {
    var rest = text
    guard let year = number(&rest, digits: 4), skip("-", &rest), let month = number(&rest, digits: 2), skip("-", &rest),
      let day = number(&rest, digits: 2), (1...12).contains(month), day >= 1, day <= length(of: month, in: year)
    else { return nil }
    text = rest
    return days(year, month, day)
  }

  private static func length(of month: Int64, in year: Int64) -> Int64 {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  /// Howard Hinnant, “chrono-Compatible Low-Level Date Algorithms”, `days_from_civil`.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func timeOfDay(_ text: inout Substring) -> Int64? {
    guard let hour = number(&text, digits: 2), hour < 24, skip(":", &text), let minute = number(&text, digits: 2),
      minute < 60
    else { return nil }
    var milliseconds = (hour * 60 + minute) * 60_000
    guard skip(":", &text) else { return milliseconds }
    // A leap second counts as the one before it.
    guard let second = number(&text, digits: 2), second <= 60 else { return nil }
    milliseconds += min(59, second) * 1000
    guard skip(".", &text) else { return milliseconds }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty else { return nil }
    text.removeFirst(digits.count)
    return milliseconds + (Int64((digits + "00").prefix(3)) ?? 0)
  }

  private static func zone(_ text: inout Substring) -> Int64? {
    if skip("Z", &text) || skip("z", &text) { return 0 }
    let sign: Int64 = text.first == "-" ? -1 : 1
    guard skip("+", &text) || skip("-", &text), let hours = number(&text, digits: 2), hours < 24 else { return nil }
    _ = skip(":", &text)
    guard let minutes = number(&text, digits: 2), minutes < 60 else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }
}
