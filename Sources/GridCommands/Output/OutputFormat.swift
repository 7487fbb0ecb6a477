internal import GridCore

/// How results are written on standard output.
enum OutputFormat: Hashable, Sendable {
  /// Columns for people; the ones that matter most.
  case table
  /// Columns for people; all of them.
  case wide
  /// One document: `{"apiVersion":…,"kind":…,"items":[…]}`, indented, with sorted keys.
  case json
  /// One compact JSON object a line.
  case jsonl
  /// The document of ``json`` as YAML.
  case yaml
  /// One `noun/name` a line, which every command takes back.
  case name
  /// The columns of ``table``, separated by tabs, for `cut` and `awk`.
  case tsv
  /// `jsonpath=EXPR`: parts of the document of ``json``.
  case jsonPath(OutputTemplate)
  /// `columns=SPEC`: a table of one's own.
  case columns(ColumnSpecification)

  /// The formats that take no argument, by the names people type.
  static let named: [(name: String, format: OutputFormat, help: String)] = [
    ("table", .table, "columns for people"), ("wide", .wide, "all columns"),
    ("json", .json, "one document, indented"), ("jsonl", .jsonl, "one JSON object a line"),
    ("yaml", .yaml, "the document as YAML"), ("name", .name, "noun/name, accepted by every command"),
    ("tsv", .tsv, "columns separated by tabs"),
  ]

  /// As it is typed; without the argument of a format that has one.
  var name: String {
    switch self {
    case .jsonPath: "jsonpath"
    case .columns: "columns"
    default: Self.named.first { $0.format == self }?.name ?? "table"
    }
  }

  /// Whether errors go with it as one line of JSON.
  var isJSON: Bool { self == .json || self == .jsonl }

  /// Whether all of the output is one document.
  var isDocument: Bool {
    switch self {
    case .json, .yaml, .jsonPath: true
    default: false
    }
  }

  /// Whether it shows columns to people.
  var isTable: Bool {
    switch self {
    case .table, .wide, .columns: true
    default: false
    }
  }

  /// - Throws: ``GridError/Code/usage`` with the formats there are, and the one that was probably meant.
  init(parsing text: String) throws(GridError) {
    if text.hasPrefix("jsonpath=") {
      self = .jsonPath(try OutputTemplate(parsing: String(text.dropFirst(9))))
      return
    }
    for prefix in ["columns=", "custom-columns="] where text.hasPrefix(prefix) {
      self = .columns(try ColumnSpecification(parsing: String(text.dropFirst(prefix.count))))
      return
    }
    guard let found = Self.named.first(where: { $0.name == text }) else {
      let names = Self.named.map(\.name) + ["jsonpath=EXPR", "columns=SPEC"]
      let similar = NameSimilarity.similar(to: text.lowercased(), in: Self.named.map(\.name), limit: 1)
      throw GridError(
        .usage, "unknown output format \(NameRules.quoted(text))",
        hint: similar.map { "similar: \($0); " }.joined() + "one of \(names.joined(separator: ", "))")
    }
    self = found.format
  }
}
