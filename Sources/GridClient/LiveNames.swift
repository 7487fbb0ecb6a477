internal import GridConcurrency
package import GridCore
package import GridRequests
internal import Synchronization

/// Something in a cluster that has a name now, with what is worth knowing of it.
package enum LiveName: Sendable {
  package enum Noun: String, Sendable, CaseIterable {
    case actor, node, kind, leader, deadLetter, token
  }

  case actor(ActorPlacement)
  case node(PeerReport)
  case kind(KindReport)
  case leader(LeadershipReport)
  case deadLetter(DeadLetterTitle)
  case token(TokenReport)

  package var name: String {
    switch self {
    case .actor(let actor): actor.name
    case .node(let peer): peer.name
    case .kind(let kind): kind.name
    case .leader(let leader): leader.name
    case .deadLetter(let letter): letter.identifier
    case .token(let token): token.identifier
    }
  }

  /// Asks a node for what is called so; of more than `limit`, or than there is room for on `pages`, the first.
  ///
  /// - Parameter prefix: only names that begin with it are needed: of a million, the node tells no others.
  package static func look(
    _ noun: Noun, over connection: NodeConnection, prefix: String = "", limit: Int, pages: Int = .max,
    timeout: Duration
  ) async throws(GridError) -> [LiveName] {
    switch noun {
    case .actor:
      try all(try await connection.list(ActorsRequest.names(prefix: prefix), limit: limit, timeout: timeout)) {
        json throws(GridError) in
        .actor(try ActorPlacement(json: json))
      }
    case .node:
      try all(try await connection.list(PeersRequest(), limit: limit, pages: pages, timeout: timeout)) {
        json throws(GridError) in
        .node(try PeerReport(json: json))
      }
    case .kind:
      try all(try await connection.list(KindsRequest(), limit: limit, pages: pages, timeout: timeout)) {
        json throws(GridError) in
        .kind(try KindReport(json: json))
      }
    case .leader:
      try all(try await connection.list(LeadersRequest(), limit: limit, pages: pages, timeout: timeout)) {
        json throws(GridError) in
        .leader(try LeadershipReport(json: json))
      }
    case .deadLetter:
      try all(
        try await connection.list(
          DeadLettersRequest(DeadLetterFilter(), bodies: .none), limit: limit, pages: pages, timeout: timeout)
      ) { json throws(GridError) in .deadLetter(try DeadLetterTitle(json: json)) }
    case .token:
      // Of those that have ended nothing is left to do.
      try await connection.list(TokensRequest(), limit: limit, pages: pages, timeout: timeout).items()
        .filter { $0.state == .live }.map { .token($0) }
    }
  }

  private static func all<Item>(
    _ list: ClusterList<Item>, _ name: (JSONValue) throws(GridError) -> LiveName
  ) throws(GridError) -> [LiveName] {
    var names: [LiveName] = []
    for element in list.elements { names.append(try name(element)) }
    return names
  }
}

/// The names a cluster has, as far as they are known: asked for in the background, answered from at once.
package final class LiveNames: Sendable {
  /// How many names of a noun are kept.
  package static let capacity = 50_000
  /// Names that are older are asked for again when somebody wants them.
  private static let freshness = Duration.seconds(2)
  /// Somebody who holds TAB down asks no more often than this.
  private static let pause = Duration.milliseconds(200)
  private static let patience = Duration.seconds(5)

  private struct State {
    var names: [LiveName.Noun: [String]] = [:]
    var cluster: String?
    var refreshedAt: MonotonicTime?
  }

  private let state = Mutex(State())
  private let wanted = Signal<Void>()
  private let timers: any Timers

  package init(timers: any Timers = ProcessTimers.shared) { self.timers = timers }

  /// The names that begin with `prefix`, sorted; has them asked for again when they are old.
  package func names(_ noun: LiveName.Noun, prefix: String) -> [String] {
    let (names, isFresh) = state.withLock { state in
      (state.names[noun] ?? [], state.refreshedAt.map { timers.now() - $0 < Self.freshness } ?? false)
    }
    if !isFresh { wanted.raise() }
    return names.filter { $0.hasPrefix(prefix) }
  }

  /// Has the names asked for again: something may have changed.
  package func refresh() { wanted.raise() }

  package func set(_ noun: LiveName.Noun, _ names: [String]) {
    state.withLock { $0.names[noun] = Array(Set(names).sorted().prefix(Self.capacity)) }
  }

  /// Asks for names over a connection, now and whenever they are wanted, until cancelled.
  ///
  /// - Parameter cluster: what tells the cluster from others: the names of another one are forgotten at once.
  package func follow(_ connection: NodeConnection, of cluster: String) async {
    state.withLock { state in
      if state.cluster != cluster { state.names = [:] }
      state.cluster = cluster
    }
    while !Task.isCancelled {
      for noun in LiveName.Noun.allCases {
        let limit = noun == .deadLetter ? 200 : Self.capacity
        let found = try? await LiveName.look(noun, over: connection, limit: limit, timeout: Self.patience)
        guard let found, !Task.isCancelled else { continue }
        set(noun, found.map(\.name))
      }
      state.withLock { $0.refreshedAt = timers.now() }
      await wanted.wait()
      await timers.sleep(for: Self.pause)
    }
  }
}
