package import GridCore

/// The node that has answered, or done what was asked.
package struct NodeReference: FieldCoded, Equatable {
  package var node = ""

  package init() {}
  package init(node: String) { self.node = node }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.value("node", &node) }
}

/// How much there is on a node.
package struct NodeLoad: FieldCoded, Equatable {
  package var actors = 0
  /// Messages that wait in the mailboxes of all actors.
  package var mailbox = 0
  /// The age of the oldest of these, in seconds, and whose it is.
  package var oldestSeconds: Double?
  package var oldestActor: String?
  /// Since the node started; nil where something else is told of them.
  package var deadLetters: Int?
  package var uptimeSeconds: Double?

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try codeActors(&fields)
    try fields.nullable("deadLetters", &deadLetters)
  }

  /// Without the number of dead letters.
  mutating func codeActors(_ fields: inout Fields) throws(GridError) {
    try fields.value("actors", &actors)
    try fields.value("mailbox", &mailbox)
    try fields.nullable("oldestSeconds", &oldestSeconds)
    try fields.nullable("oldestActor", &oldestActor)
    try fields.nullable("uptimeSeconds", &uptimeSeconds)
  }
}

/// What `node info` shows.
package struct NodeInformation: FieldCoded, Equatable {
  package var name = ""
  package var namespace = ""
  package var version = ""
  package var address = ""
  package var incarnation: Int64 = 0
  package var process: Int64 = 0
  package var isMember = false
  /// Why it is no member.
  package var problem: String?
  package var labels: [String: String] = [:]
  package var kinds: [String] = []
  package var load = NodeLoad()
  package var peers = 0
  package var stateDirectory = ""
  package var socket = ""
  package var residentBytes: Int64 = 0
  /// Requests that were not looked at, for what their connections had asked for already.
  package var refusedRequests = 0
  /// Options that let others do more than a node does by itself, as they are typed.
  package var weakened: [String] = []
  /// Whom its certificate stands for; nil without TLS.
  package var identity: String?
  package var certificateExpires: String?
  /// Since it started: by proof, by user, or because too many had failed.
  package var refusedConnections: Int64 = 0

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("name", &name)
    try fields.value("namespace", &namespace)
    try fields.value("version", &version)
    try fields.value("address", &address)
    try fields.value("incarnation", &incarnation)
    try fields.value("pid", &process)
    try fields.value("member", &isMember)
    try fields.nullable("problem", &problem)
    try fields.value("labels", &labels)
    try fields.value("kinds", &kinds)
    try fields.inline(&load)
    try fields.value("peers", &peers)
    try fields.value("stateDirectory", &stateDirectory)
    try fields.value("socket", &socket)
    try fields.value("residentBytes", &residentBytes)
    try fields.value("refusedRequests", &refusedRequests)
    try fields.value("weakened", &weakened)
    try fields.nullable("identity", &identity)
    try fields.nullable("certificateExpires", &certificateExpires)
    try fields.value("refusedConnections", &refusedConnections)
  }
}

/// The coordination store of a node, or why it cannot be asked.
package struct StoreReport: FieldCoded, Equatable {
  package var engine: String?
  package var version: String?
  package var place: String?
  package var failure: String?
  package var advice: String?

  package init() {}

  package init(_ store: StoreDescription) {
    engine = store.engine
    version = store.version
    place = store.place
  }

  package init(failure: String, advice: String?) {
    self.failure = failure
    self.advice = advice
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.optional("engine", &engine)
    try fields.optional("version", &version)
    try fields.optional("place", &place)
    try fields.optional("failure", &failure)
    if fields.isReading || failure != nil { try fields.nullable("advice", &advice) }
  }
}

/// A kind and the nodes that offer it.
package struct KindReport: FieldCoded, Equatable, ListItem {
  package var name = ""
  package var nodes: [String] = []

  package init() {}

  package init(name: String, nodes: [String]) {
    self.name = name
    self.nodes = nodes
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("name", &name)
    try fields.value("nodes", &nodes)
  }

  package static func key(of item: JSONValue) -> String { item.name }
}

extension JSONValue {
  /// What most items of lists are known by.
  var name: String { self["name"]?.stringValue ?? "" }

  func text(_ key: String) -> String { self[key]?.stringValue ?? "" }
}
