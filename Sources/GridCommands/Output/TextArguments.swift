internal import ArgumentParser
internal import GridCore

/// An argument that is parsed from one text, and says what is wrong with it.
///
/// The parser's own message names the value and the option and nothing else; declare options with
/// `transform: SizeArgument.init(parsing:)` to have the reason behind it.
protocol TextArgument: ExpressibleByArgument, Sendable {
  /// - Throws: ``GridError/Code/usage`` with the forms that are understood.
  init(parsing text: String) throws(GridError)
}

extension TextArgument {
  init?(argument: String) {
    guard let value = try? Self(parsing: argument) else { return nil }
    self = value
  }
}

/// A length of time: `250ms`, `5s`, `2m`, `1h30m`, `0`.
struct DurationArgument: TextArgument, Equatable {
  let duration: Duration

  init(_ duration: Duration) { self.duration = duration }

  init(parsing text: String) throws(GridError) {
    guard let duration = Duration(gridText: text) else {
      throw GridError(.usage, "\(NameRules.quoted(text)) is no duration; write 250ms, 5s, 2m or 1h30m")
    }
    self.duration = duration
  }

  var defaultValueDescription: String { HumanText.duration(duration) }
}

extension Duration {
  /// An option's text as a duration.
  ///
  /// - Throws: ``GridError/Code/usage`` with the forms that are understood.
  static func argument(_ text: String) throws(GridError) -> Duration { try DurationArgument(parsing: text).duration }
}

/// A number of bytes: `100`, `64KiB`, `1MB`.
struct SizeArgument: TextArgument, Equatable {
  let bytes: Int

  init(bytes: Int) { self.bytes = bytes }

  init(parsing text: String) throws(GridError) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = Self.units[text.dropFirst(digits.count).lowercased()]
    guard let value = Int(digits), let unit, case (let product, false) = value.multipliedReportingOverflow(by: unit)
    else {
      throw GridError(.usage, "\(NameRules.quoted(text)) is no size; write 100, 64KiB or 1MB")
    }
    bytes = product
  }

  /// Decimal with `k`, `M`, `G`, binary with an `i`, as IEC 80000-13 has them; in any case.
  private static let units: [String: Int] = [
    "": 1, "b": 1, "kb": 1000, "kib": 1 << 10, "mb": 1_000_000, "mib": 1 << 20, "gb": 1_000_000_000, "gib": 1 << 30,
    "tb": 1_000_000_000_000, "tib": 1 << 40,
  ]

  var defaultValueDescription: String { "\(bytes)B" }
}

/// So many a time: `20k/s`, `100/s`, `5/m`, `1.5M/s`; without a time, a second.
struct RateArgument: TextArgument, Equatable {
  let perSecond: Double

  init(parsing text: String) throws(GridError) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let seconds = parts.count == 2 ? Self.seconds[String(parts[1])] : 1
    var digits = parts[0]
    var factor = 1.0
    if let last = digits.last, let known = Self.factors[last] {
      factor = known
      digits.removeLast()
    }
    let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { "0123456789.".utf8.contains($0) }
    guard isNumber, let seconds, let value = Double(digits), value * factor / seconds > 0,
      value * factor / seconds < 1e12
    else {
      throw GridError(.usage, "\(NameRules.quoted(text)) is no rate; write 100/s, 20k/s or 5/m")
    }
    perSecond = value * factor / seconds
  }

  private static let factors: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6]
  private static let seconds: [String: Double] = ["s": 1, "m": 60, "h": 3600]

  var defaultValueDescription: String { HumanText.rate(perSecond) }
}

/// `KEY=VALUE`; the value may be empty and may have `=` in it.
struct KeyValueArgument: TextArgument, Equatable {
  let key: String
  let value: String

  init(parsing text: String) throws(GridError) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw GridError(.usage, "\(NameRules.quoted(text)) is no KEY=VALUE")
    }
    key = String(text[..<equals])
    value = String(text[text.index(after: equals)...])
  }
}
