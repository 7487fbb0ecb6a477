package import GridCore

extension DeadLetterFilter: FieldCoded {
  package init() { self.init(reasons: []) }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    var labels = reasons.map(\.rawValue)
    try fields.list("reasons", &labels)
    if fields.isReading { reasons = try Self.reasons(labels) }
    try fields.optional("replayed", &isReplayed)
    try fields.optional("target", &target)
    try fields.milliseconds("sinceMilliseconds", &since)
  }

  private static func reasons(_ labels: [String]) throws(GridError) -> [DeadLetter.Reason] {
    var reasons: [DeadLetter.Reason] = []
    for label in labels {
      guard let reason = DeadLetter.Reason(rawValue: label) else {
        throw GridError(
          .usage, "unknown reason \(NameRules.quoted(label))",
          hint: "reasons: \(DeadLetter.Reason.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      reasons.append(reason)
    }
    return reasons
  }
}

/// How much of the bodies is wanted in a list.
package enum DeadLetterBodies: String, Sendable, CaseIterable, FieldValue {
  case whole
  /// As much as a line of a table shows.
  case short
  case none

  package var limit: Int {
    switch self {
    case .whole: .max
    case .short: 256
    case .none: 0
    }
  }
}

package struct DeadLettersRequest: ListRequest {
  package typealias Item = DeadLetter
  package static let verb = "deadLetters.list"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package static let order = ListPage.Order.descending
  package var effect: RequestEffect { .reading }

  package var filter = DeadLetterFilter()
  package var bodies = DeadLetterBodies.whole

  package init() {}

  package init(_ filter: DeadLetterFilter, bodies: DeadLetterBodies = .whole) {
    self.filter = filter
    self.bodies = bodies
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.inline(&filter)
    try fields.value("bodies", &bodies)
  }
}

package struct DeadLetterRequest: IdentifiedRequest {
  package typealias Answer = ListedDeadLetter
  package static let verb = "deadLetters.show"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package var identifier = ""

  package init() {}
}

package struct DeadLetterBodyRequest: NodeRequest {
  package typealias Answer = DeadLetterPart
  package static let verb = "deadLetters.body"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package var identifier = ""
  /// Bytes that are known already.
  package var offset = 0

  package init() {}

  package init(_ identifier: String, offset: Int) {
    self.identifier = identifier
    self.offset = offset
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.required("id", &identifier)
    try fields.value("offset", &offset)
  }

  package func objection(to caller: Caller, _ rules: AccessRules) -> GridError? {
    caller.objectionToBodies("dead-letters show")
  }
}

/// Asked by a node before it has another one change a letter: what changes something is asked of one node.
package struct DeadLetterHolderRequest: IdentifiedRequest {
  package typealias Answer = DeadLetterHolder
  package static let verb = "deadLetters.find"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package var identifier = ""

  package init() {}
}

package struct DeadLetterTalliesRequest: ListRequest {
  package typealias Item = DeadLetterTally
  package static let verb = "deadLetters.counts"
  package static let scope = RequestScope.everyNode
  package static let role = Role.viewer
  package var effect: RequestEffect { .reading }

  package init() {}
}

package struct PurgeDeadLettersRequest: NodeRequest {
  package typealias Answer = PurgedDeadLetters
  package static let verb = "deadLetters.purge"
  package static let scope = RequestScope.everyNode
  package static let role = Role.operator
  package var effect: RequestEffect { .repeatable }

  package var filter = DeadLetterFilter()

  package init() {}
  package init(_ filter: DeadLetterFilter) { self.filter = filter }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.inline(&filter) }
}

package struct ReplayDeadLetterRequest: NodeRequest {
  package typealias Answer = ReplayedDeadLetter
  package static let verb = "deadLetters.replay"
  package static let scope = RequestScope.everyNode
  package static let role = Role.operator
  package var effect: RequestEffect { .once }

  package var identifier = ""
  /// Another actor than its target.
  package var target: String?
  /// Refused when it was sent again already.
  package var isOnce = false

  package init() {}

  package init(_ identifier: String, to target: String? = nil, isOnce: Bool = false) {
    self.identifier = identifier
    self.target = target
    self.isOnce = isOnce
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.required("id", &identifier)
    try fields.optional("to", &target)
    try fields.flag("once", &isOnce)
  }
}
