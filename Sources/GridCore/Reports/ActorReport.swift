/// An actor as `gridctl actors` and `gridctl inspect` show it.
public struct ActorReport: Sendable, Equatable {
  public enum Status: String, Sendable, CaseIterable {
    case running, restarting, suspended, stopping
  }

  public var name: String
  public var kind: String
  public var node: String
  public var status: Status
  /// Messages waiting or being handled.
  public var mailbox: Int
  public var processed: Int
  public var failures: Int
  public var restarts: Int
  public var uptimeSeconds: Double
  /// Grows with each activation of the name; fences.
  public var epoch: Int64
  /// What only `inspect` shows: mailbox options, the command of an `exec` actor, the last failure, …
  public var details: [String: JSONValue]

  public init(
    name: String, kind: String, node: String, status: Status, mailbox: Int = 0, processed: Int = 0, failures: Int = 0,
    restarts: Int = 0, uptimeSeconds: Double = 0, epoch: Int64 = 0, details: [String: JSONValue] = [:]
  ) {
    self.name = name
    self.kind = kind
    self.node = node
    self.status = status
    self.mailbox = mailbox
    self.processed = processed
    self.failures = failures
    self.restarts = restarts
    self.uptimeSeconds = uptimeSeconds
    self.epoch = epoch
    self.details = details
  }

  public var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(name), "kind": .string(kind), "node": .string(node), "status": .string(status.rawValue),
      "mailbox": .integer(Int64(mailbox)), "processed": .integer(Int64(processed)),
      "failures": .integer(Int64(failures)), "restarts": .integer(Int64(restarts)),
      "uptimeSeconds": .number(uptimeSeconds), "epoch": .integer(epoch),
    ]
    members.merge(details) { field, _ in field }
    return .object(members)
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing.
  public init(json: JSONValue) throws(GridError) {
    guard case .object(var members) = json, let name = members["name"]?.stringValue else {
      throw GridError(.undecodable, "an actor report lacks its name")
    }
    func integer(_ field: String) -> Int { Int(clamping: json[field]?.integerValue ?? 0) }
    self.init(
      name: name, kind: json["kind"]?.stringValue ?? "", node: json["node"]?.stringValue ?? "",
      status: Status(rawValue: json["status"]?.stringValue ?? "") ?? .running, mailbox: integer("mailbox"),
      processed: integer("processed"), failures: integer("failures"), restarts: integer("restarts"),
      uptimeSeconds: json["uptimeSeconds"]?.doubleValue ?? 0, epoch: json["epoch"]?.integerValue ?? 0)
    for field in [
      "name", "kind", "node", "status", "mailbox", "processed", "failures", "restarts", "uptimeSeconds", "epoch",
    ] {
      members[field] = nil
    }
    details = members
  }
}
