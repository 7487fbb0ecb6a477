internal import GridCore

/// A condition on a JSON value: `kind=="actor" && name=~"orders-*"`, `@.mailbox > 100`, `!labels.zone`.
///
/// A path alone holds when it leads to something other than `null`, `false` and the empty text. A path with several
/// values holds when one of them does. ``ValueComparison`` says how values are compared.
indirect enum FilterExpression: Hashable, Sendable {
  enum Operand: Hashable, Sendable {
    case value(JSONValue)
    case path(JSONPath)
  }

  case exists(Operand)
  case compare(Operand, ValueComparison, Operand)
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
    _ left: Operand, _ comparison: ValueComparison, _ right: Operand, _ value: JSONValue, _ root: JSONValue
  ) -> Bool {
    // What does not exist is unlike everything, and equal to null.
    func some(_ operand: Operand) -> [JSONValue] {
      let values = Self.values(operand, value, root)
      return values.isEmpty ? [.null] : values
    }
    let others = some(right)
    return some(left).contains { left in others.contains { comparison.holds(left, $0) } }
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
