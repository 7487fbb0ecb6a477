internal import GridCore

/// Reads statements from a text.
///
/// - Throws: ``SyntaxError`` for what can never be right, ``Unfinished`` for what more lines may complete.
struct Parser {
  /// How deep `if` and `for` may nest.
  static let maximumDepth = 32

  private var scanner: Scanner
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

  private mutating func words() throws -> [Word] {
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
      let source = try parser.pipeline(allowsValue: true)
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

  // MARK: Commands

  private mutating func watch() throws -> Statement {
    scanner.advance(5)
    var options = WatchOptions()
    while true {
      scanner.skipBlanks()
      guard scanner.current == "-" else { break }
      try watchOption(&options)
    }
    return .watch(options, try pipeline())
  }

  private mutating func watchOption(_ options: inout WatchOptions) throws {
    guard let option = try scanner.word(), let name = option.bareText else { throw unexpected() }
    func wrong(_ word: Word?, _ message: String) -> SyntaxError {
      SyntaxError(
        message: message, range: (word ?? option).range,
        hint: "watch [-n DURATION] [-c COUNT] [-d] [--until EXPRESSION] COMMAND")
    }
    switch name {
    case "-d", "--differences": options.marksChanges = true
    case "-n", "--interval":
      let word = try scanner.word()
      guard let interval = (word?.plainText).flatMap({ Duration(gridText: $0) }), interval > .zero else {
        throw wrong(word, "\(name) needs a duration, such as 500ms or 2s")
      }
      options.interval = interval
    case "-c", "--count":
      let word = try scanner.word()
      guard let count = (word?.plainText).flatMap({ Int($0) }), count > 0 else {
        throw wrong(word, "\(name) needs a number from 1")
      }
      options.count = count
    case "--until":
      guard let word = try scanner.word() else { throw wrong(nil, "--until needs an expression in quotes") }
      do {
        options.until = try Self.expression(word.sourceText)
      } catch let error as SyntaxError {
        throw wrong(word, error.message)
      } catch is Unfinished {
        throw wrong(word, "the expression has no end")
      }
    default: throw wrong(option, "watch does not know \(name)")
    }
  }

  private mutating func pipeline(allowsValue: Bool = false) throws -> Pipeline {
    scanner.skipBlanks()
    let start = scanner.position
    var pipeline = Pipeline(stages: [try firstStage(allowsValue: allowsValue)], text: "")
    while true {
      scanner.skipBlanks()
      if scanner.starts(with: "|>") {
        scanner.advance(2)
        pipeline.stages.append(try each())
      } else if scanner.current == "|" {
        scanner.advance()
        pipeline.target = .shell(try shellText())
      } else if scanner.current == ">" {
        pipeline.target = try redirection()
      } else {
        break
      }
      if pipeline.target != nil { break }
    }
    scanner.skipBlanks()
    pipeline.text = scanner.text(start..<scanner.position).trimmed
    if scanner.isBackground {
      scanner.advance()
      pipeline.isBackground = true
    }
    return pipeline
  }

  private mutating func firstStage(allowsValue: Bool) throws -> Pipeline.Stage {
    let isValue = scanner.current.map { $0 == "$" || $0 == "(" || (allowsValue && "'\"{[-0123456789".contains($0)) }
    let keyword = ["true", "false", "null"].contains(scanner.bareWordAhead())
    if isValue ?? false || (allowsValue && keyword) {
      var parser = ExpressionParser(scanner)
      let value = try parser.operand()
      scanner = parser.scanner
      return .value(value)
    }
    let words = try words()
    guard !words.isEmpty else {
      if scanner.isAtEnd, allowsValue { throw Unfinished(expected: "a command") }
      throw unexpected()
    }
    return .command(words)
  }

  private mutating func each() throws -> Pipeline.Stage {
    scanner.skipBlanks(lines: true)
    let start = scanner.position
    if scanner.isAtEnd { throw Unfinished(expected: "each") }
    guard scanner.bareWordAhead() == "each" else {
      throw SyntaxError(
        message: "only each can follow |>", range: start..<start + max(1, scanner.bareWordAhead().count),
        hint: "COMMAND |> each [-P COUNT] COMMAND, with {} or {.member} for the row")
    }
    scanner.advance(4)
    var parallel = 1
    scanner.skipBlanks()
    if scanner.starts(with: "-P") {
      let option = try scanner.word()
      let joined = option?.plainText?.dropFirst(2)
      let count = joined?.isEmpty ?? true ? try scanner.word()?.plainText : joined.map(String.init)
      guard let count = count.flatMap({ Int($0) }), (1...64).contains(count) else {
        throw SyntaxError(message: "-P needs a number from 1 to 64", range: option?.range ?? start..<start + 1)
      }
      parallel = count
    }
    let words = try words()
    guard !words.isEmpty else {
      throw SyntaxError(message: "a command is missing after each", range: start..<start + 4)
    }
    return .each(parallel: parallel, words)
  }

  private mutating func redirection() throws -> Pipeline.Target {
    let start = scanner.position
    let appends = scanner.starts(with: ">>")
    scanner.advance(appends ? 2 : 1)
    guard let file = try scanner.word() else {
      throw SyntaxError(message: "a file is missing after >", range: start..<start + 1)
    }
    return .file(file, appends: appends)
  }

  /// The text for the shell: to the end of the statement as the shell's own quotes and parentheses see it.
  private mutating func shellText() throws -> String {
    scanner.skipBlanks()
    let start = scanner.position
    var quote: Character?
    var parentheses = 0
    while let character = scanner.current {
      if character == "\\", quote != "'" {
        scanner.advance(2)
        continue
      }
      if let open = quote {
        if character == open { quote = nil }
      } else if "'\"`".contains(character) {
        quote = character
      } else if parentheses == 0, character == ";" || character.isNewline || (scanner.isBackground && isStatementLast) {
        break
      } else if character == "(" {
        parentheses += 1
      } else if character == ")" {
        parentheses -= 1
      }
      scanner.advance()
    }
    if let quote { throw Unfinished(expected: String(quote)) }
    let text = scanner.text(start..<scanner.position).trimmed
    guard !text.isEmpty else {
      if scanner.isAtEnd { throw Unfinished(expected: "a command of the shell") }
      throw SyntaxError(message: "a command of the shell is missing after |", range: start..<start + 1)
    }
    return text
  }

  /// Whether nothing but blanks stands between this `&` and the end of the statement; elsewhere it is the shell's.
  private var isStatementLast: Bool {
    var rest = scanner
    rest.advance()
    rest.skipBlanks()
    return rest.isAtStatementEnd
  }

  private func unexpected() -> SyntaxError {
    let ahead = scanner.bareWordAhead()
    let text = ahead.isEmpty ? scanner.current.map { String($0) } ?? "the end" : ahead
    return SyntaxError(
      message: "\(text) is not expected here", range: scanner.position..<scanner.position + max(1, ahead.count))
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
