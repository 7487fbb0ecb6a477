package import GridCore

/// A page of a list as it travels over a channel: `{"items":[…]}`, whose rows stay the bytes they came as. Pure.
///
/// Who passes rows on or prints them looks for their ends, and for the name and the node that give a row its place in
/// the list, and makes no value of them.
package struct RowPage: Sendable {
  /// Where a row and its key lie among the bytes of the page.
  package struct Row: Sendable {
    fileprivate var whole: Range<Int32>
    fileprivate var name: Range<Int32>
    fileprivate var node: Range<Int32>
    /// Whether it is printable ASCII throughout, without an escape.
    package var isPlain: Bool
  }

  package let bytes: [UInt8]
  package private(set) var rows: [Row] = []
  /// Nodes that do not tell their rows, or not all of them; on the last page.
  package private(set) var missing: [MissingNode] = []
  /// How many rows the list has without its limit; on the first page.
  package private(set) var total: Int?
  /// Behind what the next page begins, of a node that knows no channels for lists: it must be asked for.
  package private(set) var next: String?

  /// Without a row.
  package init() { bytes = [] }

  /// - Throws: ``GridError/Code/undecodable`` for what is no page, or has a row without a name.
  package init(parsing bytes: [UInt8]) throws(GridError) {
    self.bytes = bytes
    guard bytes.count < Int32.max else { throw GridError(.undecodable, "a page of a list is too long") }
    var rest: [String: JSONValue] = [:]
    var found: [Row] = []
    var scanner = JSONScanner(bytes)
    scanner.skipSpace()
    try scanner.members { scanner, key throws(GridError) in
      if scanner.has("items", in: key) {
        try scanner.elements { scanner throws(GridError) in found.append(try Self.row(&scanner)) }
      } else {
        let name = String(decoding: scanner.bytes[key], as: UTF8.self)
        rest[name] = try JSONValue(parsing: Array(scanner.bytes[try scanner.skipValue()]))
      }
    }
    try scanner.end()
    rows = found
    try read(.object(rest))
  }

  private mutating func read(_ rest: JSONValue) throws(GridError) {
    var fields = try Fields(reading: rest)
    try fields.objects("missing", &missing)
    try fields.optional("total", &total)
    try fields.optional("next", &next)
  }

  private static func row(_ scanner: inout JSONScanner) throws(GridError) -> Row {
    let start = scanner.at
    scanner.sawOther = false
    var name: Range<Int>?
    var node = start..<start
    try scanner.members { scanner, key throws(GridError) in
      if scanner.has("name", in: key) {
        name = try scanner.skipText()
      } else if scanner.has("node", in: key), scanner.at < scanner.bytes.count, scanner.bytes[scanner.at] == 0x22 {
        node = try scanner.skipText()
      } else {
        try scanner.skipValue(depth: 2)
      }
    }
    guard let name else { throw GridError(.undecodable, "a row of a list lacks its name") }
    return Row(
      whole: narrowed(start..<scanner.at), name: narrowed(name), node: narrowed(node), isPlain: !scanner.sawOther)
  }

  private static func narrowed(_ range: Range<Int>) -> Range<Int32> {
    Int32(truncatingIfNeeded: range.lowerBound)..<Int32(truncatingIfNeeded: range.upperBound)
  }

  // MARK: Rows

  package func bytes(of row: Row) -> ArraySlice<UInt8> { bytes[Int(row.whole.lowerBound)..<Int(row.whole.upperBound)] }

  /// Its name as it stands in the row: the name itself, where the row is plain.
  package func name(of row: Row) -> ArraySlice<UInt8> { bytes[Int(row.name.lowerBound)..<Int(row.name.upperBound)] }

  package func json(of row: Row) throws(GridError) -> JSONValue { try JSONValue(parsing: Array(bytes(of: row))) }

  /// The key behind which a list goes on after the last row; nil when there is none.
  package var lastKey: String? {
    guard let last = rows.last, let json = try? json(of: last) else { return nil }
    return ActorReport.key(of: json)
  }

  /// Whether a row of this page comes before one of another.
  func precedes(_ row: Row, _ other: RowPage, _ otherRow: Row) -> Bool {
    switch Self.compare(bytes, row.name, other.bytes, otherRow.name) {
    case ..<0: true
    case 0: Self.compare(bytes, row.node, other.bytes, otherRow.node) < 0
    default: false
    }
  }

  /// Below zero when the first comes before the second, byte by byte.
  private static func compare(
    _ first: [UInt8], _ range: Range<Int32>, _ second: [UInt8], _ other: Range<Int32>
  ) -> Int {
    let shared = min(range.count, other.count)
    let (start, otherStart) = (Int(range.lowerBound), Int(other.lowerBound))
    for offset in 0..<shared {
      let (left, right) = (first[start + offset], second[otherStart + offset])
      if left != right { return left < right ? -1 : 1 }
    }
    return range.count - other.count
  }
}

/// Puts a page together. Pure.
package struct RowPageWriter {
  private static let head = Array(#"{"items":["#.utf8)

  private var bytes = head
  package private(set) var count = 0

  package init() {}

  /// The bytes of the rows so far, about.
  package var size: Int { bytes.count }

  package mutating func append(_ row: ArraySlice<UInt8>) {
    append { $0 += row }
  }

  /// A row that `write` appends.
  package mutating func append(_ write: (inout [UInt8]) -> Void) {
    if count > 0 { bytes.append(UInt8(ascii: ",")) }
    count += 1
    write(&bytes)
  }

  /// The page; the next one is begun.
  package mutating func take(missing: [MissingNode] = [], total: Int? = nil) -> [UInt8] {
    defer { (bytes, count) = (Self.head, 0) }
    bytes.append(UInt8(ascii: "]"))
    if !missing.isEmpty { bytes += #","missing":"#.utf8 + JSONValue.array(missing.map(\.json)).serialized() }
    if let total { bytes += #","total":\#(total)"#.utf8 }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}
