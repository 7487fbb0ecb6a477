internal import GridConcurrency
package import GridCore
internal import Synchronization

/// Who leads under which name: the claims of the store's leader entries.
///
/// As with names of actors, what is remembered answers questions at once and only the store's transactions decide.
package final class StoreClaims: Claims {
  package typealias Claim = HeldClaim<LeaderRecord>

  private let store: any CoordinationStore
  private let keys: StoreKeys
  private let mirror: StoreMirror<Claim>
  private let turns = ClaimTurns()
  /// The tokens that were won here and not released, by name.
  private let won = Mutex<[String: Int64]>([:])

  package init(store: any CoordinationStore, keys: StoreKeys) {
    self.store = store
    self.keys = keys
    mirror = StoreMirror(store: store, prefix: keys.leaders) { Self.claim($0, keys) }
  }

  package func cached(_ name: String) -> Claim? { mirror[name] }

  /// Every claim that was heard of, by name.
  package var all: [Claim] { mirror.all }

  package func lookUpAll() async throws(GridError) -> [Claim] {
    try await store.range(prefix: keys.leaders).entries.compactMap { Self.claim($0, keys) }
      .sorted { $0.holder.name < $1.holder.name }
  }

  /// Listens for the next change of a name; ask for it before looking at the state.
  package func listen(for name: String) -> Ring { mirror.listen(for: name) }

  package func lookUp(_ name: String) async throws(GridError) -> Claim? {
    try await store.get(keys.leader(name)).flatMap { Self.claim($0, keys) }
  }

  package func claim(_ holder: LeaderRecord, lease: Int64) async throws(GridError) -> ClaimOutcome<LeaderRecord> {
    try await turns.take(holder.name) { () throws(GridError) in
      let outcome = try await claimInTurn(holder, lease: lease)
      if case .won(let token) = outcome { won.withLock { $0[holder.name] = token } }
      return outcome
    }
  }

  private func claimInTurn(
    _ holder: LeaderRecord, lease: Int64
  ) async throws(GridError) -> ClaimOutcome<LeaderRecord> {
    let key = keys.leader(holder.name)
    let outcome = try await store.commit(
      StoreTransaction(
        when: [.isAbsent(key)], then: [.put(key: key, value: holder.json.serialized(), lease: lease)],
        otherwise: [.get(key: key)]))
    guard !outcome.succeeded else { return .won(token: outcome.revision) }
    let entry = outcome.reads.first.flatMap { $0 }
    // An attempt whose answer was lost may have won: the entry is ours then, under our lease, and nobody here has it.
    if let entry, entry.lease == lease, entry.createRevision != won.withLock({ $0[holder.name] }),
      let held = Self.claim(entry, keys), held.holder == holder
    {
      return .won(token: entry.createRevision)
    }
    return .held(entry.flatMap { Self.claim($0, keys) })
  }

  package func release(_ name: String, token: Int64) async throws(GridError) {
    let key = keys.leader(name)
    _ = try await store.commit(
      StoreTransaction(when: [.createRevision(key, equals: token)], then: [.delete(key: key)]))
    won.withLock { if $0[name] == token { $0[name] = nil } }
  }

  /// Keeps what is remembered current until the task is cancelled.
  ///
  /// - Parameters:
  ///   - changed: told of every change that the watch brings, in order.
  ///   - whole: called once everything is known.
  func follow(
    _ changed: @escaping @Sendable (ClaimChange<LeaderRecord>) -> Void, whole: () -> Void = {}
  ) async throws {
    try await mirror.follow(
      { event in
        guard case .news(let news) = event, news.before != news.value else { return }
        changed(ClaimChange(name: news.name, claim: news.value, revision: news.revision))
      }, whole: whole)
  }

  private static func claim(_ entry: StoreEntry, _ keys: StoreKeys) -> Claim? {
    LeaderRecord(entry, under: keys.leaders).map { Claim(holder: $0, token: entry.createRevision) }
  }

  // MARK: Runs

  /// The last run under the leadership that ended well, or nil.
  package func lastRun(_ name: String) async throws(GridError) -> RunRecord? {
    try await store.get(keys.run(name)).flatMap { RunRecord($0, under: keys.runs) }
  }

  /// Records a run that ended well, in the same transaction in which it is seen that its token still leads.
  ///
  /// The record belongs to no lease: it outlives the leadership, the node and the cluster.
  ///
  /// - Returns: whether it leads, and so whether that was recorded.
  package func record(_ run: RunRecord) async throws(GridError) -> Bool {
    try await store.commit(
      StoreTransaction(
        when: [.createRevision(keys.leader(run.name), equals: run.token)],
        then: [.put(key: keys.run(run.name), value: run.json.serialized(), lease: 0)])
    ).succeeded
  }
}
