internal import ArgumentParser
internal import GridCore

extension Duration {
  /// Parses an option's duration.
  static func argument(_ text: String) throws -> Duration {
    guard let duration = Duration(gridText: text) else {
      throw ValidationError("\(NameRules.quoted(text)) is no duration; write 250ms, 5s, 2m or 1h30m")
    }
    return duration
  }
}

/// `KEY=VALUE`.
struct KeyValueArgument: ExpressibleByArgument, Sendable {
  let key: String
  let value: String

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
    key = String(argument[..<equals])
    value = String(argument[argument.index(after: equals)...])
  }
}

/// A number of bytes: `100`, `64KiB`, `1MB`.
struct SizeArgument: ExpressibleByArgument, Sendable {
  let bytes: Int

  init(bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    let units = [
      "": 1, "B": 1, "kB": 1000, "KB": 1000, "KiB": 1024, "MB": 1_000_000, "MiB": 1 << 20, "GiB": 1 << 30,
    ]
    guard let value = Int(digits), let unit = units[String(argument.dropFirst(digits.count))] else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: unit)
    guard !overflow else { return nil }
    bytes = product
  }

  var defaultValueDescription: String { "\(bytes)B" }
}
