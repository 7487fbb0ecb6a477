package import GridCore

/// Where something was done to an actor.
package struct ActorPlace: FieldCoded, Equatable {
  package var name = ""
  package var node = ""

  package init() {}

  package init(name: String, node: String) {
    self.name = name
    self.node = node
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("name", &name)
    try fields.value("node", &node)
  }
}

/// The actors of one kind on one node, together.
package struct ActorSummary: FieldCoded, Equatable, ListItem {
  package var kind = ""
  package var node = ""
  package var actors = 0
  package var mailbox = 0
  package var failures = 0
  package var restarts = 0

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("kind", &kind)
    try fields.value("node", &node)
    try fields.value("actors", &actors)
    try fields.value("mailbox", &mailbox)
    try fields.value("failures", &failures)
    try fields.value("restarts", &restarts)
  }

  package static func key(of item: JSONValue) -> String { item.text("kind") + "\u{0}" + item.text("node") }
}

/// The busiest actors, and what all together do.
package struct ActorTop: FieldCoded, Equatable {
  /// Actor reports in the order that was asked for, each with `perSecond` where that was watched.
  package var rows: [JSONValue] = []
  /// How many actors there are, and how many of them the filter lets through.
  package var actors = 0
  package var matching = 0
  /// Messages that wait at all of them.
  package var mailbox: Int64 = 0
  /// Messages that all of them handle a second; nil where that was not watched.
  package var perSecond: Double?
  package var missing: [MissingNode] = []

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("items", &rows)
    try fields.value("actors", &actors)
    try fields.value("matching", &matching)
    try fields.value("mailbox", &mailbox)
    try fields.optional("perSecond", &perSecond)
    try fields.objects("missing", &missing)
  }

  /// - Parameter perSecond: messages that it handles; nil where that was not watched.
  package static func row(_ report: ActorReport, _ perSecond: Double?) -> JSONValue {
    perSecond.map { report.json.with("perSecond", .number($0)) } ?? report.json
  }

  /// Takes the answer of another node in; ``rows`` are in no order until ``sort(by:limit:)``.
  package mutating func add(_ other: ActorTop) {
    rows += other.rows
    actors = actors.addingClamped(max(0, other.actors))
    matching = matching.addingClamped(max(0, other.matching))
    mailbox = mailbox.addingClamped(max(0, other.mailbox))
    if let more = other.perSecond { perSecond = (perSecond ?? 0) + more }
    missing += other.missing
  }

  /// Puts the rows in order, and keeps the first.
  package mutating func sort(by order: ActorOrder, limit: Int) {
    var selection = BoundedSelection<(row: JSONValue, weight: Double, name: String)>(limit: limit) { left, right in
      ActorOrder.isBefore((left.weight, left.name), (right.weight, right.name))
    }
    for row in rows { selection.offer((row, order.weight(of: row), row.name)) }
    rows = selection.take().map(\.row)
  }
}

package struct Count: FieldCoded, Equatable {
  package var count = 0

  package init() {}
  package init(_ count: Int) { self.count = count }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.value("count", &count) }
}

extension ActorReport {
  /// Whether a program runs behind it; of what `inspect` answers.
  package var isProgram: Bool { details["exec"]?["command"] != nil }
}

extension ActorReport: ListItem {
  package static func key(of item: JSONValue) -> String { key(item.name, on: item.text("node")) }

  /// Two nodes may list the same name while one of them is leaving.
  package static func key(_ name: String, on node: String) -> String { name + "\u{0}" + node }
}

extension PeerReport: ListItem {
  package static func key(of item: JSONValue) -> String { item.name }
}

extension SingletonReport: ListItem {
  package static func key(of item: JSONValue) -> String { item.name }
}

extension GridEvent: ListItem {
  /// Events have an order over all nodes: by time, then by node, then by that node's own numbers.
  package static func key(of item: JSONValue) -> String {
    "\(padded(item, "atMilliseconds")) \(item.text("node")) \(padded(item, "seq"))"
  }

  private static func padded(_ item: JSONValue, _ field: String) -> String {
    let digits = String(max(0, item[field]?.integerValue ?? 0))
    return String(repeating: "0", count: 19 - digits.count) + digits
  }
}
