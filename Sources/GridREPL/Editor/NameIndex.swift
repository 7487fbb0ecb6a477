internal import GridClient
internal import GridCommands
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// The names a cluster has, as far as they are known: asked for in the background, answered from at once.
final class NameIndex: Sendable {
  /// How many names of a noun are kept.
  static let capacity = 50_000
  /// Names that are older are asked for again when somebody wants them.
  private static let freshness = Duration.seconds(2)

  private struct State {
    var names: [CompletionNoun: [String]] = [:]
    var cluster: String?
    var refreshedAt: MonotonicTime?
  }

  private static let sources: [(CompletionNoun, String, String)] = [
    (.actor, "actors", "name"), (.node, "peers", "name"), (.kind, "kinds", "name"), (.leader, "leader.list", "name"),
    (.deadLetter, "deadLetters.list", "id"),
  ]

  private let state = Mutex(State())
  private let wanted = Signal<Void>()
  private let clock: any GridClock

  init(clock: any GridClock) { self.clock = clock }

  /// The names that begin with `prefix`, sorted; has them asked for again when they are old.
  func names(_ noun: CompletionNoun, prefix: String) -> [String] {
    let (names, isFresh) = state.withLock { state in
      (state.names[noun] ?? [], state.refreshedAt.map { clock.now() - $0 < Self.freshness } ?? false)
    }
    if !isFresh { wanted.raise() }
    return names.filter { $0.hasPrefix(prefix) }
  }

  /// Has the names asked for again: something may have changed.
  func refresh() { wanted.raise() }

  func set(_ noun: CompletionNoun, _ names: [String]) {
    state.withLock { $0.names[noun] = Array(Set(names).sorted().prefix(Self.capacity)) }
  }

  /// Asks for names over a connection, now and whenever they are wanted, until cancelled.
  ///
  /// - Parameter cluster: what tells the cluster from others: the names of another one are forgotten at once.
  func follow(_ connection: NodeConnection, of cluster: String) async {
    state.withLock { state in
      if state.cluster != cluster { state.names = [:] }
      state.cluster = cluster
    }
    while !Task.isCancelled {
      for (noun, verb, field) in Self.sources {
        let limit = noun == .deadLetter ? 200 : Self.capacity
        let list = try? await connection.list(verb, ["bodies": "none"], limit: limit, timeout: .seconds(5))
        guard let list, !Task.isCancelled else { continue }
        set(noun, list.items.compactMap { $0[field]?.stringValue })
      }
      state.withLock { $0.refreshedAt = clock.now() }
      await wanted.wait()
      // Somebody who holds TAB down asks no more often than this.
      try? await Task.sleep(for: .milliseconds(200))
    }
  }
}
