/// Lays cells out in columns: three spaces between, no borders, no wrapping, no spaces at the end of a line.
struct TableLayout {
  /// One cell, ready to be shown.
  struct Cell {
    let text: String
    let width: Int
    let style: TextStyle

    /// - Parameter text: anything; what a terminal would act on is escaped.
    init(_ text: String, style: TextStyle = .plain) {
      self.text = TerminalText.printable(text)
      self.style = style
      width = TerminalText.width(self.text)
    }
  }

  /// One column's width in terminal cells, and whether its cells stand at the right.
  struct Column {
    var width: Int
    var isTrailing: Bool
  }

  static let gap = 3

  var columns: [Column]
  /// Terminal cells a line may take; nil when nobody's terminal is at the end.
  var limit: Int?
  var usesColor: Bool

  /// One line with its line feed. A cell wider than its column moves the rest of its line, and nothing else.
  func line(_ cells: [Cell]) -> String {
    var line = ""
    var used = 0
    for (index, cell) in cells.enumerated() {
      guard index < columns.count else { break }
      let room = max(0, columns[index].width - cell.width)
      let isLast = index == cells.count - 1
      let before = (index > 0 ? Self.gap : 0) + (columns[index].isTrailing ? room : 0)
      if let limit, used + before + cell.width + (isLast ? 0 : 1) > limit {
        let left = limit - used - before
        if left > 0 { append(String(repeating: " ", count: before), cutShort(cell, to: left), cell.style, to: &line) }
        break
      }
      append(String(repeating: " ", count: before), cell.text, cell.style, to: &line)
      used += before + cell.width
      if !columns[index].isTrailing, !isLast {
        line += String(repeating: " ", count: room)
        used += room
      }
    }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }

  /// A cell that is cut, or that others follow which have no room, ends with `…`.
  private func cutShort(_ cell: Cell, to room: Int) -> String {
    cell.width < room ? cell.text + "…" : TerminalText.truncated(cell.text + " ", to: room)
  }

  private func append(_ space: String, _ text: String, _ style: TextStyle, to line: inout String) {
    line += space
    line += usesColor && !text.isEmpty ? style.applied(to: text) : text
  }
}

extension TableLayout {
  /// The whole table; every column is as wide as its widest cell.
  static func table(
    _ rows: [[Cell]], trailing: [Bool], limit: Int?, usesColor: Bool
  ) -> String {
    var columns = trailing.map { Column(width: 0, isTrailing: $0) }
    for row in rows {
      for (index, cell) in row.enumerated() where index < columns.count {
        columns[index].width = max(columns[index].width, cell.width)
      }
    }
    let layout = TableLayout(columns: columns, limit: limit, usesColor: usesColor)
    return rows.reduce(into: "") { $0 += layout.line($1) }
  }
}
