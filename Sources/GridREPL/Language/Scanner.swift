internal import GridCore

/// Reads a text by characters, with what words, quotes and variables are made of.
struct Scanner {
  let characters: [Character]
  private(set) var position = 0

  init(_ text: String) { characters = Array(text) }

  var current: Character? { position < characters.count ? characters[position] : nil }
  var isAtEnd: Bool { position >= characters.count }

  func peek(_ distance: Int = 1) -> Character? {
    let place = position + distance
    return place >= 0 && place < characters.count ? characters[place] : nil
  }

  mutating func advance(_ count: Int = 1) { position = min(characters.count, position + count) }

  mutating func rewind(to place: Int) { position = max(0, min(place, characters.count)) }

  func text(_ range: Range<Int>) -> String { String(characters[range.clamped(to: 0..<characters.count)]) }

  func starts(with text: String) -> Bool {
    var place = position
    for character in text {
      guard place < characters.count, characters[place] == character else { return false }
      place += 1
    }
    return true
  }

  /// Skips blanks, and comments to the end of their line; line feeds only when told.
  mutating func skipBlanks(lines: Bool = false) {
    while let character = current {
      if character == "\\", peek()?.isNewline == true {
        advance(2)
      } else if character.isNewline ? lines : character.isWhitespace {
        advance()
      } else if character == "#", position == 0 || (peek(-1)?.isWhitespace ?? true) {
        while let character = current, !character.isNewline { advance() }
      } else {
        return
      }
    }
  }

  /// Whether a statement ends here.
  var isAtStatementEnd: Bool { current.map { $0 == ";" || $0.isNewline } ?? true }

  /// A name: letters, digits and `_`, not a digit first.
  mutating func name() -> String? {
    guard let first = current, first == "_" || first.isLetter, first.isASCII else { return nil }
    let start = position
    while let character = current, character.isASCII, character == "_" || character.isLetter || character.isNumber {
      advance()
    }
    return text(start..<position)
  }

  /// The bare word at this place, without moving.
  func bareWordAhead() -> String {
    var place = position
    while place < characters.count, !characters[place].isWhitespace, !";|".contains(characters[place]) { place += 1 }
    return text(position..<place)
  }
}

// MARK: Words

extension Scanner {
  /// The next argument, or nil where the command ends.
  mutating func word() throws -> Word? {
    skipBlanks()
    guard let first = current, !isAtStatementEnd, first != "|", !isRedirection, !isBackground else { return nil }
    let start = position
    var pieces = PieceBuilder()
    if first == "{" || first == "[" { try bracketed(&pieces) }
    while let character = current, !character.isWhitespace, character != ";", character != "|" {
      switch character {
      case "'": try singleQuoted(&pieces)
      case "\"": try doubleQuoted(&pieces)
      case "\\":
        guard let next = peek() else { throw Unfinished(expected: "the rest after \\") }
        advance(2)
        if !next.isNewline { pieces.append(next, .none) }
      case "$": try dollar(&pieces, .none)
      default:
        pieces.append(character, .none)
        advance()
      }
    }
    return Word(pieces: pieces.finished(), range: start..<position)
  }

  /// One part in quotes or brackets, which ends where they close: an operand of an expression.
  mutating func delimitedWord() throws -> Word? {
    let start = position
    var pieces = PieceBuilder()
    switch current {
    case "'": try singleQuoted(&pieces)
    case "\"": try doubleQuoted(&pieces)
    case "{", "[": try bracketed(&pieces)
    default: return nil
    }
    return Word(pieces: pieces.finished(), range: start..<position)
  }

  private var isRedirection: Bool { current == ">" }

  /// Whether an `&` stands alone.
  var isBackground: Bool {
    guard current == "&" else { return false }
    return peek().map { $0.isWhitespace || $0 == ";" } ?? true
  }

  /// A JSON object or array as one word, blanks and line feeds included.
  private mutating func bracketed(_ pieces: inout PieceBuilder) throws {
    let start = position
    var open: [Character] = []
    var isInString = false
    while let character = current {
      if character == "$" {
        try dollar(&pieces, .none)
        continue
      }
      pieces.append(character, .none)
      advance()
      if isInString {
        if character == "\\", let next = current {
          pieces.append(next, .none)
          advance()
        } else if character == "\"" {
          isInString = false
        }
        continue
      }
      switch character {
      case "\"": isInString = true
      case "{": open.append("}")
      case "[": open.append("]")
      case "}", "]":
        guard open.last == character else {
          throw SyntaxError(message: "\(character) closes nothing", range: position - 1..<position)
        }
        open.removeLast()
        if open.isEmpty { return }
      default: break
      }
      if open.count > JSONValue.maximumDepth {
        throw SyntaxError(message: "brackets nest too deeply", range: start..<position)
      }
    }
    throw Unfinished(expected: isInString ? "\"" : String(open.last ?? "}"))
  }

  private mutating func singleQuoted(_ pieces: inout PieceBuilder) throws {
    advance()
    pieces.touch(.single)
    while let character = current {
      if character == "'" {
        advance()
        return
      }
      pieces.append(character, .single)
      advance()
    }
    throw Unfinished(expected: "'")
  }

  private mutating func doubleQuoted(_ pieces: inout PieceBuilder) throws {
    advance()
    pieces.touch(.double)
    while let character = current {
      switch character {
      case "\"":
        advance()
        return
      case "$": try dollar(&pieces, .double)
      case "\\":
        guard let next = peek() else { throw Unfinished(expected: "\"") }
        pieces.append(contentsOf: Self.escaped(next), .double)
        advance(2)
      default:
        pieces.append(character, .double)
        advance()
      }
    }
    throw Unfinished(expected: "\"")
  }

  private static func escaped(_ character: Character) -> String {
    switch character {
    case "n": "\n"
    case "t": "\t"
    case "r": "\r"
    case "\"", "\\", "$": String(character)
    case _ where character.isNewline: ""
    default: "\\\(character)"
    }
  }

  private mutating func dollar(_ pieces: inout PieceBuilder, _ quoting: Word.Quoting) throws {
    let start = position
    if peek() == "$" {
      pieces.append("$", quoting)
      advance(2)
      return
    }
    if let reference = try reference() {
      pieces.append(reference, quoting, source: text(start..<position))
    } else {
      pieces.append("$", quoting)
      advance()
    }
  }

  /// The variable that `$` begins here; nil, without moving, when none does.
  mutating func reference() throws -> Reference? {
    guard current == "$" else { return nil }
    let start = position
    advance()
    let isBraced = current == "{"
    if isBraced { advance() }
    guard let name = referenceName() else {
      if isBraced { throw SyntaxError(message: "a variable's name is missing", range: start..<position) }
      rewind(to: start)
      return nil
    }
    var reference = Reference(name: name)
    while let step = try step() { reference.path.append(step) }
    if isBraced {
      guard current == "}" else { throw SyntaxError(message: "} is missing", range: start..<position) }
      advance()
    }
    return reference
  }

  private mutating func referenceName() -> String? {
    if let character = current, "?!".contains(character) {
      advance()
      return String(character)
    }
    if let name = name() { return name }
    let start = position
    while let character = current, character.isASCII, character.isNumber { advance() }
    return start < position ? text(start..<position) : nil
  }

  /// One step into a value: `.name`, `[0]` or `["name"]`.
  mutating func step() throws -> Reference.Step? {
    if current == ".", let next = peek(), next == "_" || (next.isLetter && next.isASCII) {
      advance()
      return name().map { .member($0) }
    }
    guard current == "[" else { return nil }
    let start = position
    advance()
    if current == "\"" {
      advance()
      let begin = position
      while let character = current, character != "\"" { advance() }
      let member = text(begin..<position)
      guard current == "\"", peek() == "]" else {
        throw SyntaxError(message: "\"] is missing", range: start..<position)
      }
      advance(2)
      return .member(member)
    }
    let begin = position
    if current == "-" { advance() }
    while let character = current, character.isASCII, character.isNumber { advance() }
    guard let index = Int(text(begin..<position)), current == "]" else {
      throw SyntaxError(
        message: "an index is a whole number in brackets", range: start..<min(position + 1, characters.count))
    }
    advance()
    return .element(index)
  }
}

/// Collects the pieces of a word; neighbours that were written alike become one.
private struct PieceBuilder {
  private var pieces: [Word.Piece] = []
  private var text = ""
  private var quoting = Word.Quoting.none
  private var isOpen = false

  mutating func append(_ character: Character, _ quoting: Word.Quoting) {
    touch(quoting)
    text.append(character)
  }

  mutating func append(contentsOf text: String, _ quoting: Word.Quoting) {
    touch(quoting)
    self.text += text
  }

  mutating func append(_ reference: Reference, _ quoting: Word.Quoting, source: String) {
    close()
    pieces.append(.variable(reference, quoting, source: source))
  }

  /// Begins a piece of text even when nothing follows: `''` is an argument.
  mutating func touch(_ quoting: Word.Quoting) {
    if isOpen, quoting == self.quoting { return }
    close()
    self.quoting = quoting
    isOpen = true
  }

  private mutating func close() {
    if isOpen { pieces.append(.text(text, quoting)) }
    text = ""
    isOpen = false
  }

  mutating func finished() -> [Word.Piece] {
    close()
    return pieces
  }
}
