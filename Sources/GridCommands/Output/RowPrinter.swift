internal import GridCore
internal import GridRequests

/// Writes a list on standard output while its rows come.
///
/// `jsonl`, `name` and `tsv` write row by row; a table takes its widths from its first rows, which are all of them in
/// most clusters. None of these keeps what it has written, so a million rows cost no memory. A document is written as a
/// whole, once all rows have come.
struct RowPrinter {
  /// How many rows a table looks at before it is laid out.
  static let tableRows = 10_000
  private static let lineFeed = UInt8(ascii: "\n")

  private let renderer: Renderer
  private let description: ListDescription<JSONValue>
  /// Rows that wait: for the end, or for the table to be laid out.
  private var waiting: [JSONValue] = []
  private var layout: Renderer.LaidOut?
  private var hasBegun = false

  init(_ renderer: Renderer, _ description: ListDescription<JSONValue>) {
    self.renderer = renderer
    self.description = description
  }

  /// Whether nothing but the names of its rows is ever seen.
  var showsNamesAlone: Bool {
    renderer.results == nil && renderer.format == .name && description.nameField == "name"
  }

  /// - Throws: ``GridError/Code/brokenPipe`` or ``GridError/Code/inputOutput``; ``GridError/Code/undecodable`` for what
  ///   is no row.
  mutating func take(_ page: RowPage) throws(GridError) {
    // A session keeps what a command has told.
    guard renderer.results == nil else { return try keep(page) }
    switch renderer.format {
    case .jsonl: try write(page) { bytes, row throws(GridError) in try line(row, of: page, into: &bytes) }
    case .name: try write(page) { bytes, row throws(GridError) in try name(row, of: page, into: &bytes) }
    case .tsv:
      if !hasBegun { try renderer.list([], description) }
      try write(page) { bytes, row throws(GridError) in
        bytes += renderer.tabSeparated(renderer.cells(try page.json(of: row), description)).utf8
      }
    case .table, .wide, .columns:
      try keep(page)
      if waiting.count >= Self.tableRows { try writeTable() }
    case .json, .yaml, .jsonPath: try keep(page)
    }
    hasBegun = true
  }

  /// Writes what waits; of an empty list its header or its empty document.
  mutating func finish() throws(GridError) {
    if renderer.results == nil {
      switch renderer.format {
      case .jsonl, .name: return
      case .tsv: if hasBegun { return }
      case .table, .wide, .columns: return try writeTable()
      case .json, .yaml, .jsonPath: break
      }
    }
    try renderer.list(waiting, description)
    waiting = []
  }

  private mutating func keep(_ page: RowPage) throws(GridError) {
    for row in page.rows { waiting.append(try page.json(of: row)) }
  }

  private mutating func writeTable() throws(GridError) {
    if layout != nil, waiting.isEmpty { return }
    let (text, layout) = renderer.tableText(waiting, description, limit: renderer.lineLimit, continuing: layout)
    self.layout = layout
    waiting = []
    try renderer.writer.output(text)
  }

  private func write(
    _ page: RowPage, _ append: (inout [UInt8], RowPage.Row) throws(GridError) -> Void
  ) throws(GridError) {
    guard !page.rows.isEmpty else { return }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(page.bytes.count)
    for row in page.rows { try append(&bytes, row) }
    try renderer.writer.output(bytes)
  }

  private func line(_ row: RowPage.Row, of page: RowPage, into bytes: inout [UInt8]) throws(GridError) {
    guard row.isPlain else { return bytes += Renderer.line(try page.json(of: row)).utf8 }
    bytes += page.bytes(of: row)
    bytes.append(Self.lineFeed)
  }

  private func name(_ row: RowPage.Row, of page: RowPage, into bytes: inout [UInt8]) throws(GridError) {
    let name = page.name(of: row)
    guard row.isPlain, description.nameField == "name", !name.contains(UInt8(ascii: "\\")) else {
      bytes += description.qualifiedName(try page.json(of: row)).utf8
      return bytes.append(Self.lineFeed)
    }
    bytes += description.noun.utf8
    bytes.append(UInt8(ascii: "/"))
    bytes += name
    bytes.append(Self.lineFeed)
  }
}
