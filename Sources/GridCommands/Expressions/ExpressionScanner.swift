internal import GridCore

/// Reads paths and conditions, character by character.
struct ExpressionScanner {
  private let text: [Character]
  private var place = 0
  /// How deep brackets and parentheses are nested, so that a long line of them does not use the stack up.
  private var depth = 0

  private static let maximumDepth = 64
  /// Conditions so far: those that are joined lie in one another as well, as many deep as there are.
  private var conditions = 0
  private static let maximumConditions = 256

  init(_ text: String) { self.text = Array(text) }

  var isAtEnd: Bool { place >= text.count }
  var next: Character? { place < text.count ? text[place] : nil }

  mutating func advance(by count: Int = 1) { place = min(text.count, place + count) }

  /// Whether the text goes on so; it is passed by then.
  mutating func take(_ wanted: String) -> Bool {
    guard text[place...].starts(with: wanted) else { return false }
    place += wanted.count
    return true
  }

  mutating func skipSpaces() {
    while let character = next, character.isWhitespace { place += 1 }
  }

  func fault(_ message: String) -> GridError {
    GridError(
      .usage, "\(message) at character \(place + 1) of \(NameRules.quoted(String(text)))",
      hint: "see: gridctl help output")
  }

  mutating func expectEnd() throws(GridError) {
    skipSpaces()
    if !isAtEnd { throw fault("unexpected \(NameRules.quoted(String(text[place...].prefix(8))))") }
  }

  private mutating func expect(_ wanted: String) throws(GridError) {
    guard take(wanted) else { throw fault("expected \(NameRules.quoted(wanted))") }
  }

  private mutating func deeper<Result>(
    _ body: (inout ExpressionScanner) throws(GridError) -> Result
  ) throws(GridError) -> Result {
    guard depth < Self.maximumDepth else { throw fault("nested too deeply") }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  // MARK: Paths

  mutating func path() throws(GridError) -> JSONPath {
    skipSpaces()
    let isFromRoot = take("$")
    if !isFromRoot { _ = take("@") }
    var steps: [JSONPath.Step] = []
    if let character = next, Self.isNameCharacter(character) { steps.append(.member(try name())) }
    while let character = next {
      if character == "[" {
        steps.append(try bracket())
      } else if character == "." {
        try point(&steps)
      } else {
        break
      }
    }
    return JSONPath(steps: steps, isFromRoot: isFromRoot)
  }

  private mutating func point(_ steps: inout [JSONPath.Step]) throws(GridError) {
    advance()
    if take(".") { steps.append(.descendants) }
    if take("*") {
      steps.append(.wildcard)
    } else if let character = next, Self.isNameCharacter(character) {
      steps.append(.member(try name()))
    } else if next != "[", steps.last == .descendants {
      throw fault("expected a name")
    }
  }

  private static func isNameCharacter(_ character: Character) -> Bool {
    !character.isWhitespace && !".[](){}=<>!&|,:@$*'\"~?".contains(character)
  }

  private mutating func name() throws(GridError) -> String {
    var name = ""
    while let character = next {
      if character == "\\" {
        advance()
        guard let escaped = next else { throw fault("expected a character after \\") }
        name.append(escaped)
      } else if Self.isNameCharacter(character) {
        name.append(character)
      } else {
        break
      }
      advance()
    }
    return name
  }

  private mutating func bracket() throws(GridError) -> JSONPath.Step {
    advance()
    skipSpaces()
    if take("?") {
      skipSpaces()
      try expect("(")
      let filter = try deeper { scanner throws(GridError) in try scanner.expression() }
      skipSpaces()
      try expect(")")
      skipSpaces()
      try expect("]")
      return .filter(filter)
    }
    var steps = [try bracketElement()]
    skipSpaces()
    while take(",") {
      steps.append(try bracketElement())
      skipSpaces()
    }
    try expect("]")
    return steps.count == 1 ? steps[0] : .union(steps)
  }

  private mutating func bracketElement() throws(GridError) -> JSONPath.Step {
    skipSpaces()
    if take("*") { return .wildcard }
    if next == "'" || next == "\"" { return .member(try quoted()) }
    let first = try integer()
    skipSpaces()
    guard take(":") else {
      guard let first else { throw fault("expected an index, a name in quotes or *") }
      return .index(first)
    }
    skipSpaces()
    let end = try integer()
    skipSpaces()
    var step = 1
    if take(":") {
      skipSpaces()
      step = try integer() ?? 1
      guard step > 0 else { throw fault("a step must be positive") }
    }
    return .slice(start: first, end: end, step: step)
  }

  private mutating func integer() throws(GridError) -> Int? {
    var digits = take("-") ? "-" : ""
    while let character = next, character.isASCII, character.isNumber {
      digits.append(character)
      advance()
    }
    if digits.isEmpty { return nil }
    guard let value = Int(digits) else { throw fault("expected an index") }
    return value
  }

  /// A text in single or double quotes; a backslash takes its meaning from the next character, but for `\n`, `\t`.
  mutating func quoted() throws(GridError) -> String {
    guard let quote = next else { throw fault("expected a text in quotes") }
    advance()
    var result = ""
    while let character = next {
      advance()
      if character == quote { return result }
      guard character == "\\" else {
        result.append(character)
        continue
      }
      guard let escaped = next else { break }
      advance()
      switch escaped {
      case "n": result.append("\n")
      case "t": result.append("\t")
      case "r": result.append("\r")
      default: result.append(escaped)
      }
    }
    throw fault("a quote is not closed")
  }

  // MARK: Conditions

  mutating func expression() throws(GridError) -> FilterExpression {
    var result = try conjunction()
    skipSpaces()
    while take("||") {
      result = .either(result, try conjunction())
      skipSpaces()
    }
    return result
  }

  private mutating func conjunction() throws(GridError) -> FilterExpression {
    var result = try condition()
    skipSpaces()
    while take("&&") {
      result = .both(result, try condition())
      skipSpaces()
    }
    return result
  }

  private mutating func condition() throws(GridError) -> FilterExpression {
    conditions += 1
    guard conditions <= Self.maximumConditions else {
      throw fault("more than \(Self.maximumConditions) conditions")
    }
    skipSpaces()
    if next == "!", !text[place...].starts(with: "!=") {
      advance()
      return .not(try deeper { scanner throws(GridError) in try scanner.condition() })
    }
    if take("(") {
      let inner = try deeper { scanner throws(GridError) in try scanner.expression() }
      skipSpaces()
      try expect(")")
      return inner
    }
    let left = try operand()
    skipSpaces()
    for (sign, comparison) in ValueComparison.signs where take(sign) {
      return .compare(left, comparison, try operand())
    }
    return .exists(left)
  }

  private mutating func operand() throws(GridError) -> FilterExpression.Operand {
    skipSpaces()
    guard let character = next else { throw fault("expected a value or a path") }
    if character == "'" || character == "\"" { return .value(.string(try quoted())) }
    if character == "-" || character.isASCII && character.isNumber { return .value(try number()) }
    guard "@$.".contains(character) || Self.isNameCharacter(character) else {
      throw fault("expected a value or a path")
    }
    let path = try self.path()
    if case .member(let word) = path.steps.first, path.steps.count == 1, "@$.".contains(character) == false {
      switch word {
      case "true": return .value(true)
      case "false": return .value(false)
      case "null": return .value(.null)
      default: break
      }
    }
    return .path(path)
  }

  private mutating func number() throws(GridError) -> JSONValue {
    var digits = ""
    while let character = next, character.isASCII, character.isNumber || "+-.eE".contains(character) {
      digits.append(character)
      advance()
    }
    if let value = try? JSONValue(parsing: digits) { return value }
    if let value = Int64(digits) { return .integer(value) }
    guard let value = Double(digits), value.isFinite else { throw fault("expected a number") }
    return .number(value)
  }
}
