internal import GridCommands
internal import GridCore

/// Reads expressions: `$? == 0 and len($_.items) >= 5`.
struct ExpressionParser {
  /// How deep parentheses may nest.
  private static let maximumDepth = 32
  /// Those that are joined lie in one another as well, as many deep as there are.
  private static let maximumConditions = 256

  var scanner: Scanner
  private var depth = 0
  private var conditions = 0

  init(_ scanner: Scanner) { self.scanner = scanner }

  /// `or`, the weakest.
  mutating func expression() throws -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else {
      throw SyntaxError(message: "parentheses nest too deeply", range: scanner.position..<scanner.position + 1)
    }
    var left = try conjunction()
    while take("||") || takeWord("or") { left = .or(left, try conjunction()) }
    return left
  }

  private mutating func conjunction() throws -> Expression {
    var left = try negation()
    while take("&&") || takeWord("and") { left = .and(left, try negation()) }
    return left
  }

  private mutating func negation() throws -> Expression {
    scanner.skipBlanks()
    var count = 0
    while takeWord("not") || (scanner.current == "!" && scanner.peek() != "=" && take("!")) { count += 1 }
    let operand = try comparison()
    return count.isMultiple(of: 2) ? operand : .not(operand)
  }

  private mutating func comparison() throws -> Expression {
    conditions += 1
    guard conditions <= Self.maximumConditions else {
      throw SyntaxError(
        message: "more than \(Self.maximumConditions) conditions", range: scanner.position..<scanner.position + 1)
    }
    let left = try operand()
    for (sign, comparison) in ValueComparison.signs where take(sign) {
      return .compare(comparison, left, try operand())
    }
    return left
  }

  /// A value without operators around it.
  mutating func operand() throws -> Expression {
    scanner.skipBlanks()
    guard let first = scanner.current else { throw Unfinished(expected: "a value") }
    switch first {
    case "(":
      scanner.advance()
      let inner = try expression()
      guard take(")") else {
        if scanner.isAtEnd { throw Unfinished(expected: ")") }
        throw unexpected()
      }
      return inner
    case "$":
      if let reference = try scanner.reference() { return .reference(reference) }
      throw unexpected()
    case "'", "\"", "{", "[":
      guard let word = try scanner.delimitedWord() else { throw unexpected() }
      return .word(word)
    case "-", "0"..."9": return .literal(try number())
    default: return try named()
    }
  }

  private mutating func number() throws -> JSONValue {
    let start = scanner.position
    while let character = scanner.current, character.isASCII, character.isNumber || "+-.eE".contains(character) {
      scanner.advance()
    }
    let text = scanner.text(start..<scanner.position)
    guard let value = try? JSONValue(parsing: text) else {
      throw SyntaxError(message: "\(text) is no number", range: start..<scanner.position)
    }
    return value
  }

  private mutating func named() throws -> Expression {
    let start = scanner.position
    guard let name = scanner.name() else { throw unexpected() }
    switch name {
    case "true": return .literal(true)
    case "false": return .literal(false)
    case "null": return .literal(nil)
    default: break
    }
    guard Functions.names.contains(name), take("(") else {
      throw SyntaxError(
        message: "\(name) is no value", range: start..<scanner.position,
        hint: "text stands in quotes, a variable begins with $; functions: \(Functions.names.joined(separator: ", "))")
    }
    var arguments: [Expression] = []
    if !take(")") {
      repeat { arguments.append(try expression()) } while take(",")
      guard take(")") else {
        if scanner.isAtEnd { throw Unfinished(expected: ")") }
        throw unexpected()
      }
    }
    guard arguments.count == Functions.argumentCounts[name] else {
      throw SyntaxError(
        message: "\(name) takes \(Functions.argumentCounts[name] ?? 0) values, not \(arguments.count)",
        range: start..<scanner.position)
    }
    return .call(name, arguments)
  }

  private mutating func take(_ sign: String) -> Bool {
    scanner.skipBlanks()
    guard scanner.starts(with: sign) else { return false }
    scanner.advance(sign.count)
    return true
  }

  private mutating func takeWord(_ word: String) -> Bool {
    scanner.skipBlanks()
    guard scanner.starts(with: word), scanner.peek(word.count).map({ $0.isWhitespace || $0 == "(" }) ?? false else {
      return false
    }
    scanner.advance(word.count)
    return true
  }

  func unexpected() -> SyntaxError {
    let ahead = scanner.bareWordAhead()
    let text = scanner.isAtEnd ? "the end" : ahead.isEmpty ? scanner.current.map { String($0) } ?? "" : ahead
    return SyntaxError(
      message: "\(text) is not expected here", range: scanner.position..<scanner.position + max(1, ahead.count))
  }
}

/// What an expression can call.
enum Functions {
  static let argumentCounts = ["len": 1, "matches": 2, "contains": 2]
  static let names = argumentCounts.keys.sorted()

  /// The value of a call; missing things make null, never an error.
  static func call(_ name: String, _ arguments: [JSONValue]) -> JSONValue {
    switch (name, arguments.count) {
    case ("len", 1): .integer(Int64(length(arguments[0])))
    case ("matches", 2):
      .bool(NamePattern(arguments[1].plainText).matches(arguments[0].plainText))
    case ("contains", 2): .bool(contains(arguments[0], arguments[1]))
    default: .null
    }
  }

  /// Elements of an array or list, members of an object, characters of a text; null has none.
  private static func length(_ value: JSONValue) -> Int {
    switch value {
    case .array(let elements): elements.count
    case .object(let members): members["items"]?.arrayValue?.count ?? members.count
    case .string(let text): text.count
    case .null: 0
    default: 1
    }
  }

  private static func contains(_ value: JSONValue, _ wanted: JSONValue) -> Bool {
    switch value {
    case .array(let elements): elements.contains(wanted)
    case .object(let members): members[wanted.plainText] != nil
    case .string(let text): !wanted.plainText.isEmpty && text.containsText(wanted.plainText)
    default: false
    }
  }
}

extension String {
  /// Whether `other` occurs in it.
  func containsText(_ other: String) -> Bool {
    let text = Array(utf8)
    let wanted = Array(other.utf8)
    guard !wanted.isEmpty, wanted.count <= text.count else { return wanted.isEmpty }
    return (0...(text.count - wanted.count)).contains { text[$0..<$0 + wanted.count].elementsEqual(wanted) }
  }
}

extension JSONValue {
  /// The value as a person writes it: text without quotes.
  var plainText: String {
    if case .string(let text) = self { return text }
    return text
  }
}
