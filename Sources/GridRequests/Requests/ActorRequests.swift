package import GridCore

package struct ActorsRequest: ListRequest {
  package typealias Item = ActorReport
  package static let verb = "actors"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  /// With `*` and `?`.
  package var pattern: String?
  package var kind: String?
  /// Only those in whose mailbox as many messages wait.
  package var minimumMailbox = 0
  /// Those without a name too: there may be millions of them.
  package var withAnonymous = false

  package init() {}

  package init(pattern: String? = nil, kind: String? = nil, minimumMailbox: Int = 0, withAnonymous: Bool = false) {
    self.pattern = pattern
    self.kind = kind
    self.minimumMailbox = minimumMailbox
    self.withAnonymous = withAnonymous
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.optional("pattern", &pattern)
    try fields.optional("kind", &kind)
    if fields.isReading || minimumMailbox > 0 { try fields.value("minMailbox", &minimumMailbox) }
    try fields.flag("anonymous", &withAnonymous)
  }
}

package struct InspectRequest: NamedRequest {
  package typealias Answer = ActorReport
  package static let verb = "inspect"
  package static let scope = RequestScope.holder
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package var name = ""

  package init() {}
}

extension SpawnRequest: NodeRequest {
  package typealias Answer = ActorReport
  package static let verb = "spawn"
  package static let scope = RequestScope.node
  package static let role = Role.operator

  package init() { self.init(kind: "") }

  package var effect: RequestEffect { ifAbsent && name != nil ? .repeatable : .once }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.whole(&self)
  }
}

package struct StopRequest: NodeRequest {
  package typealias Answer = ActorPlace
  package static let verb = "stop"
  package static let scope = RequestScope.holder
  package static let role = Role.operator
  package var effect: RequestEffect { .repeatable }

  package var name = ""
  /// At once, without its handler's leave.
  package var kills = false

  package init() {}

  package init(_ name: String, kills: Bool = false) {
    self.name = name
    self.kills = kills
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.required("name", &name)
    try fields.flag("kill", &kills)
  }
}

package struct RestartRequest: NamedRequest {
  package typealias Answer = ActorPlace
  package static let verb = "restart"
  package static let scope = RequestScope.holder
  package static let role = Role.operator
  package var effect: RequestEffect { .once }

  package var name = ""

  package init() {}
}
