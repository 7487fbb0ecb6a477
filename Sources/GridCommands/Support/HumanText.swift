internal import GridCore

/// Values as tables show them to people.
enum HumanText {
  /// A length of time in its two largest units: `0.2ms`, `3m12s`, `4d2h`.
  static func duration(_ seconds: Double?) -> String {
    guard let seconds else { return "-" }
    if seconds < 1e-3 { return "\(rounded(seconds * 1e6, 1))us" }
    if seconds < 1 { return "\(rounded(seconds * 1e3, 1))ms" }
    let whole = Int(seconds)
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return "\(whole / 60)m\(whole % 60)s" }
    if whole < 86_400 { return "\(whole / 3600)h\(whole % 3600 / 60)m" }
    return "\(whole / 86_400)d\(whole % 86_400 / 3600)h"
  }

  /// A number with few decimals and no trailing `.0` noise beyond `places`.
  static func rounded(_ value: Double, _ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (value * scale).rounded() / scale
    return scaled == scaled.rounded() && abs(scaled) < 1e15 ? String(Int(scaled)) : String(scaled)
  }

  /// A rate: `1.2M/s`, `300k/s`.
  static func rate(_ perSecond: Double) -> String { quantity(perSecond) + "/s" }

  static func quantity(_ value: Double) -> String {
    switch value {
    case 1e6...: rounded(value / 1e6, 2) + "M"
    case 1e4...: rounded(value / 1e3, 1) + "k"
    default: rounded(value, 0)
    }
  }

  /// The start of a body on one line.
  static func excerpt(_ text: String, _ limit: Int = 40) -> String {
    text.count > limit ? text.prefix(limit) + "…" : text
  }
}
