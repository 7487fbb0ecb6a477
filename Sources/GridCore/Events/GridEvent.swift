/// A fact about the cluster, as seen by one node.
public struct GridEvent: Sendable, Equatable {
  /// What kind of thing it happened to.
  public enum Kind: String, Sendable, CaseIterable {
    case node, peer, actor, leader, link
  }

  /// Counts the events of the node that saw it, from 1.
  public var sequence: Int64
  public var at: CalendarTime
  /// The node that saw it.
  public var node: String
  /// The name of the node, peer, actor, leadership or, of a link, of who is at its other end.
  public var name: String
  public var fact: Fact

  package init(sequence: Int64, at: CalendarTime, node: String, name: String, fact: Fact) {
    self.sequence = sequence
    self.at = at
    self.node = node
    self.name = name
    self.fact = fact
  }

  public var kind: Kind { fact.kind }

  /// What happened, for a person to read: `joined at 10.0.0.2:4743`. Programs look at ``fact``.
  public var text: String { EventText.of(fact) }
}

extension GridEvent {
  /// What happened, to the thing that the event names. More cases may come.
  public enum Fact: Sendable, Equatable {
    // The node that tells it.

    /// The node has joined its namespace.
    case nodeJoined(namespace: String, incarnation: Int64)
    /// The node begins to leave.
    case nodeLeaves
    /// The node is no member any more: it stops its actors, and joins again.
    case nodeLostMembership(GridError)
    /// The node's certificate ends soon, or has ended; told once a day.
    case certificateExpires(at: CalendarTime)
    /// Connections to the node were refused: one from a place that has not been told for a minute, by somebody who says
    /// to be that; or, with no place, as many others as there were meanwhile.
    case logInRefused(from: String, as: String, count: Int, GridError)

    // Its peers.

    /// A peer has joined and is reached at the address.
    case peerJoined(address: String)
    /// A peer has said goodbye.
    case peerLeft
    /// A peer has gone without a goodbye.
    case peerDied

    // Actors.

    case actorSpawned(kind: String, epoch: Int64)
    case actorEnded(TerminationReason, epoch: Int64)
    /// It failed, and its supervision puts a fresh one in its place after the pause.
    case actorFailed(GridError, restartsIn: Duration)
    case actorRestarted(by: RestartCause)
    /// An actor that is to run once in the namespace failed so many times in a row; it is started again then.
    case singletonFailed(GridError, count: Int, startsIn: Duration)

    // Leaderships.

    case leaderElected(node: String, token: Int64)
    case leaderLost

    // Links to peers.

    case linkOpened
    case linkClosed(GridError)

    /// What a newer node calls an event, in its own words.
    case other(Kind, text: String)
  }

  /// Who had an actor start afresh.
  public enum RestartCause: String, Sendable, CaseIterable {
    case request, supervision
  }
}

extension GridEvent.Fact {
  /// What kind of thing it happened to.
  public var kind: GridEvent.Kind {
    switch self {
    case .nodeJoined, .nodeLeaves, .nodeLostMembership, .certificateExpires, .logInRefused: .node
    case .peerJoined, .peerLeft, .peerDied: .peer
    case .actorSpawned, .actorEnded, .actorFailed, .actorRestarted, .singletonFailed: .actor
    case .leaderElected, .leaderLost: .leader
    case .linkOpened, .linkClosed: .link
    case .other(let kind, _): kind
    }
  }
}
