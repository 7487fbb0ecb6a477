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
