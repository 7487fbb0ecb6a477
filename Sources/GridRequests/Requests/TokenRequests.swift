package import GridCore

/// Has the cluster keep what it needs to know a token. The token itself is made by whoever asks, and stays there.
package struct TokenCreateRequest: NodeRequest {
  package typealias Answer = ChangedToken
  package static let verb = "token.create"
  package static let scope = RequestScope.cluster
  package static let role = Role.operator
  /// Asked twice for the same token it is made once.
  package var effect: RequestEffect { .repeatable }

  package var identifier = ""
  package var storedKey: [UInt8] = []
  package var serverKey: [UInt8] = []
  /// What it lets do; `node` lets a new node in.
  package var tokenRole = Role.viewer
  package var readsBodies = false
  package var isSingleUse = false
  package var lifetime = Duration.zero
  package var comment = ""

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.required("id", &identifier)
    try fields.bytes("storedKey", &storedKey)
    try fields.bytes("serverKey", &serverKey)
    try fields.required("role", &tokenRole)
    try fields.flag("bodies", &readsBodies)
    try fields.flag("singleUse", &isSingleUse)
    try fields.microseconds("lifetimeMicroseconds", &lifetime)
    try fields.value("comment", &comment)
  }

  /// Without the keys.
  package var auditSubject: JSONValue {
    [
      "id": .string(identifier), "role": .string(tokenRole.rawValue), "bodies": .bool(readsBodies),
      "singleUse": .bool(isSingleUse), "lifetimeSeconds": .number(lifetime.inSeconds), "comment": .string(comment),
    ]
  }

  /// Nobody gives away what is not theirs. Whoever lets a node in gives the secret of the namespace away: that is for
  /// those who have it.
  package func objection(to caller: Caller, _ rules: AccessRules) -> GridError? {
    if tokenRole == .node {
      let hasSecret = caller.source == .node || caller.source == .secret || caller.isHere
      return hasSecret
        ? nil
        : GridError(
          .refused, "a token of role node gives the secret of the namespace away, which \(caller.described) has not",
          hint: "make it on the machine of a node, as its user: gridctl token create --role node")
    }
    return caller.objection(to: "a token of role \(tokenRole.rawValue)", needing: tokenRole)
      ?? (readsBodies ? caller.objectionToBodies("such a token") : nil)
  }
}

package struct TokensRequest: ListRequest {
  package typealias Item = TokenReport
  package static let verb = "token.list"
  package static let scope = RequestScope.cluster
  package static let role = Role.operator
  package static let isAudited = false
  package var effect: RequestEffect { .reading }

  package init() {}
}

package struct TokenRevokeRequest: IdentifiedRequest {
  package typealias Answer = ChangedToken
  package static let verb = "token.revoke"
  package static let scope = RequestScope.cluster
  package static let role = Role.operator
  package var effect: RequestEffect { .repeatable }

  package var identifier = ""

  package init() {}
}

/// Whether a node has heard of a change of a token; it answers once it has.
package struct TokenHeardRequest: NodeRequest {
  package typealias Answer = NodeReference
  package static let verb = "token.heard"
  package static let scope = RequestScope.everyNode
  package static let role = Role.operator
  package static let isAudited = false
  package var effect: RequestEffect { .reading }

  package var identifier = ""
  package var revision: Int64 = 0

  package init() {}

  package init(_ identifier: String, revision: Int64) {
    self.identifier = identifier
    self.revision = revision
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.required("id", &identifier)
    try fields.required("revision", &revision)
  }
}

/// The secret of the namespace, for a machine that is to get a node: the one request of a token of role `node`.
package struct NodeSecretRequest: NodeRequest {
  package typealias Answer = SealedSecret
  package static let verb = "node.secret"
  package static let scope = RequestScope.node
  package static let role = Role.node
  package var effect: RequestEffect { .reading }

  /// To which the secret is sealed.
  package var publicKey: [UInt8] = []

  package init() {}
  package init(publicKey: [UInt8]) { self.publicKey = publicKey }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.bytes("publicKey", &publicKey) }

  package func objection(to caller: Caller, _ rules: AccessRules) -> GridError? {
    caller.isJoining
      ? nil : GridError(.refused, "\(Self.verb) is for a token of role node", hint: "gridctl token create --role node")
  }
}
