package import GridCore

/// What stands in a stream over a cluster beside its items.
package enum StreamRemark: Sendable, Equatable {
  /// All nodes tell from here on.
  case synced(at: CalendarTime)
  /// The reader was too slow for as many items.
  case missed(Int64)
  /// A node has left out as many records: they came faster than was asked for.
  case leftOut(node: String, count: Int64)

  package init?(json: JSONValue) {
    switch json.text("kind") {
    case "synced": self = .synced(at: CalendarTime(millisecondsSince1970: json["atMilliseconds"]?.integerValue ?? 0))
    case "missed": self = .missed(json["count"]?.integerValue ?? 0)
    case "leftOut": self = .leftOut(node: json.text("node"), count: json["count"]?.integerValue ?? 0)
    default: return nil
    }
  }

  package var json: JSONValue {
    switch self {
    case .synced(let at): ["kind": "synced", "atMilliseconds": .integer(at.millisecondsSince1970)]
    case .missed(let count): ["kind": "missed", "count": .integer(count)]
    case .leftOut(let node, let count): ["kind": "leftOut", "node": .string(node), "count": .integer(count)]
    }
  }
}

package enum StreamItem<Item: Sendable>: Sendable {
  case item(Item)
  case remark(StreamRemark)
}

extension StreamRequest {
  package static func streamItem(_ json: JSONValue) throws(GridError) -> StreamItem<Item> {
    if let remark = StreamRemark(json: json) { return .remark(remark) }
    return .item(try item(json))
  }
}

package struct EventStreamRequest: StreamRequest {
  package static let verb = "events"
  package static let role = Role.viewer

  package var choice = EventChoice()

  package init() {}
  package init(_ choice: EventChoice) { self.choice = choice }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.inline(&choice) }

  package static func item(_ json: JSONValue) throws(GridError) -> GridEvent { try GridEvent(json: json) }
}

package struct DeadLetterStreamRequest: StreamRequest {
  package static let verb = "deadLetters.tail"
  package static let role = Role.viewer

  package var filter = DeadLetterFilter()

  package init() {}
  package init(_ filter: DeadLetterFilter) { self.filter = filter }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.inline(&filter) }

  package static func item(_ json: JSONValue) throws(GridError) -> DeadLetter { try DeadLetter(json: json) }
}

/// The messages of one actor or one kind, for a while.
package struct TraceStreamRequest: StreamRequest {
  package static let verb = "trace"
  package static let role = Role.viewer

  package var actor: String?
  package var kind: String?
  /// None for all.
  package var steps: [String] = []
  package var maximum = 100
  package var perWindow: Int?
  package var window: Duration?
  package var span: Duration?
  package var showsBody = false

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.optional("actor", &actor)
    try fields.optional("actorKind", &kind)
    try fields.list("steps", &steps)
    try fields.value("maximum", &maximum)
    try fields.optional("perWindow", &perWindow)
    try fields.milliseconds("windowMilliseconds", &window)
    try fields.milliseconds("forMilliseconds", &span)
    try fields.value("body", &showsBody)
  }

  package func objection(to caller: Caller, _ rules: AccessRules) -> GridError? {
    showsBody ? caller.objectionToBodies("trace --body") : nil
  }

  package static func item(_ json: JSONValue) throws(GridError) -> JSONValue { json }
}

/// Stands for a leadership until it is won, and keeps it until the stream ends.
package struct CampaignRequest: StreamRequest {
  package static let verb = "leader.campaign"
  package static let role = Role.operator

  package var name = ""
  /// Who leads, for people: a command and its process.
  package var holder = ""
  /// Does not wait for another leader to end.
  package var isOnce = false

  package init() {}

  package init(_ name: String, holder: String, isOnce: Bool) {
    self.name = name
    self.holder = holder
    self.isOnce = isOnce
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.required("name", &name)
    try fields.value("holder", &holder)
    try fields.flag("once", &isOnce)
  }

  package static func item(_ json: JSONValue) throws(GridError) -> CampaignNews { try CampaignNews(json: json) }
}

/// What becomes of a campaign.
package enum CampaignNews: Sendable, Equatable {
  case elected(name: String, token: Int64)
  /// Somebody else leads, and the candidate does not wait.
  case held(name: String, message: String)
  /// Somebody asks the leader to give up.
  case resign(name: String)
  case lost(name: String, message: String)

  package init(json: JSONValue) throws(GridError) {
    let (name, message) = (json.name, json.text("message"))
    switch json.text("kind") {
    case "elected":
      guard let token = json["token"]?.integerValue else {
        throw GridError(.undecodable, "an election lacks its token")
      }
      self = .elected(name: name, token: token)
    case "held": self = .held(name: name, message: message)
    case "resign": self = .resign(name: name)
    case "lost": self = .lost(name: name, message: message)
    default: throw GridError(.undecodable, "unknown news of a campaign")
    }
  }

  package var json: JSONValue {
    switch self {
    case .elected(let name, let token): ["kind": "elected", "name": .string(name), "token": .integer(token)]
    case .held(let name, let message): ["kind": "held", "name": .string(name), "message": .string(message)]
    case .resign(let name): ["kind": "resign", "name": .string(name)]
    case .lost(let name, let message): ["kind": "lost", "name": .string(name), "message": .string(message)]
    }
  }
}
