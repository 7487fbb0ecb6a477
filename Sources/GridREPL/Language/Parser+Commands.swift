internal import GridCore

extension Parser {
  mutating func watch() throws -> Statement {
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

  /// - Parameters:
  ///   - allowsValue: whether a value may stand for the first command, however it begins.
  ///   - allowsList: whether it may be several values.
  mutating func pipeline(allowsValue: Bool = false, allowsList: Bool = false) throws -> Pipeline {
    scanner.skipBlanks()
    let start = scanner.position
    var pipeline = Pipeline(stages: [try firstStage(allowsValue: allowsValue, allowsList: allowsList)], text: "")
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

  private mutating func firstStage(allowsValue: Bool, allowsList: Bool) throws -> Pipeline.Stage {
    if valueIsAhead(allowsValue) {
      var values = [try operand()]
      scanner.skipBlanks()
      while allowsList, valueIsAhead(true) {
        values.append(try operand())
        scanner.skipBlanks()
      }
      if allowsList, !scanner.isAtStatementEnd, !scanner.isBackground, !"|>".contains(scanner.current ?? ";") {
        let word = scanner.bareWordAhead()
        throw SyntaxError(
          message: "\(word) is no value", range: scanner.position..<scanner.position + word.count,
          hint: "texts stand in quotes: for x in 'a' 'b'")
      }
      return .value(values.count == 1 ? values[0] : .list(values))
    }
    let words = try words()
    guard !words.isEmpty else {
      if scanner.isAtEnd, allowsValue { throw Unfinished(expected: "a command") }
      throw unexpected()
    }
    return .command(words)
  }

  private func valueIsAhead(_ allowsValue: Bool) -> Bool {
    guard let first = scanner.current else { return false }
    if first == "$" || first == "(" { return true }
    return allowsValue
      && ("'\"{[-0123456789".contains(first) || ["true", "false", "null"].contains(scanner.bareWordAhead()))
  }

  private mutating func operand() throws -> Expression {
    var parser = ExpressionParser(scanner)
    let value = try parser.operand()
    scanner = parser.scanner
    return value
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

  func unexpected() -> SyntaxError {
    let ahead = scanner.bareWordAhead()
    let text = ahead.isEmpty ? scanner.current.map { String($0) } ?? "the end" : ahead
    return SyntaxError(
      message: "\(text) is not expected here", range: scanner.position..<scanner.position + max(1, ahead.count))
  }
}
