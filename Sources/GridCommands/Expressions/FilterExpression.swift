internal import GridCore

/// A condition on a JSON value: `kind=="actor" && name=~"orders-*"`, `@.mailbox > 100`, `!labels.zone`.
///
/// A path alone holds when it leads to something other than `null`, `false` and the empty text. `==` and `!=` compare
/// any values, `<` and its like numbers with numbers and texts with texts; `=~` matches a text with a pattern, in which
/// `*` stands for any characters and `?` for one. A path with several values holds when one of them does.
indirect enum FilterExpression: Hashable, Sendable {
  enum Operand: Hashable, Sendable {
    case value(JSONValue)
    case path(JSONPath)
  }

  enum Comparison: String, Hashable, Sendable, CaseIterable {
    // The longer ones first, since they are looked for in this order.
    case matches = "=~"
    case equal = "=="
    case unequal = "!="
    case atMost = "<="
    case atLeast = ">="
    case less = "<"
    case greater = ">"
    case equalShort = "="
  }

  case exists(Operand)
  case compare(Operand, Comparison, Operand)
  case not(FilterExpression)
  case both(FilterExpression, FilterExpression)
  case either(FilterExpression, FilterExpression)

  /// - Throws: ``GridError/Code/usage`` with the place of the fault.
  init(parsing text: String) throws(GridError) {
    var scanner = ExpressionScanner(text)
    self = try scanner.expression()
    try scanner.expectEnd()
  }

  func holds(for value: JSONValue, root: JSONValue) -> Bool {
    switch self {
    case .exists(let operand): Self.values(operand, value, root).contains(where: Self.isTrue)
    case .not(let expression): !expression.holds(for: value, root: root)
    case .both(let left, let right): left.holds(for: value, root: root) && right.holds(for: value, root: root)
    case .either(let left, let right): left.holds(for: value, root: root) || right.holds(for: value, root: root)
    case .compare(let left, let comparison, let right): compare(left, comparison, right, value, root)
    }
  }

  private func compare(
    _ left: Operand, _ comparison: Comparison, _ right: Operand, _ value: JSONValue, _ root: JSONValue
  ) -> Bool {
    // What does not exist is unlike everything, and equal to null.
    func some(_ operand: Operand) -> [JSONValue] {
      let values = Self.values(operand, value, root)
      return values.isEmpty ? [.null] : values
    }
    let others = some(right)
    return some(left).contains { left in others.contains { Self.holds(left, comparison, $0) } }
  }

  private static func holds(_ left: JSONValue, _ comparison: Comparison, _ right: JSONValue) -> Bool {
    switch comparison {
    case .equal, .equalShort: return areEqual(left, right)
    case .unequal: return !areEqual(left, right)
    case .matches: return NamePattern(right.stringValue ?? right.text).matches(JSONPath.text(left))
    case .less, .greater, .atMost, .atLeast: break
    }
    if let left = left.doubleValue, let right = right.doubleValue { return isOrdered(left, comparison, right) }
    if let left = left.stringValue, let right = right.stringValue { return isOrdered(left, comparison, right) }
    return false
  }

  private static func isOrdered<Value: Comparable>(_ left: Value, _ comparison: Comparison, _ right: Value) -> Bool {
    switch comparison {
    case .less: left < right
    case .greater: left > right
    case .atMost: left <= right
    case .atLeast: left >= right
    default: false
    }
  }

  private static func areEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if let left = left.doubleValue, let right = right.doubleValue { return left == right }
    return left == right
  }

  private static func values(_ operand: Operand, _ value: JSONValue, _ root: JSONValue) -> [JSONValue] {
    switch operand {
    case .value(let value): [value]
    case .path(let path): path.values(in: value, root: root)
    }
  }

  private static func isTrue(_ value: JSONValue) -> Bool {
    switch value {
    case .null, .bool(false), .string(""): false
    default: true
    }
  }
}
