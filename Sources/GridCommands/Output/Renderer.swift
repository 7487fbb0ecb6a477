internal import GridCore

/// Writes lists, objects and streams on standard output in the chosen format.
///
/// Formats that people read have every control character of a value escaped; formats that machines read keep the value.
struct Renderer: Sendable {
  let format: OutputFormat
  /// Whether `table`, `wide` and `tsv` leave their header line out.
  var hidesHeaders = false
  /// When tables have colour.
  var color = ColorMode.auto
  let writer: OutputWriter

  static let apiVersion = "gridctl/v1"

  /// Who hears of results beside the reader of the output.
  var results: (any ResultListener)? { CommandEnvironment.current?.results }

  /// Lets a session know the value of what a command prints in words of its own.
  func note(_ value: JSONValue) { results?.received(value: value) }

  /// Writes a list as a whole; an empty one has a header or an empty document.
  ///
  /// - Throws: ``GridError/Code/brokenPipe`` or ``GridError/Code/inputOutput``.
  func list<Row>(_ rows: [Row], _ description: ListDescription<Row>) throws(GridError) {
    results?.received(list: rows.map(description.json), kind: description.kind, nameField: description.nameField)
    switch format {
    case .table, .wide, .columns: try table(rows, description)
    case .jsonPath(let template):
      try write(template, Self.document(items(rows, description), kind: description.kind))
    case .json: try writer.output(Self.json(Self.document(items(rows, description), kind: description.kind)))
    case .jsonl: try writer.output(rows.reduce(into: "") { $0 += Self.line(description.json($1)) })
    case .yaml: try writer.output(YAMLEmitter.document(Self.document(items(rows, description), kind: description.kind)))
    case .name: try writer.output(rows.reduce(into: "") { $0 += description.qualifiedName($1) + "\n" })
    case .tsv:
      let header = hidesHeaders ? "" : tabSeparated(visible(description).map(\.header))
      try writer.output(rows.reduce(into: header) { $0 += tabSeparated(cells($1, description)) })
    }
  }

  /// Writes one thing with its members: a line `key:   value` each in `table`, `key`, tab, `value` in `tsv`, and a
  /// document with `apiVersion` and `kind` beside the members in `json` and `yaml`.
  ///
  /// A member named `kind`, as an actor has, is kept and stands for the document's.
  ///
  /// - Throws: ``GridError/Code/brokenPipe`` or ``GridError/Code/inputOutput``.
  ///
  /// - Parameter result: what a session keeps as the value, when that is only a part of what is shown.
  func object(_ value: JSONValue, kind: String, noun: String, result: JSONValue? = nil) throws(GridError) {
    note(result ?? value)
    switch format {
    case .table, .wide: try writer.output(keyValueLines(value))
    case .columns:
      try table([value], ListDescription(kind: kind, noun: noun, columns: []))
    case .jsonPath(let template): try write(template, Self.document(value, kind: kind))
    case .tsv:
      let members = Self.sortedMembers(value)
      try writer.output(members.reduce(into: "") { $0 += tabSeparated([$1.key, Column.text($1.value)]) })
    case .json: try writer.output(Self.json(Self.document(value, kind: kind)))
    case .jsonl: try writer.output(Self.line(value))
    case .yaml: try writer.output(YAMLEmitter.document(Self.document(value, kind: kind)))
    case .name:
      let name = value["name"]?.stringValue ?? value["id"]?.stringValue ?? ""
      try writer.output("\(noun)/\(TerminalText.printable(name))\n")
    }
  }

  /// Writes one row of a list as a thing of its own.
  func object<Row>(_ row: Row, _ description: ListDescription<Row>) throws(GridError) {
    guard format != .name else { return try writer.output(description.qualifiedName(row) + "\n") }
    try object(description.json(row), kind: description.rowKind, noun: description.noun)
  }

  /// Ends with a line feed, unless there is nothing or one already.
  func write(_ template: OutputTemplate, _ document: JSONValue) throws(GridError) {
    let text = template.rendered(document)
    try writer.foreign(text.isEmpty || text.hasSuffix("\n") ? text : text + "\n")
  }

  /// A value as one line of JSON.
  static func line(_ value: JSONValue) -> String { TerminalText.json(value.text) + "\n" }

  private static func json(_ document: JSONValue) -> String { TerminalText.json(document.indented()) + "\n" }

  private func items<Row>(_ rows: [Row], _ description: ListDescription<Row>) -> JSONValue {
    ["items": .array(rows.map(description.json))]
  }

  private static func document(_ value: JSONValue, kind: String) -> JSONValue {
    var members = value.objectValue ?? ["value": value]
    members["apiVersion"] = .string(apiVersion)
    if members["kind"] == nil { members["kind"] = .string(kind) }
    return .object(members)
  }

  /// The name first, the rest by the alphabet.
  private static func sortedMembers(_ value: JSONValue) -> [(key: String, value: JSONValue)] {
    (value.objectValue ?? ["value": value]).sorted { left, right in
      (left.key == "name" ? 0 : 1, left.key) < (right.key == "name" ? 0 : 1, right.key)
    }
  }

  /// A line `key:   value` each; on a terminal a value that is too long goes on below itself.
  private func keyValueLines(_ value: JSONValue) -> String {
    KeyValueLayout(limit: writer.outputWidth, usesColor: usesColor)
      .text(Self.sortedMembers(value).map { (key: $0.key, value: Column.text($0.value), style: .plain) })
  }
}

// MARK: - Columns

extension Renderer {
  var usesColor: Bool { writer.allowsColor(on: .output, color) }

  func visible<Row>(_ description: ListDescription<Row>) -> [Column<Row>] {
    if case .columns(let specification) = format { return specification.columns(description.json) }
    return description.columns.filter { column in
      format == .wide || !column.isWideOnly && !(format == .table && column.isKnown)
    }
  }

  /// Terminal cells of a line: those who ask for all columns get them whole.
  var lineLimit: Int? { format == .wide ? nil : writer.outputWidth }

  /// Whether no column may go where there is too little room: somebody has named them.
  var keepsAllColumns: Bool { if case .columns = format { true } else { false } }

  func cells<Row>(_ row: Row, _ description: ListDescription<Row>) -> [String] {
    visible(description).map { $0.cell(row) }
  }

  func tabSeparated(_ cells: [String]) -> String {
    cells.map(TerminalText.tabSeparated).joined(separator: "\t") + "\n"
  }

  private func table<Row>(_ rows: [Row], _ description: ListDescription<Row>) throws(GridError) {
    try writer.output(tableText(rows, description, limit: lineLimit))
  }

  /// The table as text.
  ///
  /// - Parameter limit: terminal cells of a line; nil for no limit.
  func tableText<Row>(_ rows: [Row], _ description: ListDescription<Row>, limit: Int?) -> String {
    tableText(rows, description, limit: limit, continuing: nil).text
  }

  /// How the first rows of a table were laid out, for those that come later.
  typealias LaidOut = (layout: TableLayout, shown: [Int])

  /// The table as text, or more of its rows.
  ///
  /// - Parameter laidOut: how its first rows were; nil for these.
  func tableText<Row>(
    _ rows: [Row], _ description: ListDescription<Row>, limit: Int?, continuing laidOut: LaidOut?
  ) -> (text: String, LaidOut) {
    let columns = visible(description)
    let cells = rows.map { row in columns.map { TableLayout.Cell($0.cell(row), style: $0.style(row)) } }
    if let laidOut { return (laidOut.layout.text(header: nil, cells, laidOut.shown), laidOut) }
    let demands = columns.indices.map { index in
      TableLayout.Demand(
        isTrailing: columns[index].alignment == .trailing
          || keepsAllColumns && Self.areNumbers(cells.map { $0[index] }),
        fit: columns[index].fit, priority: columns[index].priority)
    }
    let header = hidesHeaders ? nil : columns.map { TableLayout.Cell($0.header, style: .strong) }
    let (layout, shown) = TableLayout.layout(
      header: header, cells, demands, limit: limit, keepsAll: keepsAllColumns, usesColor: usesColor)
    return (layout.text(header: header, cells, shown), (layout, shown))
  }

  /// Whether a column that somebody has named has only numbers: then they stand at the right.
  private static func areNumbers(_ cells: [TableLayout.Cell]) -> Bool {
    cells.contains { $0.text != "-" } && cells.allSatisfy { $0.text == "-" || Double($0.text) != nil }
  }
}
