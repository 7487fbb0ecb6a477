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

    /// The same cell in so many terminal cells.
    func fitted(_ fit: ColumnFit, to room: Int) -> Cell {
      width <= room ? self : Cell(fit.fitted(text, to: room), style: style)
    }
  }

  /// One column's width in terminal cells, how its cells give way, and whether they stand at the right.
  struct Column {
    var width: Int
    var isTrailing: Bool
    var fit = ColumnFit.whole
  }

  static let gap = 3

  var columns: [Column]
  /// Terminal cells a line may take; nil when nobody's terminal is at the end.
  var limit: Int?
  var usesColor: Bool

  /// One line with its line feed. Without a limit a cell wider than its column moves the rest of its line, and nothing
  /// else; with one it gives way.
  ///
  /// - Parameter isHeader: a header's end gives way, whatever is below it.
  func line(_ cells: [Cell], isHeader: Bool = false) -> String {
    var line = ""
    var used = 0
    for (index, (column, cell)) in zip(columns, cells).enumerated() {
      let isLast = index == columns.count - 1
      var cell = cell
      let space = index > 0 ? Self.gap : 0
      let fit = isHeader ? .end(1) : column.fit
      if let limit {
        let rest = limit - used - space
        // The last column has the rest of the line.
        cell = cell.fitted(fit, to: isLast && !column.isTrailing ? rest : min(rest, max(1, column.width)))
        if cell.width > rest { if index > 0 { break } }
      }
      let room = max(0, column.width - cell.width)
      let before = space + (column.isTrailing ? room : 0)
      append(String(repeating: " ", count: before), cell.text, cell.style, to: &line)
      used += before + cell.width
      if !column.isTrailing, !isLast {
        line += String(repeating: " ", count: room)
        used += room
      }
    }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }

  private func append(_ space: String, _ text: String, _ style: TextStyle, to line: inout String) {
    line += space
    line += usesColor && !text.isEmpty ? style.applied(to: text) : text
  }
}

extension TableLayout {
  /// What a column of a table asks for, without its cells.
  struct Demand {
    var isTrailing: Bool
    var fit: ColumnFit
    var priority: Int
  }

  /// The whole table; every column is as wide as its widest cell, or as the limit lets it be.
  ///
  /// - Parameters:
  ///   - header: nil for a table without one.
  ///   - keepsAll: whether no column may go where there is too little room.
  static func table(
    header: [Cell]?, _ rows: [[Cell]], _ demands: [Demand], limit: Int?, keepsAll: Bool = false, usesColor: Bool
  ) -> String {
    let (layout, shown) = layout(
      header: header, rows, demands, limit: limit, keepsAll: keepsAll, usesColor: usesColor)
    return layout.text(header: header, rows, shown)
  }

  /// The layout that these rows come to, and which columns it has.
  static func layout(
    header: [Cell]?, _ rows: [[Cell]], _ demands: [Demand], limit: Int?, keepsAll: Bool = false, usesColor: Bool
  ) -> (TableLayout, shown: [Int]) {
    let plan = ColumnPlan(
      demands.enumerated().map { index, demand in
        let cells = rows.map { $0[index] }
        let headerWidth = header?[index].width ?? 0
        let width = cells.reduce(headerWidth) { max($0, $1.width) }
        return ColumnPlan.Demand(
          width: width, minimum: min(width, max(headerWidth, demand.fit.minimum(of: width))),
          priority: demand.priority,
          saysOneThing: cells.count > 1 && cells.allSatisfy { $0.text == cells[0].text })
      }, limit: limit, gap: gap, keepsAll: keepsAll)
    return (TableLayout(plan, demands, limit: limit, usesColor: usesColor), plan.choices.map(\.index))
  }

  /// The lines of a table, or of more of its rows.
  func text(header: [Cell]?, _ rows: [[Cell]], _ shown: [Int]) -> String {
    rows.reduce(into: header.map { cells in line(shown.map { cells[$0] }, isHeader: true) } ?? "") { text, cells in
      text += line(shown.map { cells[$0] })
    }
  }

  /// The layout that a plan comes to.
  init(_ plan: ColumnPlan, _ demands: [Demand], limit: Int?, usesColor: Bool) {
    self.init(
      columns: plan.choices.map { choice in
        Column(width: choice.width, isTrailing: demands[choice.index].isTrailing, fit: demands[choice.index].fit)
      }, limit: limit, usesColor: usesColor)
  }
}

extension ColumnFit {
  /// Terminal cells that a text of this width needs.
  func minimum(of width: Int) -> Int {
    switch self {
    case .whole: width
    case .middle(let cells), .end(let cells): min(width, cells)
    }
  }
}
