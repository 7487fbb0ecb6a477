internal import GridCore

/// What `gridctl top` shows on a terminal, as lines. Pure.
struct TopScreen {
  let namespace: String
  let renderer: Renderer
  let width: Int
  let height: Int
  /// At most so many actors.
  var limit = Int.max

  /// Something that happened to the display itself: a node that is gone.
  var notice: String?

  /// Title, nodes, an empty line, the header, and the line at the bottom.
  private static let frame = 5

  /// How many actors are shown at a time.
  var rowCount: Int { max(1, height - 1 - Self.frame) }

  /// The actors in the order and with the filter of the view.
  func rows(_ table: TopTable, _ view: TopView) -> [JSONValue] {
    table.rows(by: view.order, limit: limit, matching: view.filter)
  }

  func lines(_ table: TopTable, _ view: TopView, inspected: String?) -> [String] {
    switch view.page {
    case .table: tableLines(table, view)
    case .help: framed(Self.help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    case .actor(let name):
      framed((inspected ?? "asking for \(name) …\n").split(separator: "\n").map(String.init))
    }
  }

  static let help = """
    gridctl top

      Up Down PgUp PgDn   mark an actor            Enter   look at it; any key comes back
      /                   filter by a part of its name, kind or node, or a pattern with *
      Esc                 no filter, no mark       q       leave

      Order by            m   mailbox              r   messages a second
                          t   time: of the message in hand, or the 99th percentile of handling
                          f   failures             s   restarts         n   name

      IN-HAND   how long the message in hand is being handled
      P99       what all but a hundredth of the latest messages took at most
      RATES     messages a second between the last looks; the highest block is the highest rate

    """

  private func tableLines(_ table: TopTable, _ view: TopView) -> [String] {
    let rows = rows(table, view)
    var view = view
    view.follow(rows.map { Column.text($0, "name") }, rowCount)
    let shown = Array(rows.dropFirst(view.first).prefix(rowCount))
    let text = renderer.tableText(shown, TopTable.liveDescription, limit: max(1, width - 2))
    var lines = text.split(separator: "\n").map(String.init)
    let header = lines.count - shown.count
    for index in lines.indices {
      let isMarked = index >= header && Column.text(shown[index - header], "name") == view.marked
      lines[index] = (isMarked ? "> " : "  ") + lines[index]
    }
    return [title(table, view, rows.count), nodes(table.peers), ""] + padded(lines) + [bottom(view, rows.count)]
  }

  private func padded(_ lines: [String]) -> [String] {
    lines + Array(repeating: "", count: max(0, rowCount + 1 - lines.count))
  }

  private func framed(_ lines: [String]) -> [String] {
    Array(lines.prefix(max(1, height - 2))) + [styled(notice ?? "any key comes back, q leaves", notice == nil)]
  }

  private func title(_ table: TopTable, _ view: TopView, _ count: Int) -> String {
    let totals = table.totals
    let letters = table.deadLettersPerSecond ?? 0
    let actors = CountText.grouped(Int64(totals.actors))
    var line = TerminalText.truncated(
      [
        namespace, view.filter.isEmpty ? "\(actors) actors" : "\(count) of \(actors) actors",
        "\(CountText.grouped(totals.mailbox)) waiting", HumanText.rate(totals.perSecond),
      ].map(TerminalText.printable).joined(separator: "   "), to: width)
    var used = TerminalText.width(line)
    for (part, isWell) in [
      ("\(HumanText.rate(letters)) dead letters", letters == 0), ("by \(view.order.rawValue)", true),
    ] {
      guard used + 3 + part.count <= width else { break }
      line += "   " + styled(part, isWell)
      used += 3 + part.count
    }
    return line
  }

  /// The nodes in a line: those that are not well first, then those with mail.
  private func nodes(_ peers: [PeerReport]) -> String {
    let sorted = peers.sorted { Self.rank($0) < Self.rank($1) }
    var line = ""
    var used = 0
    for (index, peer) in sorted.enumerated() {
      let text = Self.text(of: peer)
      let left = sorted.count - index
      let more = "+\(left) more"
      let needed = TerminalText.width(text) + (index > 0 ? 3 : 0)
      guard used + needed + (left > 1 ? more.count + 3 : 0) <= width else {
        return line + (used + more.count + 3 <= width ? (index > 0 ? "   " : "") + more : "")
      }
      line += index > 0 ? "   " : ""
      let isWell = peer.status == .alive || peer.status == .left
      line += renderer.usesColor && !isWell ? TextStyle.bad.applied(to: text) : text
      used += needed
    }
    return line
  }

  private static func rank(_ peer: PeerReport) -> (Int, Int, String) {
    (peer.status == .alive ? 1 : 0, -max(0, peer.mailbox ?? 0), peer.name)
  }

  /// `n1 4 actors`, `n2 1 actor, 312 waiting`, `n3 dead`.
  private static func text(of peer: PeerReport) -> String {
    let name = TerminalText.printable(TerminalText.shortened(peer.name, to: 20))
    guard peer.status == .alive else { return "\(name) \(peer.status.rawValue)" }
    let actors = peer.actors ?? 0
    let waiting = peer.mailbox ?? 0
    let text = "\(name) \(CountText.of(actors, "actor"))"
    return waiting == 0 ? text : text + ", \(CountText.grouped(waiting)) waiting"
  }

  private func bottom(_ view: TopView, _ count: Int) -> String {
    if let notice { return styled(notice, false) }
    if view.isTyping { return styled("filter: \(TerminalText.printable(view.filter))_", true) }
    let place = count > rowCount ? "\(view.first + 1)-\(min(count, view.first + rowCount)) of \(count)   " : ""
    let filter = view.filter.isEmpty ? "" : "/\(TerminalText.printable(view.filter))   "
    return styled(place + filter + "? help   / filter   Enter inspect   m r t f s n sort   q leave", true)
  }

  private func styled(_ text: String, _ isWell: Bool) -> String {
    let shown = TerminalText.truncated(text, to: width)
    return renderer.usesColor && !isWell ? TextStyle.bad.applied(to: shown) : shown
  }
}
