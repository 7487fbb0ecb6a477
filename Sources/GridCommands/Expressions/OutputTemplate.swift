internal import GridCore

/// A text with paths in braces, in the form of kubectl's `-o jsonpath`: `{.items[*].name}`,
/// `{range .items[*]}{.name}{"\t"}{.node}{"\n"}{end}`.
struct OutputTemplate: Hashable, Sendable {
  indirect enum Piece: Hashable, Sendable {
    case text(String)
    case path(JSONPath)
    case range(JSONPath, [Piece])
  }

  let pieces: [Piece]

  /// Parses a template; a text without braces that begins with a point or `$` is one path.
  ///
  /// - Throws: ``GridError/Code/usage`` with the place of the fault.
  init(parsing text: String) throws(GridError) {
    if !text.contains("{"), let first = text.first, ".$@".contains(first) {
      pieces = [.path(try JSONPath(parsing: text))]
      return
    }
    var parser = TemplateParser(scanner: ExpressionScanner(text))
    pieces = try parser.pieces(isInside: false)
    guard !pieces.isEmpty else { throw GridError(.usage, "the jsonpath is empty", hint: "write {.items[*].name}") }
  }

  /// The text; values of one path are separated by spaces.
  func rendered(_ document: JSONValue) -> String { Self.rendered(pieces, document, root: document) }

  private static func rendered(_ pieces: [Piece], _ value: JSONValue, root: JSONValue) -> String {
    pieces.reduce(into: "") { result, piece in
      switch piece {
      case .text(let text): result += text
      case .path(let path): result += path.values(in: value, root: root).map(JSONPath.text).joined(separator: " ")
      case .range(let path, let inner):
        for element in path.values(in: value, root: root) { result += rendered(inner, element, root: root) }
      }
    }
  }
}

/// Reads the pieces of a template.
private struct TemplateParser {
  var scanner: ExpressionScanner
  private var depth = 0

  init(scanner: ExpressionScanner) { self.scanner = scanner }

  mutating func pieces(isInside: Bool) throws(GridError) -> [OutputTemplate.Piece] {
    var pieces: [OutputTemplate.Piece] = []
    var text = ""
    while let character = scanner.next {
      scanner.advance()
      guard character == "{" else {
        text.append(character)
        continue
      }
      if !text.isEmpty { pieces.append(.text(text)) }
      text = ""
      scanner.skipSpaces()
      if scanner.take("end") {
        try close()
        guard isInside else { throw scanner.fault("{end} without {range}") }
        return pieces
      }
      pieces.append(try braced())
    }
    guard !isInside else { throw scanner.fault("{range} without {end}") }
    if !text.isEmpty { pieces.append(.text(text)) }
    return pieces
  }

  private mutating func braced() throws(GridError) -> OutputTemplate.Piece {
    if scanner.next == "\"" || scanner.next == "'" {
      let text = try scanner.quoted()
      try close()
      return .text(text)
    }
    if scanner.take("range ") {
      guard depth < 16 else { throw scanner.fault("nested too deeply") }
      let path = try scanner.path()
      try close()
      depth += 1
      defer { depth -= 1 }
      return .range(path, try pieces(isInside: true))
    }
    let path = try scanner.path()
    try close()
    return .path(path)
  }

  private mutating func close() throws(GridError) {
    scanner.skipSpaces()
    guard scanner.take("}") else { throw scanner.fault("expected }") }
  }
}

/// `NAME:.name,NODE:.node`: the columns of a table and where their cells are. `name,node` is short for that.
struct ColumnSpecification: Hashable, Sendable {
  struct Part: Hashable, Sendable {
    var header: String
    var path: JSONPath
  }

  let parts: [Part]

  /// - Throws: ``GridError/Code/usage``.
  init(parsing text: String) throws(GridError) {
    var parts: [Part] = []
    for part in Self.divided(text) {
      let colon = part.firstIndex(of: ":")
      let path = colon.map { String(part[part.index(after: $0)...]) } ?? part
      let header = colon.map { String(part[..<$0]) } ?? Self.header(of: part)
      guard !header.isEmpty, !path.isEmpty else {
        throw GridError(
          .usage, "\(NameRules.quoted(part)) is no column", hint: "write NAME:.name,NODE:.node, or name,node")
      }
      parts.append(Part(header: header, path: try JSONPath(parsing: path)))
    }
    self.parts = parts
  }

  /// Commas in brackets divide nothing.
  private static func divided(_ text: String) -> [String] {
    var parts = [""]
    var depth = 0
    for character in text {
      if "[(".contains(character) { depth += 1 }
      if "])".contains(character) { depth -= 1 }
      if character == ",", depth <= 0 {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts
  }

  private static func header(of path: String) -> String {
    let last = path.split(separator: ".").last.map(String.init) ?? ""
    return last.uppercased()
  }

  /// The columns for a list's rows as they are in JSON.
  func columns<Row>(_ json: @escaping @Sendable (Row) -> JSONValue) -> [Column<Row>] {
    parts.map { part in
      Column<Row>(part.header) { row in
        let value = json(row)
        let values = part.path.values(in: value, root: value)
        return values.isEmpty ? "-" : values.map { Column<JSONValue>.text($0) }.joined(separator: ",")
      }
    }
  }
}
