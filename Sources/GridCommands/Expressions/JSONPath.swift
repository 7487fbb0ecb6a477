internal import GridCore

/// A path into a JSON value, in the form that kubectl has: `.items[0].name`, `['a.b']`, `..name`, `[1:3]`, `[-1]`,
/// `.*`, `[?(@.mailbox>100)]`.
///
/// Members that do not exist give no value. Of an object's members, a wildcard gives those in the order of their names.
struct JSONPath: Hashable, Sendable {
  enum Step: Hashable, Sendable {
    case member(String)
    case wildcard
    /// From the end when negative.
    case index(Int)
    case slice(start: Int?, end: Int?, step: Int)
    case union([Step])
    /// The value and everything below it.
    case descendants
    case filter(FilterExpression)
  }

  var steps: [Step]
  /// Whether it begins at the whole document (`$`), wherever it stands.
  var isFromRoot = false

  /// Parses a path, and nothing behind it. The first point may be left out.
  ///
  /// - Throws: ``GridError/Code/usage`` with the place of the fault.
  init(parsing text: String) throws(GridError) {
    var scanner = ExpressionScanner(text)
    self = try scanner.path()
    try scanner.expectEnd()
  }

  init(steps: [Step], isFromRoot: Bool = false) {
    self.steps = steps
    self.isFromRoot = isFromRoot
  }

  /// The values the path leads to, in their order.
  func values(in value: JSONValue, root: JSONValue) -> [JSONValue] {
    steps.reduce([isFromRoot ? root : value]) { values, step in
      values.flatMap { Self.follow(step, from: $0, root: root) }
    }
  }

  private static func follow(_ step: Step, from value: JSONValue, root: JSONValue) -> [JSONValue] {
    switch step {
    case .member(let name): value[name].map { [$0] } ?? []
    case .wildcard: children(of: value)
    case .index(let index): element(index, of: value)
    case .slice(let start, let end, let step): slice(value, start, end, step)
    case .union(let steps): steps.flatMap { follow($0, from: value, root: root) }
    case .descendants: [value] + children(of: value).flatMap { follow(.descendants, from: $0, root: root) }
    case .filter(let expression): children(of: value).filter { expression.holds(for: $0, root: root) }
    }
  }

  private static func children(of value: JSONValue) -> [JSONValue] {
    if let elements = value.arrayValue { return elements }
    return (value.objectValue ?? [:]).sorted { $0.key < $1.key }.map(\.value)
  }

  private static func element(_ index: Int, of value: JSONValue) -> [JSONValue] {
    guard let elements = value.arrayValue else { return [] }
    let place = index < 0 ? elements.count + index : index
    return elements.indices.contains(place) ? [elements[place]] : []
  }

  private static func slice(_ value: JSONValue, _ start: Int?, _ end: Int?, _ step: Int) -> [JSONValue] {
    guard let elements = value.arrayValue, step > 0 else { return [] }
    func place(_ index: Int?, _ standard: Int) -> Int {
      guard let index else { return standard }
      return min(max(0, index < 0 ? elements.count + index : index), elements.count)
    }
    let (first, last) = (place(start, 0), place(end, elements.count))
    guard first < last else { return [] }
    return stride(from: first, to: last, by: step).map { elements[$0] }
  }

  /// A value as text: strings as they are, everything else as JSON.
  static func text(_ value: JSONValue) -> String { value.stringValue ?? value.text }
}
