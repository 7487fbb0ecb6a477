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
  private let entries = Mutex<[String: Entry]>([:])
  private let bell = ChangeBell()

  package init(store: any CoordinationStore, keys: StoreKeys) {
    self.store = store
    self.keys = keys
  }

  /// The holder as last heard of, without asking the store.
  package func cached(_ name: String) -> Entry? { entries.withLock { $0[name] } }

  /// Listens for the next change of a name; ask for it before looking at the state.
  package func listen(for name: String) -> Ring { bell.listen(for: name) }

  /// Every name that was heard of.
  package var names: [String] { entries.withLock { Array($0.keys) } }

  /// The holder as the store has it now, or nil.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the store cannot be asked.
  package func lookUp(_ name: String) async throws(GridError) -> Entry? {
    let found = try await store.get(keys.actor(name)).flatMap(Self.entry)
    entries.withLock { $0[name] = found }
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
    let outcome: StoreOutcome
    do throws(GridError) {
      outcome = try await store.commit(transaction)
    } catch {
      // The transaction may have been carried out all the same: what stands there now decides.
      guard error.code == .unavailable, let entry = try await store.get(key), entry.lease == lease else { throw error }
      return claimed(record, epoch: entry.createRevision)
    }
    if outcome.succeeded { return claimed(record, epoch: outcome.revision) }
    throw Self.taken(record.name, by: outcome.reads.first.flatMap { $0 }.flatMap(Self.entry))
  }

  /// Frees a name that this node claimed at `epoch`; a later holder's claim is left alone.
  package func release(_ name: String, epoch: Int64) async throws(GridError) {
    let key = keys.actor(name)
    _ = try await store.commit(
      StoreTransaction(when: [.createRevision(key, equals: epoch)], then: [.delete(key: key)]))
    entries.withLock { entries in
      if entries[name]?.epoch == epoch { entries[name] = nil }
    }
  }

  /// Keeps the copy current until the task is cancelled. Runs again after every fault the engine could not hide.
  func watch() async throws {
    let snapshot = try await store.range(prefix: keys.actors)
    replace(with: snapshot)
    try await store.watch(prefix: keys.actors, after: snapshot.revision) { [self] event in
      switch event {
      case .changes(let changes, _): apply(changes)
      case .resynchronised(let snapshot): replace(with: snapshot)
      }
    }
  }

  private func replace(with snapshot: StoreSnapshot) {
    var fresh: [String: Entry] = [:]
    for entry in snapshot.entries {
      if let parsed = Self.entry(entry) { fresh[parsed.record.name] = parsed }
    }
    let complete = fresh
    entries.withLock { $0 = complete }
    bell.ringAll()
  }

  private func apply(_ changes: [StoreChange]) {
    entries.withLock { entries in
      for change in changes {
        let name = String(change.key.dropFirst(keys.actors.count))
        switch change {
        case .put(let entry): entries[name] = Self.entry(entry)
        case .delete(_, let revision):
          // A claim of ours may be newer than the delete that is only now heard of.
          if let known = entries[name], known.epoch < revision { entries[name] = nil }
        }
      }
    }
    for change in changes { bell.ring(String(change.key.dropFirst(keys.actors.count))) }
  }

  private func claimed(_ record: ActorRecord, epoch: Int64) -> Int64 {
    entries.withLock { $0[record.name] = Entry(record: record, epoch: epoch) }
    return epoch
  }

  private static func entry(_ entry: StoreEntry) -> Entry? {
    guard let json = try? JSONValue(parsing: entry.value), let record = try? ActorRecord(json: json) else { return nil }
    return Entry(record: record, epoch: entry.createRevision)
  }

  private static func taken(_ name: String, by holder: Entry?) -> GridError {
    let place = holder.map { ": it runs on \($0.record.node) as kind \($0.record.kind)" } ?? ""
    return GridError(
      .nameTaken, "the name \(name) is taken\(place)", hint: "choose another name, or pass --if-absent to accept it")
  }
}
