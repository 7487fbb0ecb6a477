package import GridCore

/// What a node allows to callers from elsewhere, beyond their roles.
package struct AccessRules: Sendable {
  /// Programs of their choice may be run here.
  package var allowsExec: Bool
  /// They may end the node.
  package var allowsStop: Bool

  package init(allowsExec: Bool = false, allowsStop: Bool = false) {
    self.allowsExec = allowsExec
    self.allowsStop = allowsStop
  }
}

extension Caller {
  /// On whose behalf a request is carried out that came over a connection of this caller: nodes speak for others,
  /// whoever else says to be somebody is not believed.
  package func speaking(for other: Caller?) -> Caller {
    guard role == .node, !isJoining, var other else { return self }
    // What another machine says of its users is no word about ours.
    other.isHere = other.isHere && isHere
    return other
  }

  /// Why it may not read bodies; nil when it may.
  package func objectionToBodies(_ what: String) -> GridError? {
    readsBodies
      ? nil
      : GridError(
        .refused, "\(what) shows bodies of messages, which \(described) may not read",
        hint: "ask for a certificate or token that was made with --bodies")
  }
}
