package import GridCore

package struct ActorsRequest: ListRequest {
  package typealias Item = ActorReport
  package static let verb = "actors"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package static let isStreamed = true
  package var effect: RequestEffect { .reading }

  /// With `*` and `?`.
  package var pattern: String?
  package var kind: String?
  /// Only those in whose mailbox as many messages wait.
  package var minimumMailbox = 0
  /// Those without a name too: there may be millions of them.
  package var withAnonymous = false
  /// Only these names.
  package var names: [String] = []
  /// Of each its name, kind and node alone.
  package var isShort = false

  package init() {}

  package init(pattern: String? = nil, kind: String? = nil, minimumMailbox: Int = 0, withAnonymous: Bool = false) {
    self.pattern = pattern
    self.kind = kind
    self.minimumMailbox = minimumMailbox
    self.withAnonymous = withAnonymous
  }

  /// The same for these names alone.
  package func narrowed(to names: [String]) -> ActorsRequest {
    var request = self
    request.names = names
    return request
  }

  /// For whoever needs to know which names there are, and little more.
  package static func names(prefix: String = "") -> ActorsRequest {
    var request = ActorsRequest(pattern: prefix.isEmpty ? nil : NamePattern(prefix: prefix).text)
    request.isShort = true
    return request
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.optional("pattern", &pattern)
    try fields.optional("kind", &kind)
    if fields.isReading || minimumMailbox > 0 { try fields.value("minMailbox", &minimumMailbox) }
    try fields.flag("anonymous", &withAnonymous)
    try fields.list("names", &names)
    try fields.flag("short", &isShort)
  }
}

/// How many actors there are of each kind on each node, counted there.
package struct ActorSummariesRequest: ListRequest {
  package typealias Item = ActorSummary
  package static let verb = "actors.summary"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  /// Which of them are counted.
  package var actors = ActorsRequest()

  package init() {}
  package init(_ actors: ActorsRequest) { self.actors = actors }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.inline(&actors) }
}

/// The first actors in an order of their load, chosen where they run, with the totals of all.
package struct ActorTopRequest: NodeRequest {
  package typealias Answer = ActorTop
  package static let verb = "actors.top"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  /// The most that are told, whatever was asked for: they come in one answer.
  package static let mostRows = 20_000

  /// Which of them are looked at.
  package var actors = ActorsRequest()
  package var order = ActorOrder.mailbox
  package var limit = 1000
  /// Over what the nodes watch how many messages are handled, before they answer; zero for none.
  package var window = Duration.zero
  /// See ``ActorFilter``.
  package var filter = ""

  package init() {}

  package init(
    _ actors: ActorsRequest, by order: ActorOrder, limit: Int, window: Duration = .zero, filter: String = ""
  ) {
    self.actors = actors
    self.order = order
    self.limit = limit
    self.window = window
    self.filter = filter
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.inline(&actors)
    try fields.value("by", &order)
    try fields.value("limit", &limit)
    var span = Optional(window)
    try fields.milliseconds("windowMilliseconds", &span)
    window = max(.zero, span ?? .zero)
    try fields.value("filter", &filter)
    if fields.isReading { limit = max(0, min(limit, Self.mostRows)) }
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
  /// The kind whose actors run a program that the request names.
  package static let execKind = "exec"
  package static let scope = RequestScope.node
  package static let role = Role.operator

  package init() { self.init(kind: "") }

  package var effect: RequestEffect { ifAbsent && name != nil ? .repeatable : .once }

  package func objection(to caller: Caller, _ rules: AccessRules) -> GridError? {
    kind != Self.execKind || caller.isHere || rules.allowsExec
      ? nil
      : GridError(
        .refused, "programs may be run from the node's own machine alone",
        hint: "name the program in the node's file of kinds, or start the node with --allow-exec")
  }

  /// What its argument has to do with a failure may be told in it.
  package static var auditsMessages: Bool { false }

  /// Of a program its file name alone: its arguments, its variables and what the actor is given may be secrets.
  package var auditSubject: JSONValue {
    var members: [String: JSONValue] = ["kind": .string(kind)]
    members["name"] = name.map { .string($0) }
    members["node"] = node.map { .string($0) }
    members["program"] = (command?.command.first?.split(separator: "/").last).map { .string(String($0)) }
    return .object(members)
  }

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
