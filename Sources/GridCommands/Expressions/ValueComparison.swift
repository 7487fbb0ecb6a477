package import GridCore

/// How two JSON values are compared, in `--filter`, in paths and in the session's conditions alike.
package enum ValueComparison: String, Hashable, Sendable, CaseIterable {
  // The longer ones first, since they are looked for in this order.
  case matches = "=~"
  case equal = "=="
  case unequal = "!="
  case atMost = "<="
  case atLeast = ">="
  case less = "<"
  case greater = ">"

  /// How each is written, in the order in which they are looked for; `=` is short for `==`.
  package static let signs = allCases.map { (text: $0.rawValue, comparison: $0) } + [("=", .equal)]

  /// Numbers compare as numbers, also when one of the two is text; else texts compare with texts. What cannot be
  /// ordered is neither less nor greater. A pattern has `*` for any characters and `?` for one.
  package func holds(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if self == .matches { return NamePattern(JSONPath.text(right)).matches(JSONPath.text(left)) }
    if let left = Self.number(left, beside: right), let right = Self.number(right, beside: .number(left)) {
      return holds(left, right)
    }
    if let left = left.stringValue, let right = right.stringValue { return holds(left, right) }
    return self == .equal && left == right || self == .unequal && left != right
  }

  /// Two numbers or two texts; neither matches a pattern.
  package func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
    switch self {
    case .matches: false
    case .equal: left == right
    case .unequal: left != right
    case .atMost: left <= right
    case .atLeast: left >= right
    case .less: left < right
    case .greater: left > right
    }
  }

  private static func number(_ value: JSONValue, beside other: JSONValue) -> Double? {
    if let number = value.doubleValue { return number }
    guard other.doubleValue != nil, let text = value.stringValue else { return nil }
    return Double(text)
  }
}
