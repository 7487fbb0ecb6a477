package import GridCore

/// What a node says of its own health.
package struct NodeHealth: FieldCoded, Equatable {
  package var node = ""
  package var isMember = true
  package var problem: String?
  package var advice: String?
  /// How often it has lost its membership in the window.
  package var lostMemberships = 0
  package var deadLetters = DeadLetterHealth()
  /// Actors whose handlers failed in the window, and how many of them have ended.
  package var failing = 0
  package var ended = 0
  /// The first of these.
  package var failingActors: [FailingActor] = []
  package var troubles: [Trouble] = []
  package var store = StoreReport()
  package var load = NodeLoad()
  /// Its state directory, and what is left on its file system and in all; nil where that is not known.
  package var stateDirectory: String?
  package var stateBytesFree: Int?
  package var stateBytesTotal: Int?
  /// Options that let others do more than a node does by itself, as they are typed.
  package var weakened: [String] = []
  /// How long its certificate is good, negative when it has expired; nil without TLS.
  package var certificateSecondsLeft: Double?
  /// Why its certificate's files, which have changed, cannot be used; the one before stays meanwhile.
  package var certificateFailure: String?
  package var certificateAdvice: String?
  /// Why the audit log cannot be written: changes are refused meanwhile.
  package var auditFailure: String?
  package var auditAdvice: String?
  /// Log-ins that were refused in the window, and what the last of them was about.
  package var refusedLogIns = 0
  package var lastRefusal: String?

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try load.codeActors(&fields)
    try fields.value("node", &node)
    try fields.value("member", &isMember)
    try fields.nullable("problem", &problem)
    try fields.nullable("advice", &advice)
    try fields.value("lostMemberships", &lostMemberships)
    try fields.object("deadLetters", &deadLetters)
    try fields.value("failing", &failing)
    try fields.value("ended", &ended)
    try fields.objects("failingActors", &failingActors)
    try fields.objects("troubles", &troubles)
    try fields.object("store", &store)
    try fields.optional("stateDirectory", &stateDirectory)
    try fields.optional("stateBytesFree", &stateBytesFree)
    try fields.optional("stateBytesTotal", &stateBytesTotal)
    try fields.value("weakened", &weakened)
    try fields.optional("certificateSecondsLeft", &certificateSecondsLeft)
    try fields.optional("certificateFailure", &certificateFailure)
    try fields.optional("certificateAdvice", &certificateAdvice)
    try fields.optional("auditFailure", &auditFailure)
    try fields.optional("auditAdvice", &auditAdvice)
    try fields.value("refusedLogIns", &refusedLogIns)
    try fields.optional("lastRefusal", &lastRefusal)
  }
}

package struct DeadLetterHealth: FieldCoded, Equatable {
  /// In the window; nil when they cannot be counted.
  package var recent: Int?
  package var kept: Int?
  package var dropped: Int?
  /// Why none can be kept at the moment.
  package var failure: String?
  package var advice: String?

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.optional("recent", &recent)
    try fields.optional("kept", &kept)
    try fields.optional("dropped", &dropped)
    try fields.nullable("failure", &failure)
    try fields.optional("advice", &advice)
  }
}

package struct FailingActor: FieldCoded, Equatable {
  package var name = ""
  package var count = 0
  package var hasEnded = false
  package var message = ""

  package init() {}

  package init(name: String, count: Int, hasEnded: Bool, message: String) {
    self.name = name
    self.count = count
    self.hasEnded = hasEnded
    self.message = message
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("name", &name)
    try fields.value("count", &count)
    try fields.value("ended", &hasEnded)
    try fields.value("message", &message)
  }
}

/// Something that stands in a node's way until it mends.
package struct Trouble: FieldCoded, Equatable {
  package enum Kind: String, Sendable, CaseIterable, FieldValue {
    case watch, singleton
  }

  package var kind = Kind.watch
  package var name = ""
  package var message = ""
  package var advice: String?
  package var since = ""

  package init() {}

  package init(kind: Kind, name: String, message: String, advice: String?, since: CalendarTime) {
    self.kind = kind
    self.name = name
    self.message = message
    self.advice = advice
    self.since = since.rfc3339
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("kind", &kind)
    try fields.value("name", &name)
    try fields.value("message", &message)
    try fields.nullable("advice", &advice)
    try fields.value("since", &since)
  }
}

/// What `check` looks at: every node's health, and the nodes as one of them sees them.
package struct ClusterHealth: FieldCoded, Equatable {
  package var peers: [PeerReport] = []
  package var nodes: [NodeHealth] = []
  package var missing: [MissingNode] = []

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.objects("peers", &peers)
    try fields.objects("nodes", &nodes)
    try fields.objects("missing", &missing)
  }
}
