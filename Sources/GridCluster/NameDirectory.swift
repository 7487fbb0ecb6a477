package import GridCore
internal import Synchronization

/// Who holds which name: a copy of the store's actor entries kept by a watch, and the transactions that claim and
/// release.
///
/// The copy answers look-ups at once; it may lag behind by the watch's delay, so a miss is checked with the store, and
/// ownership is decided by the store's transactions alone.
package final class NameDirectory: Sendable {
  /// A holder as the store has it.
  package struct Entry: Sendable, Equatable {
    package var record: ActorRecord
    /// The revision of the claim: the actor's epoch, its fencing token.
    package var epoch: Int64
  }

  private let store: any CoordinationStore
  private let keys: StoreKeys
  private struct State {
    var entries: [String: Entry] = [:]
    /// Raised by every change, so that an answer of the store can be told to be older than what is known.
    var version = 0
    /// The revision up to which the watch has told everything.
    var heardOf: Int64 = 0
  }

  private let state = Mutex(State())
  private let bell = ChangeBell()

  package init(store: any CoordinationStore, keys: StoreKeys) {
    self.store = store
    self.keys = keys
  }

  /// The holder as last heard of, without asking the store.
  package func cached(_ name: String) -> Entry? { state.withLock { $0.entries[name] } }

  /// Listens for the next change of a name; ask for it before looking at the state.
  package func listen(for name: String) -> Ring { bell.listen(for: name) }

  /// So many of the names that were heard of, in no order.
  package func names(atMost count: Int) -> [String] { state.withLock { Array($0.entries.keys.prefix(count)) } }

  /// How many names with that beginning were heard of.
  package func count(withPrefix prefix: String) -> Int {
    state.withLock { $0.entries.keys.count { $0.hasPrefix(prefix) } }
  }

  /// The epochs of the claims that were heard of of one incarnation of a node, by name.
  package func claims(ofNode node: String, incarnation: Int64) -> [String: Int64] {
    state.withLock { $0.entries }
      .filter { $0.value.record.node == node && $0.value.record.incarnation == incarnation }.mapValues(\.epoch)
  }

  /// The holder as the store has it now, or nil.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the store cannot be asked.
  package func lookUp(_ name: String) async throws(GridError) -> Entry? {
    let version = state.withLock { $0.version }
    let found = try await store.get(keys.actor(name)).flatMap(self.entry)
    state.withLock { state in
      // What was heard while the answer was on its way may be newer than the answer.
      if state.version == version { state.entries[name] = found }
    }
    return found
  }

  /// Claims a name for an actor of this node. Of two simultaneous claims in the namespace exactly one succeeds.
  ///
  /// - Returns: the epoch of the claim.
  /// - Throws: ``GridError/Code/nameTaken`` with the holder, ``GridError/Code/leaseLost``,
  /// ``GridError/Code/unavailable``.
  package func claim(_ record: ActorRecord, lease: Int64) async throws(GridError) -> Int64 {
    let key = keys.actor(record.name)
    let transaction = StoreTransaction(
      when: [.isAbsent(key)], then: [.put(key: key, value: record.json.serialized(), lease: lease)],
      otherwise: [.get(key: key)])
    let known = cached(record.name)?.epoch
    let outcome: StoreOutcome
    do throws(GridError) {
      outcome = try await store.commit(transaction)
    } catch {
      // The transaction may have been carried out all the same: what stands there now decides.
      guard error.code == .unavailable, let entry = try await store.get(key), entry.lease == lease,
        entry.createRevision != known, self.entry(entry)?.record == record
      else { throw error }
      return claimed(record, epoch: entry.createRevision)
    }
    if outcome.succeeded { return claimed(record, epoch: outcome.revision) }
    throw Self.taken(record.name, by: outcome.reads.first.flatMap { $0 }.flatMap(self.entry))
  }

  /// Frees a name that this node claimed at `epoch`; a later holder's claim is left alone.
  package func release(_ name: String, epoch: Int64) async throws(GridError) {
    let key = keys.actor(name)
    _ = try await store.commit(
      StoreTransaction(when: [.createRevision(key, equals: epoch)], then: [.delete(key: key)]))
    state.withLock { state in
      guard state.entries[name]?.epoch == epoch else { return }
      state.entries[name] = nil
      state.version += 1
    }
  }

  /// Keeps the copy current until the task is cancelled. Runs again after every fault the engine could not hide.
  ///
  /// - Parameter follows: called once the copy is whole.
  func watch(_ follows: () -> Void = {}) async throws {
    let snapshot = try await store.range(prefix: keys.actors)
    replace(with: snapshot)
    follows()
    try await store.watch(prefix: keys.actors, after: snapshot.revision) { [self] event in
      switch event {
      case .changes(let changes, let revision): apply(changes, upTo: revision)
      case .resynchronised(let snapshot): replace(with: snapshot)
      }
    }
  }

  private func replace(with snapshot: StoreSnapshot) {
    var fresh: [String: Entry] = [:]
    for entry in snapshot.entries {
      if let parsed = self.entry(entry) { fresh[parsed.record.name] = parsed }
    }
    let complete = fresh
    state.withLock { state in
      state.entries = complete
      state.heardOf = snapshot.revision
      state.version += 1
    }
    bell.ringAll()
  }

  private func apply(_ changes: [StoreChange], upTo revision: Int64) {
    let named = changes.map { ($0, keys.name($0.key, under: keys.actors)) }
    state.withLock { state in
      for (change, name) in named {
        switch change {
        case .put(let entry): state.entries[name] = self.entry(entry)
        case .delete(_, let revision):
          // A claim of ours may be newer than the delete that is only now heard of.
          if let known = state.entries[name], known.epoch < revision { state.entries[name] = nil }
        }
      }
      state.heardOf = revision
      state.version += 1
    }
    for (_, name) in named { bell.ring(name) }
  }

  private func claimed(_ record: ActorRecord, epoch: Int64) -> Int64 {
    state.withLock { state in
      // The watch may have told of the claim already, and even of its end.
      guard epoch > state.heardOf else { return }
      state.entries[record.name] = Entry(record: record, epoch: epoch)
      state.version += 1
    }
    return epoch
  }

  private func entry(_ entry: StoreEntry) -> Entry? {
    ActorRecord(entry, under: keys.actors).map { Entry(record: $0, epoch: entry.createRevision) }
  }

  private static func taken(_ name: String, by holder: Entry?) -> GridError {
    let place = holder.map { ": it runs on \($0.record.node) as kind \($0.record.kind)" } ?? ""
    return GridError(
      .nameTaken, "the name \(name) is taken\(place)", hint: "choose another name, or pass --if-absent to accept it")
  }
}
