package import GridCore

/// A token as it is listed: everything but the token.
package struct TokenReport: ListItem, FieldCoded, Equatable {
  package enum State: String, Sendable, CaseIterable, FieldValue {
    case live, used, expired, revoked
  }

  package var identifier = ""
  package var role = Role.viewer
  package var readsBodies = false
  package var state = State.live
  package var isSingleUse = false
  package var expiresAt = ""
  package var createdAt = ""
  package var createdBy = ""
  package var revokedAt: String?
  package var usedAt: String?
  package var comment = ""

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("id", &identifier)
    try fields.value("role", &role)
    try fields.value("bodies", &readsBodies)
    try fields.value("state", &state)
    try fields.value("singleUse", &isSingleUse)
    try fields.value("expires", &expiresAt)
    try fields.value("created", &createdAt)
    try fields.value("createdBy", &createdBy)
    try fields.nullable("revoked", &revokedAt)
    try fields.nullable("used", &usedAt)
    try fields.value("comment", &comment)
  }

  /// The oldest first.
  package static func key(of item: JSONValue) -> String { "\(item.text("created")) \(item.text("id"))" }
}

/// A token that was made or revoked, and which nodes have not said yet that they know.
package struct ChangedToken: FieldCoded, Equatable {
  package var token = TokenReport()
  package var missing: [MissingNode] = []

  package init() {}

  package init(_ token: TokenReport, missing: [MissingNode]) {
    self.token = token
    self.missing = missing
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.inline(&token)
    try fields.objects("missing", &missing)
  }
}

/// The secret of a namespace, which only the one opens who has asked for it.
package struct SealedSecret: FieldCoded, Equatable {
  /// Of the node that has sealed it.
  package var publicKey: [UInt8] = []
  package var box: [UInt8] = []

  package init() {}

  package init(publicKey: [UInt8], box: [UInt8]) {
    self.publicKey = publicKey
    self.box = box
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.bytes("publicKey", &publicKey)
    try fields.bytes("box", &box)
  }
}
