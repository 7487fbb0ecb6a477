package import GridCore

/// Who an activation is.
package enum ActorIdentity: Sendable, Equatable {
  /// It holds the name in the namespace, with that fencing token.
  case named(String, epoch: Int64)
  /// It has no name: a number of its node, and the incarnation in which the node made it.
  case local(number: UInt64, incarnation: Int64)
}

extension ActorCell {
  /// Its address as it is typed. Costs nothing of one with a name; of another it is put together.
  package var name: String {
    switch identity {
    case .named(let name, _): name
    case .local(let number, let incarnation):
      LocalAddress(kind: kind.name, number: number, node: host.nodeName, incarnation: incarnation).description
    }
  }

  /// The fencing token of its name; 0 of one without.
  package var epoch: Int64 { if case .named(_, let epoch) = identity { epoch } else { 0 } }

  package var hasName: Bool { if case .named = identity { true } else { false } }

  /// Whether a local address with its number is its own: not that of one that a predecessor of the node had made.
  package func isReached(by address: LocalAddress) -> Bool {
    identity == .local(number: address.number, incarnation: address.incarnation) && kind.name == address.kind
      && host.nodeName == address.node
  }

  /// Tells the cluster what became of it. Of actors without names there are no events: a million of them would leave no
  /// room for what happens to the others.
  package func happened(_ fact: GridEvent.Fact) { if hasName { host.happened(fact, name) } }

  /// Hands a message over that was not handled, with its true target: who sends by reference names none.
  func deadLetter(_ envelope: Envelope, _ reason: DeadLetter.Reason, _ detail: String) {
    guard envelope.target.isEmpty else { return host.deadLetter(envelope, reason, detail) }
    var letter = envelope
    letter.target = name
    host.deadLetter(letter, reason, detail)
  }
}
