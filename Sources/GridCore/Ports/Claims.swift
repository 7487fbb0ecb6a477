/// Something that one holder at a time has: a leadership, a lock, a partition. A claim ends when it is released, or
/// with the lease it was made under.
package struct HeldClaim<Holder: Sendable & Equatable>: Sendable, Equatable {
  package var holder: Holder
  /// Larger than that of every earlier holder of the name: it fences.
  package var token: Int64

  package init(holder: Holder, token: Int64) {
    self.holder = holder
    self.token = token
  }
}

/// That a claim was won, given up or lost, by whomever.
package struct ClaimChange<Holder: Sendable & Equatable>: Sendable, Equatable {
  package var name: String
  /// Who has it now; nil when nobody has.
  package var claim: HeldClaim<Holder>?
  /// The revision at which that is so.
  package var revision: Int64

  package init(name: String, claim: HeldClaim<Holder>?, revision: Int64) {
    self.name = name
    self.claim = claim
    self.revision = revision
  }
}

/// How an attempt to claim something ended.
package enum ClaimOutcome<Holder: Sendable & Equatable>: Sendable, Equatable {
  case won(token: Int64)
  /// Somebody else has it; who, unless they gave it up meanwhile.
  case held(HeldClaim<Holder>?)
}

/// Who has what, for one sort of things. What is remembered answers at once and may be old; only claims decide. Every
/// method may be called from any task at once.
package protocol Claims<Holder>: Sendable {
  associatedtype Holder: Sendable, Equatable

  /// The claim as last heard of.
  func cached(_ name: String) -> HeldClaim<Holder>?

  /// The claim as it is now, or nil.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when it cannot be asked for.
  func lookUp(_ name: String) async throws(GridError) -> HeldClaim<Holder>?

  /// Every claim as it is now, by name.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when they cannot be asked for.
  func lookUpAll() async throws(GridError) -> [HeldClaim<Holder>]

  /// Tries once. Of simultaneous attempts at most one wins.
  ///
  /// - Parameter lease: what the claim ends with.
  /// - Throws: ``GridError/Code/leaseLost``, ``GridError/Code/unavailable``.
  func claim(_ holder: Holder, lease: Int64) async throws(GridError) -> ClaimOutcome<Holder>

  /// Gives up what was won with `token`; a later holder's is left alone.
  func release(_ name: String, token: Int64) async throws(GridError)
}
