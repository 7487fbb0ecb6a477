internal import GridCore
internal import Yams

/// Writes lists, objects and streams in the chosen format.
struct Renderer {
  let format: OutputFormat
  var hidesHeaders = false
  let writer: OutputWriter

  static let apiVersion = "gridctl/v1"

  func list(_ items: [JSONValue], _ description: ListDescription) throws {
    results?.received(list: items, kind: description.kind, nameField: description.nameField)
    switch format {
    case .table, .wide: try table(items, description)
    case .json: try document(["items": .array(items)], kind: description.kind)
    case .jsonl: try writer.output(items.map { $0.text + "\n" }.joined())
    case .yaml: try writer.output(Self.yaml(Self.document(["items": .array(items)], kind: description.kind)))
    case .name: try writer.output(items.map { Self.name($0, description) + "\n" }.joined())
    case .tsv: try tsv(items, description)
    }
  }

  /// Who hears of results beside the reader of the output.
  private var results: (any ResultListener)? { CommandEnvironment.current?.results }

  /// Lets a session know the value of what a command prints in words of its own.
  func note(_ value: JSONValue) { results?.received(value: value) }

  /// One thing with its members; `table` shows a line each.
  ///
  /// - Parameter result: what a session keeps as the value, when that is only a part of what is shown.
  func object(_ value: JSONValue, kind: String, noun: String, result: JSONValue? = nil) throws {
    note(result ?? value)
    switch format {
    case .table, .wide, .tsv:
      let members = (value.objectValue ?? [:]).sorted { $0.key < $1.key }
      let width = members.map(\.key.count).max() ?? 0
      for (key, value) in members {
        let padding = String(repeating: " ", count: width - key.count)
        let separator = format == .tsv ? "\t" : ":" + padding + "   "
        try writer.output("\(key)\(separator)\(Self.printable(Column.text(value)))\n")
      }
    case .json: try document(value, kind: kind)
    case .jsonl: try writer.output(value.text + "\n")
    case .yaml: try writer.output(Self.yaml(Self.document(value, kind: kind)))
    case .name: try writer.output("\(noun)/\(value["name"]?.stringValue ?? value["id"]?.stringValue ?? "")\n")
    }
  }

  /// The header of a stream, if its format has one.
  func streamHeader(_ description: ListDescription) throws {
    switch format {
    case .table, .wide:
      if !hidesHeaders { try writer.output(streamLine(visible(description).map(\.header), description)) }
    case .tsv:
      if !hidesHeaders { try writer.output(visible(description).map(\.header).joined(separator: "\t") + "\n") }
    case .json: writer.error("warning: a stream has no end, so json is written as jsonl")
    default: break
    }
  }

  /// One record of a stream, written at once.
  func record(_ item: JSONValue, _ description: ListDescription) throws {
    results?.received(record: item, nameField: description.nameField)
    switch format {
    case .table, .wide:
      try writer.output(streamLine(visible(description).map { Self.printable($0.cell(item)) }, description))
    case .tsv:
      try writer.output(visible(description).map { Self.tsvEscaped($0.cell(item)) }.joined(separator: "\t") + "\n")
    case .json, .jsonl: try writer.output(item.text + "\n")
    case .yaml: try writer.output("---\n" + Self.yaml(item))
    case .name: try writer.output(Self.name(item, description) + "\n")
    }
  }

  // MARK: Documents

  private func document(_ value: JSONValue, kind: String) throws {
    try writer.output(Self.document(value, kind: kind).indented() + "\n")
  }

  private static func document(_ value: JSONValue, kind: String) -> JSONValue {
    var members = value.objectValue ?? ["value": value]
    members["apiVersion"] = .string(apiVersion)
    if members["kind"] == nil || members["items"] != nil { members["kind"] = .string(kind) }
    return .object(members)
  }

  static func yaml(_ value: JSONValue) throws -> String {
    try Yams.serialize(node: node(value), allowUnicode: true, sortKeys: true)
  }

  private static func node(_ value: JSONValue) -> Node {
    switch value {
    case .null: Node("null", Tag(.null))
    case .bool(let value): Node(value ? "true" : "false", Tag(.bool))
    case .integer(let value): Node(String(value), Tag(.int))
    case .number(let value): Node(String(value), Tag(.float))
    case .string(let value): stringNode(value)
    case .array(let elements): Node(elements.map { node($0) })
    case .object(let members): Node(members.sorted { $0.key < $1.key }.map { (stringNode($0.key), node($0.value)) })
    }
  }

  /// Text that would be read back as something else is quoted.
  private static func stringNode(_ text: String) -> Node {
    let resolved = Resolver.default.resolveTag(of: Node(text))
    return Node(text, Tag(.str), resolved == .str ? .any : .doubleQuoted)
  }

  private static func name(_ item: JSONValue, _ description: ListDescription) -> String {
    "\(description.noun)/\(item[description.nameField]?.stringValue ?? Column.text(item[description.nameField]))"
  }

  // MARK: Tables

  private func visible(_ description: ListDescription) -> [Column] {
    description.columns.filter { format == .wide || !$0.isWideOnly }
  }

  private func table(_ items: [JSONValue], _ description: ListDescription) throws {
    let columns = visible(description)
    var rows = items.map { item in columns.map { Self.printable($0.cell(item)) } }
    if !hidesHeaders { rows.insert(columns.map(\.header), at: 0) }
    let widths = columns.indices.map { index in rows.map { Self.width($0[index]) }.max() ?? 0 }
    let lines = rows.map { row in
      var line = ""
      for (index, cell) in row.enumerated() {
        line += cell
        guard index < row.count - 1 else { break }
        line += String(repeating: " ", count: widths[index] - Self.width(cell) + 3)
      }
      return truncated(line) + "\n"
    }
    try writer.output(lines.joined())
  }

  private func streamLine(_ cells: [String], _ description: ListDescription) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      line += cell
      // A stream cannot know its widest cell: columns keep a fixed minimum.
      if index < cells.count - 1 { line += String(repeating: " ", count: max(0, 12 - Self.width(cell)) + 3) }
    }
    return truncated(line) + "\n"
  }

  private func truncated(_ line: String) -> String {
    guard let width = writer.terminalWidth, Self.width(line) > width else { return line }
    return String(line.prefix(max(1, width - 1))) + "…"
  }

  /// Terminal cells of a text: two for East Asian wide characters and emoji.
  static func width(_ text: String) -> Int {
    text.reduce(0) { sum, character in
      guard let scalar = character.unicodeScalars.first else { return sum }
      switch scalar.value {
      case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
        return sum + 2
      default: return sum + 1
      }
    }
  }

  /// The text with everything escaped that a terminal would act on.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      if isControl(scalar) { result += scalar.escaped(asASCII: true) } else { result.unicodeScalars.append(scalar) }
    }
  }

  private static func isControl(_ scalar: UnicodeScalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
      || (0x2066...0x2069).contains(scalar.value)
  }

  private func tsv(_ items: [JSONValue], _ description: ListDescription) throws {
    let columns = visible(description)
    var lines = items.map { item in columns.map { Self.tsvEscaped($0.cell(item)) }.joined(separator: "\t") }
    if !hidesHeaders { lines.insert(columns.map(\.header).joined(separator: "\t"), at: 0) }
    try writer.output(lines.map { $0 + "\n" }.joined())
  }

  private static func tsvEscaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\t": result += "\\t"
      case "\n": result += "\\n"
      case "\\": result += "\\\\"
      default: result.append(character)
      }
    }
  }
}
