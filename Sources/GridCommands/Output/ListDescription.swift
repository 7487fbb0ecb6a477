internal import GridCore

/// One column of a list: its header, and how a row becomes the text of a cell.
struct Column<Row>: Sendable {
  /// On which side of the column a cell stands.
  enum Alignment: Sendable {
    case leading, trailing
  }

  /// In capitals, as it is printed.
  let header: String
  /// Shown by `-o wide` only.
  var isWideOnly: Bool
  var alignment: Alignment
  /// How its cells give way on a narrow terminal.
  var fit: ColumnFit
  /// How long it stays on a narrow terminal; see ``ColumnPriority``.
  var priority: Int
  /// Terminal cells the column has in a stream, where the widest text cannot be known; at least the header's width.
  var streamWidth: Int
  /// Left out by `table`: the command line has said already what stands in it.
  var isKnown = false
  /// The text of a cell, as it came: control characters are escaped by the renderer.
  let cell: @Sendable (Row) -> String
  /// How the cell looks where colour is allowed.
  let style: @Sendable (Row) -> TextStyle

  /// - Parameter fit: without it a cell at the right, as numbers stand, is whole or not shown, and others give way in
  ///   their middle.
  init(
    _ header: String, wideOnly: Bool = false, alignment: Alignment = .leading, fit: ColumnFit? = nil,
    priority: Int = ColumnPriority.usual, streamWidth: Int = 12,
    style: @escaping @Sendable (Row) -> TextStyle = { _ in .plain }, _ cell: @escaping @Sendable (Row) -> String
  ) {
    self.header = header
    isWideOnly = wideOnly
    self.alignment = alignment
    self.fit = fit ?? (alignment == .trailing ? .whole : .middle(8))
    self.priority = priority
    self.streamWidth = max(streamWidth, TerminalText.width(header))
    self.cell = cell
    self.style = style
  }
}

/// What a list is made of, said once for all formats.
struct ListDescription<Row>: Sendable {
  /// The document's `kind`: `PeerList`.
  let kind: String
  /// The `kind` of one row on its own: `Peer`.
  let rowKind: String
  /// What stands before the slash in `-o name`: `actor` for `actor/orders-7`.
  let noun: String
  let columns: [Column<Row>]
  /// A row as the machine formats show it; its field names are part of the contract.
  let json: @Sendable (Row) -> JSONValue
  /// What stands after the slash in `-o name`.
  let name: @Sendable (Row) -> String
  /// The member of a row's JSON that is the name.
  let nameField: String

  init(
    kind: String, rowKind: String, noun: String, columns: [Column<Row>],
    nameField: String = "name", json: @escaping @Sendable (Row) -> JSONValue,
    name: @escaping @Sendable (Row) -> String
  ) {
    self.nameField = nameField
    self.kind = kind
    self.rowKind = rowKind
    self.noun = noun
    self.columns = columns
    self.json = json
    self.name = name
  }

  /// The row as `-o name` prints it: always one line.
  func qualifiedName(_ row: Row) -> String { "\(noun)/\(TerminalText.printable(name(row)))" }
}

extension Column where Row == JSONValue {
  /// A column that shows a member of an object as it is.
  init(
    _ header: String, wideOnly: Bool = false, alignment: Alignment = .leading, fit: ColumnFit? = nil,
    priority: Int = ColumnPriority.usual, streamWidth: Int = 12,
    style: @escaping @Sendable (JSONValue) -> TextStyle = { _ in .plain }, field: String
  ) {
    self.init(
      header, wideOnly: wideOnly, alignment: alignment, fit: fit, priority: priority, streamWidth: streamWidth,
      style: style
    ) {
      Self.text($0[field])
    }
  }

  /// A column of numbers: at the right, and never cut.
  static func number(
    _ header: String, wideOnly: Bool = false, priority: Int = ColumnPriority.usual, streamWidth: Int = 6,
    style: @escaping @Sendable (JSONValue) -> TextStyle = { _ in .plain }, field: String
  ) -> Column {
    Column(
      header, wideOnly: wideOnly, alignment: .trailing, priority: priority, streamWidth: streamWidth, style: style,
      field: field)
  }

  /// A column of lengths of time, as people read them, from a member in seconds.
  static func duration(
    _ header: String, wideOnly: Bool = false, priority: Int = ColumnPriority.usual, streamWidth: Int = 8,
    style: @escaping @Sendable (JSONValue) -> TextStyle = { _ in .plain }, seconds field: String
  ) -> Column {
    Column(
      header, wideOnly: wideOnly, alignment: .trailing, priority: priority, streamWidth: streamWidth, style: style
    ) { HumanText.duration($0[field]?.doubleValue) }
  }

  /// The name of an actor.
  static var actorName: Column {
    Column("NAME", fit: .middle(16), priority: ColumnPriority.name, streamWidth: 20, field: "name")
  }

  /// The member `status` of an actor.
  static var actorStatus: Column {
    Column(
      "STATUS", fit: .whole, priority: ColumnPriority.important, streamWidth: 10, style: TextStyle.status,
      field: "status")
  }

  /// The time of day of the member `at`.
  static func timeOfDay(_ header: String = "TIME", priority: Int = ColumnPriority.usual) -> Column {
    Column(header, fit: .whole, priority: priority, streamWidth: 13) { String(text($0, "at").dropFirst(11)) }
  }

  /// A member of a row as a cell shows it.
  static func text(_ row: JSONValue, _ field: String) -> String { text(row[field]) }

  /// A member of a row that is a number.
  static func number(_ row: JSONValue, _ field: String) -> Double? { row[field]?.doubleValue }

  /// A member of a row as it is.
  static func member(_ row: JSONValue, _ field: String) -> JSONValue? { row[field] }

  /// A member of a row that is a whole number.
  static func integer(_ row: JSONValue, _ field: String) -> Int64? { row[field]?.integerValue }

  /// The same, 0 when it is none.
  static func whole(_ row: JSONValue, _ field: String) -> Int64 { integer(row, field) ?? 0 }

  /// A member of a row that is a list of texts.
  static func texts(_ row: JSONValue, _ field: String) -> [String] {
    (row[field]?.arrayValue ?? []).compactMap(\.stringValue)
  }

  /// A member of a row that is a list of numbers.
  static func numbers(_ row: JSONValue, _ field: String) -> [Double] {
    (row[field]?.arrayValue ?? []).compactMap(\.doubleValue)
  }

  /// Whether a member of a row is true.
  static func isTrue(_ row: JSONValue, _ field: String) -> Bool { row[field]?.boolValue ?? false }

  /// A value as a cell shows it: `-` for nothing, `a,b` for an array, `k=v,l=w` for an object.
  static func text(_ value: JSONValue?) -> String {
    switch value {
    case nil, .null: "-"
    case .string(let text): text.isEmpty ? "-" : text
    case .array(let elements): elements.isEmpty ? "-" : elements.map { text($0) }.joined(separator: ",")
    case .object(let members):
      members.isEmpty
        ? "-" : members.sorted { $0.key < $1.key }.map { "\($0.key)=\(text($0.value))" }.joined(separator: ",")
    case .some(let other): other.text
    }
  }
}

extension ListDescription {
  /// The same list without the columns, in `table`, of which the command line has said already what stands in them.
  ///
  /// - Parameter headers: of those columns; nil for one that says something.
  func knowing(_ headers: String?...) -> ListDescription {
    let known = Set(headers.compactMap { $0 })
    let columns = columns.map { column in
      var column = column
      column.isKnown = column.isKnown || known.contains(column.header)
      return column
    }
    return ListDescription(
      kind: kind, rowKind: rowKind, noun: noun, columns: columns, nameField: nameField, json: json, name: name)
  }
}

extension ListDescription where Row == JSONValue {
  /// A list whose rows are JSON objects already, as a node answers them.
  ///
  /// - Parameter nameField: the member that is the name.
  init(kind: String, noun: String, nameField: String = "name", columns: [Column<JSONValue>]) {
    self.init(
      kind: kind, rowKind: kind.hasSuffix("List") ? String(kind.dropLast(4)) : kind, noun: noun, columns: columns,
      nameField: nameField, json: { $0 }, name: { Column.text($0[nameField]) })
  }
}
