package import GridCore
internal import Synchronization

/// That a leadership was won, given up or lost.
package struct LeaderChange: Sendable, Equatable {
  package var name: String
  /// Who leads now; nil when nobody does.
  package var leader: LeaderDirectory.Entry?
  /// The revision of the store at which that is so.
  package var revision: Int64
}

/// Who leads under which name: a copy of the store's leader entries kept by a watch, and the transactions that win and
/// give up a leadership.
///
/// As with names of actors, the copy answers questions at once and only the store's transactions decide.
package final class LeaderDirectory: Sendable {
  /// A leader as the store has it.
  package struct Entry: Sendable, Equatable {
    package var record: LeaderRecord
    /// The revision at which it was won: larger than that of every earlier leader of the name.
    package var token: Int64
  }

  /// How an attempt to win a leadership ended.
  package enum Claim: Sendable, Equatable {
    case won(token: Int64)
    /// Somebody else leads; who, unless they gave it up meanwhile.
    case held(Entry?)
  }

  private let store: any CoordinationStore
  private let keys: StoreKeys
  private let entries = Mutex<[String: Entry]>([:])
  private let bell = ChangeBell()
  private let changed: @Sendable (LeaderChange) -> Void

  /// - Parameter changed: told of every change that the watch brings, in order, from the task of ``watch()``.
  package init(
    store: any CoordinationStore, keys: StoreKeys, changed: @escaping @Sendable (LeaderChange) -> Void
  ) {
    self.store = store
    self.keys = keys
    self.changed = changed
  }

  /// The leader as last heard of, without asking the store.
  package func cached(_ name: String) -> Entry? { entries.withLock { $0[name] } }

  /// Every leader that was heard of, by name.
  package var all: [Entry] { entries.withLock { $0.values.sorted { $0.record.name < $1.record.name } } }

  /// Every leader as the store has it now, by name: the copy may still have one that is gone.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the store cannot be asked.
  package func lookUpAll() async throws(GridError) -> [Entry] {
    try await store.range(prefix: keys.leaders).entries.compactMap(entry)
      .sorted { $0.record.name < $1.record.name }
  }

  /// Listens for the next change of a name; ask for it before looking at the state.
  package func listen(for name: String) -> Ring { bell.listen(for: name) }

  /// The leader as the store has it now, or nil.
  package func lookUp(_ name: String) async throws(GridError) -> Entry? {
    try await store.get(keys.leader(name)).flatMap(self.entry)
  }

  /// Tries once to win the leadership. Of simultaneous attempts at most one wins.
  ///
  /// - Throws: ``GridError/Code/leaseLost``, ``GridError/Code/unavailable``.
  package func claim(_ record: LeaderRecord, lease: Int64) async throws(GridError) -> Claim {
    let key = keys.leader(record.name)
    let outcome = try await store.commit(
      StoreTransaction(
        when: [.isAbsent(key)], then: [.put(key: key, value: record.json.serialized(), lease: lease)],
        otherwise: [.get(key: key)]))
    guard !outcome.succeeded else { return .won(token: outcome.revision) }
    let entry = outcome.reads.first.flatMap { $0 }
    // An attempt whose answer was lost may have won: the entry is ours then, under our lease.
    if let entry, entry.lease == lease, let held = self.entry(entry), held.record == record {
      return .won(token: entry.createRevision)
    }
    return .held(entry.flatMap(self.entry))
  }

  /// Gives a leadership up; a later leader's is left alone.
  package func release(_ name: String, token: Int64) async throws(GridError) {
    let key = keys.leader(name)
    _ = try await store.commit(
      StoreTransaction(when: [.createRevision(key, equals: token)], then: [.delete(key: key)]))
  }

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

  /// Keeps the copy current until the task is cancelled. Runs again after every fault the engine could not hide.
  ///
  /// - Parameter follows: called once the copy is whole.
  func watch(_ follows: () -> Void = {}) async throws {
    let snapshot = try await store.range(prefix: keys.leaders)
    replace(with: snapshot)
    follows()
    try await store.watch(prefix: keys.leaders, after: snapshot.revision) { [self] event in
      switch event {
      case .changes(let changes, _): for change in changes { apply(change) }
      case .resynchronised(let snapshot): replace(with: snapshot)
      }
    }
  }

  private func replace(with snapshot: StoreSnapshot) {
    var fresh: [String: Entry] = [:]
    for entry in snapshot.entries { if let parsed = self.entry(entry) { fresh[parsed.record.name] = parsed } }
    let complete = fresh
    let before = entries.withLock { entries in
      defer { entries = complete }
      return entries
    }
    for name in Set(before.keys).union(complete.keys).sorted() where before[name] != complete[name] {
      changed(LeaderChange(name: name, leader: complete[name], revision: snapshot.revision))
    }
    bell.ringAll()
  }

  private func apply(_ change: StoreChange) {
    let name = keys.name(change.key, under: keys.leaders)
    let entry: Entry?
    let revision: Int64
    switch change {
    case .put(let put): (entry, revision) = (self.entry(put), put.modifyRevision)
    case .delete(_, let deleted): (entry, revision) = (nil, deleted)
    }
    let isNews = entries.withLock { entries in
      if entry == nil, entries[name] == nil { return false }
      entries[name] = entry
      return true
    }
    if isNews { changed(LeaderChange(name: name, leader: entry, revision: revision)) }
    bell.ring(name)
  }

  private func entry(_ entry: StoreEntry) -> Entry? {
    LeaderRecord(entry, under: keys.leaders).map { Entry(record: $0, token: entry.createRevision) }
  }
}
