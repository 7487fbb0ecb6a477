/// A fact about the cluster, as seen by one node.
public struct GridEvent: Sendable, Equatable {
  /// What kind of thing it happened to.
  public enum Kind: String, Sendable, CaseIterable {
    case node, peer, actor, leader, link
  }

  /// Counts the events of the node that saw it, from 1.
  public var sequence: Int64
  public var at: CalendarTime
  public var kind: Kind
  /// The name of the peer, actor, leader or link.
  public var name: String
  /// The node that saw it.
  public var node: String
  /// What happened, starting with a verb in the past tense: `joined`, `stopped: budget spent`.
  public var detail: String

  public init(sequence: Int64, at: CalendarTime, kind: Kind, name: String, node: String, detail: String) {
    self.sequence = sequence
    self.at = at
    self.kind = kind
    self.name = name
    self.node = node
    self.detail = detail
  }

  public var json: JSONValue {
    [
      "seq": .integer(sequence), "at": .string(at.rfc3339), "kind": .string(kind.rawValue), "name": .string(name),
      "node": .string(node), "detail": .string(detail),
      "atMilliseconds": .integer(at.millisecondsSince1970),
    ]
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing.
  public init(json: JSONValue) throws(GridError) {
    guard let sequence = json["seq"]?.integerValue, let kind = Kind(rawValue: json["kind"]?.stringValue ?? "") else {
      throw GridError(.undecodable, "an event lacks seq or kind")
    }
    self.init(
      sequence: sequence,
      at: CalendarTime(millisecondsSince1970: json["atMilliseconds"]?.integerValue ?? 0), kind: kind,
      name: json["name"]?.stringValue ?? "", node: json["node"]?.stringValue ?? "",
      detail: json["detail"]?.stringValue ?? "")
  }
}
