/// Where an actor is: the node, and which of its lives.
package struct Location: Sendable, Equatable {
  package var node: String
  /// The incarnation of the node.
  package var incarnation: Int64
  /// The claim of the address, larger than that of everybody who had it before: a fencing token.
  package var epoch: Int64
  /// The kind of the actor.
  package var kind: String

  package init(node: String, incarnation: Int64, epoch: Int64, kind: String) {
    self.node = node
    self.incarnation = incarnation
    self.epoch = epoch
    self.kind = kind
  }
}

/// Who holds an address, for one sort of addresses: where messages to it go, and who may run an actor under it.
///
/// What is remembered finds the way and may be old; only claims decide. Every method may be called from any task at
/// once.
package protocol Locator: Sendable {
  /// The location as last heard of, without asking anybody; nil when it is not known here.
  func cached(_ address: String) -> Location?

  /// The location, asked for where it is not known. That nobody has the address may be remembered for a moment, so
  /// that a flood of messages to nobody costs a few questions.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when it cannot be asked for.
  func locate(_ address: String) async throws(GridError) -> Location?

  /// The location as it is now.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when it cannot be asked for.
  func lookUp(_ address: String) async throws(GridError) -> Location?

  /// Claims an address for an actor of this node. Of two simultaneous claims exactly one succeeds.
  ///
  /// - Parameter lease: what the claim ends with.
  /// - Returns: the epoch of the claim.
  /// - Throws: ``GridError/Code/nameTaken`` with the holder, ``GridError/Code/leaseLost``,
  ///   ``GridError/Code/unavailable``.
  func claim(_ record: ActorRecord, lease: Int64) async throws(GridError) -> Int64

  /// Frees an address that was claimed at `epoch`; a later holder's claim is left alone.
  func release(_ address: String, epoch: Int64) async throws(GridError)
}
