internal import ArgumentParser
internal import GridCore

/// How results are written.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case table, wide, json, jsonl, yaml, name, tsv
}

/// One column of a list: its header and the text of a cell.
struct Column: Sendable {
  let header: String
  var isWideOnly = false
  let cell: @Sendable (JSONValue) -> String

  init(_ header: String, wideOnly: Bool = false, _ cell: @escaping @Sendable (JSONValue) -> String) {
    self.header = header
    isWideOnly = wideOnly
    self.cell = cell
  }

  /// A column that shows a member as it is.
  init(_ header: String, wideOnly: Bool = false, field: String) {
    self.init(header, wideOnly: wideOnly) { Column.text($0[field]) }
  }

  /// A value as a cell shows it.
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

/// What a list is made of, once for all formats.
struct ListDescription: Sendable {
  /// The document's `kind`: `PeerList`.
  let kind: String
  /// What stands before the name in `-o name`: `peer/n1`.
  let noun: String
  /// The member that is the name.
  var nameField = "name"
  let columns: [Column]
}
