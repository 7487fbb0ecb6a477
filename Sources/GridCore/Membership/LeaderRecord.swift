/// What stands under a leader's name in the coordination store: who leads.
public struct LeaderRecord: Sendable, Equatable {
  /// The name of the leadership: `nightly`, `main`.
  public var name: String
  /// The node whose lease holds it.
  public var node: String
  public var incarnation: Int64
  /// Who leads, for people: the client's host and process, or the node itself.
  public var holder: String
  /// When it was won.
  public var since: CalendarTime

  package init(name: String, node: String, incarnation: Int64, holder: String, since: CalendarTime) {
    self.name = name
    self.node = node
    self.incarnation = incarnation
    self.holder = holder
    self.since = since
  }

  package var json: JSONValue {
    [
      "name": .string(name), "node": .string(node), "incarnation": .integer(incarnation), "holder": .string(holder),
      "since": .integer(since.millisecondsSince1970),
    ]
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing.
  package init(json: JSONValue) throws(GridError) {
    guard let name = json["name"]?.stringValue, let node = json["node"]?.stringValue else {
      throw GridError(.undecodable, "a leader record lacks name or node")
    }
    self.init(
      name: name, node: node, incarnation: json["incarnation"]?.integerValue ?? 0,
      holder: json["holder"]?.stringValue ?? "",
      since: CalendarTime(millisecondsSince1970: json["since"]?.integerValue ?? 0))
  }
}
