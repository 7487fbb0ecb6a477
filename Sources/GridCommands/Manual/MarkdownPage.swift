/// Makes a page of the manual from a document in the plain Markdown of this project: headings, paragraphs, lists,
/// tables and fenced blocks.
struct MarkdownPage {
  private var page: ManualText
  private var lines: ArraySlice<String>

  /// The page for the document of the link protocol, gridctl-link(5).
  static func link(_ markdown: String) -> String {
    let page = ManualText(
      title: "gridctl-link", section: 5, name: "gridctl-link", abstract: "the protocol of gridctl nodes and clients")
    var converter = MarkdownPage(
      page: page,
      lines: markdown.split(separator: "\n", omittingEmptySubsequences: false)
        .map(String.init)[...])
    converter.convert()
    converter.page.section("SEE ALSO")
    converter.page.line(".Xr gridctl 1")
    return converter.page.text
  }

  private mutating func convert() {
    page.section("DESCRIPTION")
    while let line = lines.first {
      if line.hasPrefix("# ") || line.isEmpty {
        lines.removeFirst()
      } else if line.hasPrefix("## ") {
        lines.removeFirst()
        // DESCRIPTION is the section; the document's own headings are below it.
        page.subsection(Self.plain(String(line.dropFirst(3))))
      } else if line.hasPrefix("### ") {
        lines.removeFirst()
        page.subsection(Self.plain(String(line.dropFirst(4))))
      } else if line.hasPrefix("```") {
        block()
      } else if line.hasPrefix("|") {
        table()
      } else if Self.itemStart(line) != nil {
        list()
      } else {
        page.paragraph(Self.plain(take { !$0.isEmpty && !$0.hasPrefix("|") && !$0.hasPrefix("```") }))
      }
    }
  }

  /// The lines as long as they belong together, in one.
  private mutating func take(_ belongs: (String) -> Bool) -> String {
    let taken = lines.prefix(while: belongs)
    lines = lines.dropFirst(taken.count)
    return taken.joined(separator: " ")
  }

  private mutating func block() {
    lines.removeFirst()
    let content = lines.prefix { !$0.hasPrefix("```") }
    lines = lines.dropFirst(content.count + 1)
    page.literal(Array(content))
  }

  /// The first cell is the tag, the others follow with the headings of their columns.
  private mutating func table() {
    let rows = lines.prefix { $0.hasPrefix("|") }.map(Self.cells)
    lines = lines.dropFirst(rows.count)
    guard let header = rows.first else { return }
    page.beginTags()
    for row in rows.dropFirst(2) {
      page.line(".It \(ManualText.argument(Self.plain(row.first ?? "")))")
      let rest = zip(header, row).dropFirst().map { title, cell in
        header.count > 2 ? "\(title): \(cell)" : cell
      }
      page.flow(Self.plain(rest.joined(separator: "; ")) + ".")
    }
    page.endList()
  }

  private static func cells(_ row: String) -> [String] {
    row.split(separator: "|").map { cell in
      String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }

  private mutating func list() {
    page.beginList()
    while let line = lines.first, let start = Self.itemStart(line) {
      lines.removeFirst()
      var item = String(line.dropFirst(start))
      while let more = lines.first, more.hasPrefix("  "), !more.isEmpty {
        item += " " + more
        lines.removeFirst()
      }
      page.line(".It")
      page.flow(Self.plain(item))
    }
    page.endList()
  }

  /// How long the mark of a list's item is; nil when the line is none.
  private static func itemStart(_ line: String) -> Int? {
    if line.hasPrefix("- ") { return 2 }
    let digits = line.prefix { $0.isASCII && $0.isNumber }
    return !digits.isEmpty && line.dropFirst(digits.count).hasPrefix(". ") ? digits.count + 2 : nil
  }

  /// Without the marks of code and emphasis.
  private static func plain(_ text: String) -> String { text.filter { $0 != "`" && $0 != "*" } }
}
