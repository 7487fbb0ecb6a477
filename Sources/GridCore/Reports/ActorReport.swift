/// An actor as `gridctl actors` and `gridctl inspect` show it.
public struct ActorReport: Sendable, Equatable {
  public enum Status: String, Sendable, CaseIterable {
    case running, restarting, suspended, stopping
  }

  /// How long messages wait and take.
  public struct Latency: Sendable, Equatable {
    /// How long the message in hand is being handled; of a handler that never suspends, the batch it is in. Nil when
    /// none is.
    public var inHandSeconds: Double?
    /// How long the oldest waiting message has waited; of a handler that never suspends, at most so long. Nil when none
    /// waits.
    public var oldestSeconds: Double?
    /// What half of the latest messages took at most. Nil when none was measured: a handler that never suspends is
    /// measured from its first slow message on.
    public var handlerP50Seconds: Double?
    /// What all but a hundredth of the latest messages took at most.
    public var handlerP99Seconds: Double?

    package init(
      inHandSeconds: Double? = nil, oldestSeconds: Double? = nil, handlerP50Seconds: Double? = nil,
      handlerP99Seconds: Double? = nil
    ) {
      self.inHandSeconds = inHandSeconds
      self.oldestSeconds = oldestSeconds
      self.handlerP50Seconds = handlerP50Seconds
      self.handlerP99Seconds = handlerP99Seconds
    }

    /// How long the oldest message, in hand or waiting, has been there or in hand.
    package var age: Double? {
      guard let inHandSeconds, let oldestSeconds else { return inHandSeconds ?? oldestSeconds }
      return max(inHandSeconds, oldestSeconds)
    }
  }

  public var name: String
  public var kind: String
  public var node: String
  public var status: Status
  /// Messages waiting or being handled.
  public var mailbox: Int
  /// Messages whose handling has ended, well or not.
  public var processed: Int
  public var failures: Int
  public var restarts: Int
  public var uptimeSeconds: Double
  /// Grows with each activation of the name; fences.
  public var epoch: Int64
  /// Whether a message is being handled: 1, else 0.
  public var inHand: Int
  public var latency: Latency
  /// What only `inspect` shows: mailbox options, the command of an `exec` actor, the last failure, …
  public var details: [String: JSONValue]

  package init(
    name: String, kind: String, node: String, status: Status, mailbox: Int = 0, processed: Int = 0, failures: Int = 0,
    restarts: Int = 0, uptimeSeconds: Double = 0, epoch: Int64 = 0, inHand: Int = 0, latency: Latency = Latency(),
    details: [String: JSONValue] = [:]
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
    self.inHand = inHand
    self.latency = latency
    self.details = details
  }

  package var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(name), "kind": .string(kind), "node": .string(node), "status": .string(status.rawValue),
      "mailbox": .integer(Int64(mailbox)), "processed": .integer(Int64(processed)),
      "failures": .integer(Int64(failures)), "restarts": .integer(Int64(restarts)),
      "uptimeSeconds": .number(uptimeSeconds), "epoch": .integer(epoch),
      "inHand": .integer(Int64(inHand)), "inHandSeconds": .optional(latency.inHandSeconds),
      "oldestSeconds": .optional(latency.oldestSeconds), "handlerP50Seconds": .optional(latency.handlerP50Seconds),
      "handlerP99Seconds": .optional(latency.handlerP99Seconds),
    ]
    members.merge(details) { field, _ in field }
    return .object(members)
  }

  /// Appends an object with these members alone.
  package static func appendPlacement(name: String, kind: String, node: String, to bytes: inout [UInt8]) {
    var writer = JSONWriter(indentation: nil)
    swap(&writer.output, &bytes)
    writer.writeMember("{\"kind\":", .string(kind))
    writer.writeMember(",\"name\":", .string(name))
    writer.writeMember(",\"node\":", .string(node))
    swap(&writer.output, &bytes)
    bytes.append(UInt8(ascii: "}"))
  }

  /// Appends the compact form of ``json``, and never makes that: of a million actors it would be most of the work.
  package func append(to bytes: inout [UInt8]) {
    guard details.isEmpty else {
      bytes += json.serialized()
      return
    }
    var writer = JSONWriter(indentation: nil)
    swap(&writer.output, &bytes)
    writer.writeMember("{\"epoch\":", .integer(epoch))
    writer.writeMember(",\"failures\":", .integer(Int64(failures)))
    writer.writeMember(",\"handlerP50Seconds\":", .optional(latency.handlerP50Seconds))
    writer.writeMember(",\"handlerP99Seconds\":", .optional(latency.handlerP99Seconds))
    writer.writeMember(",\"inHand\":", .integer(Int64(inHand)))
    writer.writeMember(",\"inHandSeconds\":", .optional(latency.inHandSeconds))
    writer.writeMember(",\"kind\":", .string(kind))
    writer.writeMember(",\"mailbox\":", .integer(Int64(mailbox)))
    writer.writeMember(",\"name\":", .string(name))
    writer.writeMember(",\"node\":", .string(node))
    writer.writeMember(",\"oldestSeconds\":", .optional(latency.oldestSeconds))
    writer.writeMember(",\"processed\":", .integer(Int64(processed)))
    writer.writeMember(",\"restarts\":", .integer(Int64(restarts)))
    writer.writeMember(",\"status\":", .string(status.rawValue))
    writer.writeMember(",\"uptimeSeconds\":", .number(uptimeSeconds))
    swap(&writer.output, &bytes)
    bytes.append(UInt8(ascii: "}"))
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing.
  package init(json: JSONValue) throws(GridError) {
    guard case .object(var members) = json, let name = members["name"]?.stringValue else {
      throw GridError(.undecodable, "an actor report lacks its name")
    }
    func integer(_ field: String) -> Int { Int(clamping: json[field]?.integerValue ?? 0) }
    self.init(
      name: name, kind: json["kind"]?.stringValue ?? "", node: json["node"]?.stringValue ?? "",
      status: Status(rawValue: json["status"]?.stringValue ?? "") ?? .running, mailbox: integer("mailbox"),
      processed: integer("processed"), failures: integer("failures"), restarts: integer("restarts"),
      uptimeSeconds: json["uptimeSeconds"]?.doubleValue ?? 0, epoch: json["epoch"]?.integerValue ?? 0,
      inHand: integer("inHand"),
      latency: Latency(
        inHandSeconds: json["inHandSeconds"]?.doubleValue, oldestSeconds: json["oldestSeconds"]?.doubleValue,
        handlerP50Seconds: json["handlerP50Seconds"]?.doubleValue,
        handlerP99Seconds: json["handlerP99Seconds"]?.doubleValue))
    for field in [
      "name", "kind", "node", "status", "mailbox", "processed", "failures", "restarts", "uptimeSeconds", "epoch",
      "inHand", "inHandSeconds", "oldestSeconds", "handlerP50Seconds", "handlerP99Seconds",
    ] {
      members[field] = nil
    }
    details = members
  }
}
