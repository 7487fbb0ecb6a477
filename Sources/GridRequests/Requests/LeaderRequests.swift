package import GridCore

package struct LeadersRequest: ListRequest {
  package typealias Item = LeadershipReport
  package static let verb = "leader.list"
  package static let scope = RequestScope.cluster
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package var withSingletons = false

  package init() {}
  package init(withSingletons: Bool) { self.withSingletons = withSingletons }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.flag("singletons", &withSingletons)
  }
}

package struct LeaderRequest: NamedRequest {
  package typealias Answer = LeadershipReport
  package static let verb = "leader.show"
  package static let scope = RequestScope.cluster
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package var name = ""

  package init() {}
}

/// How long the one who leads may still act; from the process that leads to the node under which it does.
package struct KeepLeadershipRequest: NodeRequest {
  package typealias Answer = LeaseRemainder
  package static let verb = "leader.keep"
  package static let scope = RequestScope.node
  package static let role = Role.operator
  /// It changes nothing, and whoever leads asks for it several times a second.
  package static let isAudited = false
  package var effect: RequestEffect { .own }

  package var name = ""
  package var token: Int64 = 0

  package init() {}

  package init(_ name: String, token: Int64) {
    self.name = name
    self.token = token
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.required("name", &name)
    try fields.value("token", &token)
  }
}

package struct ResignRequest: NamedRequest {
  package typealias Answer = ResignedLeadership
  package static let verb = "leader.resign"
  package static let scope = RequestScope.cluster
  package static let role = Role.operator
  package var effect: RequestEffect { .once }

  package var name = ""

  package init() {}
}

package struct LastRunRequest: NamedRequest {
  package typealias Answer = LastRun
  package static let verb = "leader.lastRun"
  package static let scope = RequestScope.cluster
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package var name = ""

  package init() {}
}

package struct RecordRunRequest: NodeRequest {
  package typealias Answer = ActorPlace
  package static let verb = "leader.record"
  package static let scope = RequestScope.node
  package static let role = Role.operator
  package var effect: RequestEffect { .own }

  package var name = ""
  package var token: Int64 = 0
  package var startedAt = CalendarTime(millisecondsSince1970: 0)

  package init() {}

  package init(_ name: String, token: Int64, startedAt: CalendarTime) {
    self.name = name
    self.token = token
    self.startedAt = startedAt
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.required("name", &name)
    try fields.value("token", &token)
    var milliseconds = startedAt.millisecondsSince1970
    try fields.required("startedMilliseconds", &milliseconds)
    startedAt = CalendarTime(millisecondsSince1970: milliseconds)
  }
}

package struct SingletonsRequest: ListRequest {
  package typealias Item = SingletonReport
  package static let verb = "singletons"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package init() {}
}
