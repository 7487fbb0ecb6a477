internal import GridCore
internal import GridLink

/// Whether a node that greets is the one that the membership knows. Pure.
///
/// That it knows the secret is proved by then: what is asked here is whether it is *this* node, now.
enum PeerGreeting {
  /// Why a node that has dialled us is refused; nil accepts it.
  ///
  /// - Parameters:
  ///   - own: our name.
  ///   - known: the member of that name, as last heard of.
  static func objection(to other: LinkGreeting, own: String, known: NodeRecord?) -> GridError? {
    guard other.role == .node else { return nil }
    guard other.name != own else {
      return GridError(.nameTaken, "a node named \(NameRules.quoted(other.name)) is a member already")
    }
    // It may have joined before we have heard of it: soon it is known, or it is none.
    guard let known, known.incarnation >= other.incarnation else {
      return GridError(
        .retryLater, "node \(NameRules.quoted(other.name)) is not known here yet", hint: "greet again soon")
    }
    guard known.incarnation == other.incarnation else {
      return GridError(
        .refused, "node \(known.name) has joined anew since, as incarnation \(known.incarnation)",
        hint: "join again")
    }
    return nil
  }

  /// Why who answers is not the node that was dialled; nil when it is.
  static func objection(to answer: LinkGreeting, meant peer: NodeRecord) -> GridError? {
    guard answer.role == .node, answer.name == peer.name else {
      return GridError(.unavailable, "another one than node \(peer.name) answers there")
    }
    guard answer.incarnation != peer.incarnation else { return nil }
    // A node joins before it knows as which incarnation.
    return GridError(
      .retryLater, "node \(peer.name) answers as incarnation \(answer.incarnation), not \(peer.incarnation)",
      hint: "greet again soon")
  }
}
