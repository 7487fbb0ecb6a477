internal import GridCore

/// Values as tables show them to people. Total: whatever a node sends has a text.
enum HumanText {
  /// A length of time in its two largest units: `0.2ms`, `3m12s`, `4d2h`; `-` for none.
  static func duration(_ seconds: Double?) -> String {
    guard let seconds, seconds.isFinite else { return "-" }
    if seconds < 0 { return "-" + duration(-seconds) }
    if seconds == 0 { return "0s" }
    if seconds < 1e-6 { return rounded(seconds * 1e9, 1) + "ns" }
    if seconds < 1e-4 { return rounded(seconds * 1e6, 1) + "us" }
    if seconds < 0.01 { return rounded(seconds * 1e3, 2) + "ms" }
    if seconds < 0.99995 { return rounded(seconds * 1e3, 1) + "ms" }
    if seconds < 9.95 { return rounded(seconds, 1) + "s" }
    guard let whole = Int(exactly: seconds.rounded()) else { return "-" }
    switch whole {
    case ..<60: return "\(whole)s"
    case ..<3600: return pair(whole / 60, "m", whole % 60, "s")
    case ..<86_400: return pair(whole / 3600, "h", whole % 3600 / 60, "m")
    default: return pair(whole / 86_400, "d", whole % 86_400 / 3600, "h")
    }
  }

  static func duration(_ duration: Duration) -> String { self.duration(duration.inSeconds) }

  /// How long ago a time was, or how far ahead it is: `3m12s ago`, `in 5s`, `now` within a second.
  static func relative(_ time: CalendarTime, to now: CalendarTime) -> String {
    let milliseconds = Double(now.millisecondsSince1970) - Double(time.millisecondsSince1970)
    if abs(milliseconds) < 1000 { return "now" }
    return milliseconds > 0 ? duration(milliseconds / 1e3) + " ago" : "in " + duration(-milliseconds / 1e3)
  }

  /// A number of bytes: `512B`, `1.5KiB`, `16MiB`.
  static func bytes(_ count: Int) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var value = Double(count)
    guard abs(value) >= 1024 else { return "\(count)B" }
    var unit = -1
    while abs(value) >= 1023.95, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return rounded(value, 1) + units[unit]
  }

  /// A number with at most so many decimals: `3`, `0.25`.
  static func rounded(_ value: Double, _ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<max(0, places) { scale *= 10 }
    let scaled = (value * scale).rounded() / scale
    if let whole = Int64(exactly: scaled), abs(scaled) < 1e15 { return String(whole) }
    return String(scaled)
  }

  /// A rate: `1.2M/s`, `300k/s`.
  static func rate(_ perSecond: Double) -> String { quantity(perSecond) + "/s" }

  /// A number that may be large, in few characters: `912`, `20k`, `1.25M`.
  static func quantity(_ value: Double) -> String {
    switch abs(value) {
    case 999_950_000...: rounded(value / 1e9, 2) + "G"
    case 999_950...: rounded(value / 1e6, 2) + "M"
    case 1e4...: rounded(value / 1e3, 1) + "k"
    default: rounded(value, 0)
    }
  }

  /// The start of a body, for a cell.
  static func excerpt(_ text: String, _ limit: Int = 40) -> String {
    guard let end = text.index(text.startIndex, offsetBy: limit, limitedBy: text.endIndex), end < text.endIndex else {
      return text
    }
    return text[..<end] + "…"
  }

  private static func pair(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
    small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit)\(small)\(smallUnit)"
  }
}
