internal import GridCore

/// Reads statements from a text.
///
/// - Throws: ``SyntaxError`` for what can never be right, ``Unfinished`` for what more lines may complete.
struct Parser {
  /// How deep `if` and `for` may nest.
  static let maximumDepth = 32

  var scanner: Scanner
  private var depth = 0

  init(_ text: String) { scanner = Scanner(text) }

  static func parse(_ text: String) throws -> [Statement] {
    var parser = Parser(text)
    let statements = try parser.statements(until: [])
    return statements
  }

  /// Reads an expression that is the whole text.
  static func expression(_ text: String) throws -> Expression {
    var parser = ExpressionParser(Scanner(text))
    let expression = try parser.expression()
    parser.scanner.skipBlanks(lines: true)
    guard parser.scanner.isAtEnd else { throw parser.unexpected() }
    return expression
  }

  // MARK: Statements

  private mutating func statements(until closers: Set<String>) throws -> [Statement] {
    var statements: [Statement] = []
    while true {
      skipSeparators()
      if scanner.isAtEnd {
        guard closers.isEmpty else { throw Unfinished(expected: "end") }
        return statements
      }
      let ahead = scanner.bareWordAhead()
      if closers.contains(ahead) { return statements }
      if ahead == "end" || ahead == "else" {
        throw SyntaxError(
          message: "\(ahead) without if or for", range: scanner.position..<scanner.position + ahead.count)
      }
      statements.append(try statement())
      scanner.skipBlanks()
      guard scanner.isAtStatementEnd else { throw unexpected() }
    }
  }

  private mutating func skipSeparators() {
    while true {
      scanner.skipBlanks(lines: true)
      guard scanner.current == ";" else { return }
      scanner.advance()
    }
  }

  private mutating func statement() throws -> Statement {
    switch scanner.current {
    case ":":
      scanner.advance()
      return try colon()
    case "!":
      scanner.advance()
      return .shell(restOfLine())
    default: break
    }
    switch scanner.bareWordAhead() {
    case "let": return try binding()
    case "watch": return try watch()
    case "if": return try choice()
    case "for": return try loop()
    default: return .pipeline(try pipeline())
    }
  }

  private mutating func colon() throws -> Statement {
    let start = scanner.position
    guard let name = scanner.name() else {
      throw SyntaxError(message: "a name is missing after :", range: start..<start + 1, hint: "see :help")
    }
    return .colon(name: name, try words())
  }

  private mutating func restOfLine() -> String {
    let start = scanner.position
    while let character = scanner.current, !character.isNewline { scanner.advance() }
    return scanner.text(start..<scanner.position).trimmed
  }

  mutating func words() throws -> [Word] {
    var words: [Word] = []
    while let word = try scanner.word() { words.append(word) }
    return words
  }

  private mutating func binding() throws -> Statement {
    scanner.advance(3)
    scanner.skipBlanks()
    let start = scanner.position
    guard let name = scanner.name(), name != "_" else {
      throw SyntaxError(message: "a name is missing after let", range: start..<start + 1, hint: "let NAME = COMMAND")
    }
    scanner.skipBlanks()
    guard scanner.current == "=" else {
      throw SyntaxError(
        message: "= is missing after let \(name)", range: scanner.position..<scanner.position + 1,
        hint: "let \(name) = COMMAND")
    }
    scanner.advance()
    return .bind(name: name, try pipeline(allowsValue: true))
  }

  // MARK: Blocks

  private mutating func nested(_ body: (inout Parser) throws -> Statement) throws -> Statement {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else {
      throw SyntaxError(message: "if and for nest too deeply", range: scanner.position..<scanner.position + 1)
    }
    return try body(&self)
  }

  private mutating func choice() throws -> Statement {
    try nested { parser in
      parser.scanner.advance(2)
      var condition = ExpressionParser(parser.scanner)
      let test = try condition.expression()
      parser.scanner = condition.scanner
      try parser.endOfHead("if")
      let then = try parser.statements(until: ["else", "end"])
      var otherwise: [Statement] = []
      if parser.scanner.bareWordAhead() == "else" {
        parser.scanner.advance(4)
        otherwise = try parser.statements(until: ["end"])
      }
      parser.scanner.advance(3)
      return .choice(test, then, otherwise: otherwise)
    }
  }

  private mutating func loop() throws -> Statement {
    try nested { parser in
      parser.scanner.advance(3)
      parser.scanner.skipBlanks()
      let start = parser.scanner.position
      guard let variable = parser.scanner.name() else {
        throw SyntaxError(
          message: "a name is missing after for", range: start..<start + 1, hint: "for NAME in COMMAND … end")
      }
      parser.scanner.skipBlanks()
      guard parser.scanner.bareWordAhead() == "in" else {
        throw SyntaxError(
          message: "in is missing after for \(variable)",
          range: parser.scanner.position..<parser.scanner.position + 1, hint: "for \(variable) in COMMAND … end")
      }
      parser.scanner.advance(2)
      let source = try parser.pipeline(allowsValue: true, allowsList: true)
      try parser.endOfHead("for")
      let body = try parser.statements(until: ["end"])
      parser.scanner.advance(3)
      return .loop(variable: variable, source, body)
    }
  }

  private mutating func endOfHead(_ keyword: String) throws {
    scanner.skipBlanks()
    if scanner.isAtEnd { throw Unfinished(expected: "end") }
    guard scanner.isAtStatementEnd else { throw unexpected() }
  }
}

extension Word {
  /// The text when it has no variables.
  var plainText: String? {
    var result = ""
    for piece in pieces {
      guard case .text(let text, _) = piece else { return nil }
      result += text
    }
    return result
  }

  /// The text with its variables as they were written.
  var sourceText: String {
    pieces.reduce(into: "") { result, piece in
      switch piece {
      case .text(let text, _): result += text
      case .variable(_, _, let source): result += source
      }
    }
  }
}

extension String {
  /// The text without white space around it.
  var trimmed: String {
    guard let start = firstIndex(where: { !$0.isWhitespace }), let end = lastIndex(where: { !$0.isWhitespace }) else {
      return ""
    }
    return String(self[start...end])
  }
}
