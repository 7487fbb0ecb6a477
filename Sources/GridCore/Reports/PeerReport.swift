/// A member of the cluster as `gridctl peers` shows it.
public struct PeerReport: Sendable, Equatable {
  public enum Status: String, Sendable, CaseIterable {
    case alive, suspect, dead, left
  }

  public var name: String
  public var address: String
  public var status: Status
  public var incarnation: Int64
  public var labels: [String: String]
  public var version: String
  public var kinds: [String]
  /// How many actors run on it; nil when it did not say.
  public var actors: Int?
  /// How many messages wait in its mailboxes; nil when it did not say.
  public var mailbox: Int?
  /// How long the oldest message of the node, waiting or in hand, has been there; nil when there is none, or it did not
  /// say.
  public var oldestSeconds: Double?
  /// The actor that this message is for.
  public var oldestActor: String?
  /// How many messages were not handled there since the node began; nil when it did not say.
  public var deadLetters: Int?
  public var uptimeSeconds: Double?
  /// The round trip from the node that was asked; nil for itself and for one that did not answer.
  public var roundTripSeconds: Double?
  /// Whether it is the node that was asked.
  public var isSelf: Bool

  package init(record: NodeRecord, status: Status, isSelf: Bool) {
    name = record.name
    address = record.address
    self.status = status
    incarnation = record.incarnation
    labels = record.labels
    version = record.version
    kinds = record.kinds
    self.isSelf = isSelf
  }

  package var json: JSONValue {
    [
      "name": .string(name), "address": .string(address), "status": .string(status.rawValue),
      "incarnation": .integer(incarnation), "labels": .object(labels.mapValues { .string($0) }),
      "version": .string(version), "kinds": .array(kinds.map { .string($0) }), "actors": .optional(actors),
      "mailbox": .optional(mailbox), "oldestSeconds": .optional(oldestSeconds), "oldestActor": .optional(oldestActor),
      "deadLetters": .optional(deadLetters),
      "uptimeSeconds": .optional(uptimeSeconds),
      "rttSeconds": .optional(roundTripSeconds), "self": .bool(isSelf),
    ]
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing.
  package init(json: JSONValue) throws(GridError) {
    let record = try NodeRecord(json: json)
    self.init(
      record: record, status: Status(rawValue: json["status"]?.stringValue ?? "") ?? .suspect,
      isSelf: json["self"]?.boolValue ?? false)
    actors = json["actors"]?.integerValue.map { Int(clamping: $0) }
    mailbox = json["mailbox"]?.integerValue.map { Int(clamping: $0) }
    oldestSeconds = json["oldestSeconds"]?.doubleValue
    oldestActor = json["oldestActor"]?.stringValue
    deadLetters = json["deadLetters"]?.integerValue.map { Int(clamping: $0) }
    uptimeSeconds = json["uptimeSeconds"]?.doubleValue
    roundTripSeconds = json["rttSeconds"]?.doubleValue
  }
}

extension JSONValue {
  /// The number, or null.
  package static func optional(_ value: Int?) -> JSONValue { value.map { .integer(Int64($0)) } ?? .null }
  /// The number, or null.
  package static func optional(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
  /// The text, or null.
  package static func optional(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
}
