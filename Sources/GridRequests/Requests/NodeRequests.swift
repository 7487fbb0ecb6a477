package import GridCore

package struct PingRequest: NodeRequest {
  package typealias Answer = NodeReference
  package static let verb = "ping"
  package static let scope = RequestScope.node
  package static let role = Role.viewer
  package var effect: RequestEffect { .own }

  package init() {}
}

package struct NodeInformationRequest: NodeRequest {
  package typealias Answer = NodeInformation
  package static let verb = "node.info"
  package static let scope = RequestScope.node
  package static let role = Role.viewer
  package var effect: RequestEffect { .own }

  package init() {}
}

package struct NodeStopRequest: NodeRequest {
  package typealias Answer = NodeReference
  package static let verb = "node.stop"
  package static let scope = RequestScope.node
  package static let role = Role.operator
  package var effect: RequestEffect { .ownChange }

  /// Does not wait for handlers and programs.
  package var isForced = false

  package init() {}
  package init(isForced: Bool) { self.isForced = isForced }

  package func objection(to caller: Caller, _ rules: AccessRules) -> GridError? {
    caller.isHere || rules.allowsStop
      ? nil
      : GridError(
        .refused, "the node may be stopped from its own machine alone",
        hint: "stop it there, or start it with --allow-stop")
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.value("force", &isForced) }
}

package struct LoadRequest: NodeRequest {
  package typealias Answer = NodeLoad
  package static let verb = "load"
  package static let scope = RequestScope.node
  package static let role = Role.viewer
  package var effect: RequestEffect { .own }

  package init() {}
}

package struct StoreRequest: NodeRequest {
  package typealias Answer = StoreReport
  package static let verb = "store"
  package static let scope = RequestScope.node
  package static let role = Role.viewer
  package var effect: RequestEffect { .own }

  package init() {}
}

/// What one node says of itself.
package struct NodeHealthRequest: NodeRequest {
  package typealias Answer = NodeHealth
  package static let verb = "node.health"
  package static let scope = RequestScope.node
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  /// How far back is looked.
  package var window: Duration?

  package init() {}
  package init(window: Duration?) { self.window = window }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.milliseconds("windowMilliseconds", &window)
  }
}

/// What all nodes say of themselves.
package struct HealthRequest: NodeRequest {
  package typealias Answer = ClusterHealth
  package static let verb = "health"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  /// How far back is looked.
  package var window: Duration?

  package init() {}
  package init(window: Duration?) { self.window = window }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.milliseconds("windowMilliseconds", &window)
  }
}

package struct PeersRequest: ListRequest {
  package typealias Item = PeerReport
  package static let verb = "peers"
  package static let scope = RequestScope.cluster
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package init() {}
}

package struct KindsRequest: ListRequest {
  package typealias Item = KindReport
  package static let verb = "kinds"
  package static let scope = RequestScope.cluster
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package init() {}
}

package struct EventsRequest: ListRequest {
  package typealias Item = GridEvent
  package static let verb = "events.list"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package var choice = EventChoice()
  package var since: CalendarTime?
  /// Each node counts its own events, so a number is asked of the node that gave it.
  package var sinceSequence: Int64?

  package init() {}

  package init(_ choice: EventChoice = EventChoice(), since: CalendarTime? = nil, sinceSequence: Int64? = nil) {
    self.choice = choice
    self.since = since
    self.sinceSequence = sinceSequence
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.inline(&choice)
    try fields.milliseconds("sinceMilliseconds", &since)
    try fields.optional("sinceSequence", &sinceSequence)
  }
}

/// Which events are wanted: all, or those of some kinds, or about one name.
package struct EventChoice: FieldCoded, Equatable {
  package var kinds: [String] = []
  package var name: String?

  package init() {}

  package init(kinds: [String] = [], name: String? = nil) {
    self.kinds = kinds
    self.name = name
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.list("kinds", &kinds)
    try fields.optional("name", &name)
  }
}

package struct NameCountRequest: NodeRequest {
  package typealias Answer = Count
  package static let verb = "names.count"
  package static let scope = RequestScope.node
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package var prefix = ""

  package init() {}
  package init(prefix: String) { self.prefix = prefix }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.required("prefix", &prefix) }
}

package struct BenchRequest: NodeRequest {
  package typealias Answer = BenchReport
  package static let verb = "bench"
  package static let scope = RequestScope.node
  package static let role = Role.operator
  package var effect: RequestEffect { .own }

  package var work = BenchWork.ask
  /// An actor, or a kind where actors are made.
  package var target = ""
  package var clients = 1
  package var count = 100_000
  package var bodyBytes = 100
  package var durationSeconds: Double?
  package var warmUpSeconds: Double?
  /// Messages a second over all clients.
  package var perSecond: Double?

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("work", &work)
    try fields.required("target", &target)
    try fields.value("clients", &clients)
    try fields.value("count", &count)
    try fields.value("size", &bodyBytes)
    try fields.optional("durationSeconds", &durationSeconds)
    try fields.optional("warmUpSeconds", &warmUpSeconds)
    try fields.optional("perSecond", &perSecond)
  }
}
