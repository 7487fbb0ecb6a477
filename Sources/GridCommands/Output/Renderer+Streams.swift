internal import GridCore

extension Renderer {
  /// Begins a stream: writes the header of formats that have one.
  ///
  /// A stream has no end, so `json` is written as `jsonl`, with one warning on standard error.
  ///
  /// - Throws: ``GridError/Code/brokenPipe`` or ``GridError/Code/inputOutput``.
  func streamHeader<Row>(_ description: ListDescription<Row>) throws(GridError) {
    let columns = visible(description)
    switch format {
    case .table, .wide, .columns:
      if hidesHeaders { return }
      let (layout, shown) = streamLayout(columns)
      try writer.output(
        layout.line(shown.map { TableLayout.Cell(columns[$0].header, style: .strong) }, isHeader: true))
    case .tsv:
      if hidesHeaders { return }
      try writer.output(tabSeparated(columns.map(\.header)))
    case .json: writer.warning("a stream has no end, so json is written as jsonl")
    case .jsonl, .yaml, .name, .jsonPath: break
    }
  }

  /// Writes one record of a stream at once. The widths of its columns come from the description.
  ///
  /// - Throws: ``GridError/Code/brokenPipe`` or ``GridError/Code/inputOutput``.
  func record<Row>(_ row: Row, _ description: ListDescription<Row>) throws(GridError) {
    results?.received(record: description.json(row), nameField: description.nameField)
    switch format {
    case .table, .wide, .columns:
      let columns = visible(description)
      let (layout, shown) = streamLayout(columns)
      try writer.output(
        layout.line(shown.map { TableLayout.Cell(columns[$0].cell(row), style: columns[$0].style(row)) }))
    case .tsv: try writer.output(tabSeparated(cells(row, description)))
    case .json, .jsonl: try writer.output(Self.line(description.json(row)))
    case .jsonPath(let template): try write(template, description.json(row))
    case .yaml: try writer.output("---\n" + YAMLEmitter.document(description.json(row)))
    case .name: try writer.output(description.qualifiedName(row) + "\n")
    }
  }

  /// The layout of a stream's lines, and which columns it has.
  private func streamLayout<Row>(_ columns: [Column<Row>]) -> (TableLayout, shown: [Int]) {
    let plan = ColumnPlan(
      columns.map { column in
        let width = column.streamWidth
        let minimum = max(TerminalText.width(column.header), column.fit.minimum(of: width))
        return ColumnPlan.Demand(width: width, minimum: min(width, minimum), priority: column.priority)
      }, limit: lineLimit, gap: TableLayout.gap, keepsAll: keepsAllColumns)
    let demands = columns.map {
      TableLayout.Demand(isTrailing: $0.alignment == .trailing, fit: $0.fit, priority: $0.priority)
    }
    let layout = TableLayout(plan, demands, limit: lineLimit, usesColor: usesColor)
    return (layout, plan.choices.map(\.index))
  }
}
