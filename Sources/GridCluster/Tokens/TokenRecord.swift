package import GridCore
package import GridRequests

/// What stands in the coordination store of a token: whom it lets in, for what and until when. Not the token: what is
/// kept of it tells whoever shows it, and cannot be shown.
package struct TokenRecord: FieldCoded, Equatable, StoredRecord {
  /// What has become of a token.
  package enum State: Equatable, Sendable {
    case live
    case revoked(CalendarTime)
    /// It was good for one connection, and that was made.
    case used(CalendarTime)
    case expired(CalendarTime)
  }

  /// For so long it is told of a token why it is good for nothing; then it is forgotten.
  package static let retention = Duration.seconds(86_400)

  /// Its identifier.
  package var name = ""
  package var role = Role.viewer
  package var readsBodies = false
  package var isSingleUse = false
  package var storedKey: [UInt8] = []
  package var serverKey: [UInt8] = []
  package var createdAt = CalendarTime(millisecondsSince1970: 0)
  package var createdBy = ""
  package var expiresAt = CalendarTime(millisecondsSince1970: 0)
  package var comment = ""
  package var revokedAt: CalendarTime?
  package var usedAt: CalendarTime?

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.required("name", &name)
    // A role that is not known here must not become another one.
    try fields.required("role", &role)
    try fields.flag("bodies", &readsBodies)
    try fields.flag("singleUse", &isSingleUse)
    try fields.bytes("storedKey", &storedKey)
    try fields.bytes("serverKey", &serverKey)
    try fields.milliseconds("createdMilliseconds", &createdAt)
    try fields.value("createdBy", &createdBy)
    try fields.milliseconds("expiresMilliseconds", &expiresAt)
    try fields.value("comment", &comment)
    try fields.milliseconds("revokedMilliseconds", &revokedAt)
    try fields.milliseconds("usedMilliseconds", &usedAt)
  }

  // MARK: What has become of it

  package func state(at now: CalendarTime) -> State {
    if let revokedAt { return .revoked(revokedAt) }
    if let usedAt { return .used(usedAt) }
    return now < expiresAt ? .live : .expired(expiresAt)
  }

  /// Why it lets nobody in any more; nil while it does.
  package func objection(at now: CalendarTime) -> GridError? {
    let text: String
    switch state(at: now) {
    case .live: return nil
    case .revoked(let at): text = "was revoked at \(at.rfc3339)"
    case .used(let at): text = "was good for one connection, which was made at \(at.rfc3339)"
    case .expired(let at): text = "has expired at \(at.rfc3339)"
    }
    return GridError(
      .refused, "token \(name) \(text)", hint: "an operator makes a new one with: gridctl token create")
  }

  /// Why connections that were made with it have to end; nil while they may stay. To have been used ends none.
  package func closure(at now: CalendarTime) -> GridError? {
    var record = self
    record.usedAt = nil
    return record.objection(at: now)
  }

  /// When nobody needs to be told any more why it is good for nothing.
  package var forgottenAt: CalendarTime {
    // A connection that was made with one that is used up lasts until it expires.
    let ended = min(revokedAt ?? expiresAt, expiresAt).millisecondsSince1970
    return CalendarTime(
      millisecondsSince1970: ended.addingClamped(Self.retention.wholeNanoseconds / 1_000_000))
  }

  /// When something becomes of it by itself: it expires, or is forgotten.
  package func nextChange(after now: CalendarTime) -> CalendarTime {
    revokedAt == nil && now < expiresAt ? expiresAt : forgottenAt
  }
}
