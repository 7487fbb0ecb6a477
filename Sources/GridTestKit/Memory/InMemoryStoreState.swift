internal import GridCore

/// What an in-memory store holds; changed under its server's lock only. Keys are told apart by their bytes, as in
/// etcd, not by what looks the same.
struct InMemoryStoreState {
  typealias Key = [UInt8]

  /// A lease as the store sees it.
  struct Lease {
    let timeToLive: Duration
    var renewedAt: MonotonicTime

    var endsAt: MonotonicTime { renewedAt + timeToLive }
  }

  struct Revision {
    var number: Int64
    var changes: [StoreChange]
  }

  /// Revisions kept for watches that fall behind; older ones make a watch start afresh.
  static let keptRevisions = 100_000

  private(set) var revision: Int64 = 1
  /// Revisions up to this one can no longer be replayed.
  private(set) var compacted: Int64 = 0
  /// Told of what changes, when it does; with the lock held.
  var observer: (@Sendable ([StoreChange]) -> Void)?
  private var log: [Revision] = []
  private var entries: [Key: StoreEntry] = [:]
  private var keysByLease: [Int64: Set<Key>] = [:]
  var leases: [Int64: Lease] = [:]
  private var nextLease: Int64 = 1

  // MARK: Reading

  func entry(_ key: String) -> StoreEntry? { entries[Key(key.utf8)] }

  /// Everything, sorted by the bytes of the keys.
  var all: [StoreEntry] { entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value) }

  func range(_ range: StoreRange) -> StorePage {
    let after = range.after.map { Key($0.utf8) }
    let found = entries.filter { key, _ in
      key.starts(with: range.prefix.utf8) && after.map { $0.lexicographicallyPrecedes(key) } ?? true
    }
    let sorted = found.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    return StorePage(
      entries: Array(sorted.prefix(range.limit)), revision: revision, hasMore: sorted.count > range.limit)
  }

  /// The changes under `prefix` after a revision, or nil when they can no longer be told.
  func changes(_ prefix: String, after known: Int64) -> [StoreChange]? {
    guard known >= compacted, known <= revision else { return nil }
    let first = log.partitioningIndex { $0.number > known }
    return log[first...].flatMap(\.changes).filter { $0.key.utf8.starts(with: prefix.utf8) }
  }

  mutating func compact() {
    log = []
    compacted = revision
  }

  // MARK: Transactions

  mutating func commit(_ transaction: StoreTransaction) throws(GridError) -> StoreOutcome {
    let succeeded = transaction.comparisons.allSatisfy(holds)
    let operations = succeeded ? transaction.success : transaction.failure
    for case .put(_, _, let lease) in operations where lease != 0 && leases[lease] == nil {
      throw GridError(.leaseLost, "lease \(lease) has ended")
    }
    var changes: [StoreChange] = []
    var reads: [StoreEntry?] = []
    for operation in operations {
      switch operation {
      case .put(let key, let value, let lease): changes.append(put(key, value, lease))
      case .delete(let key): if let change = delete(Key(key.utf8)) { changes.append(change) }
      case .get(let key): reads.append(entry(key))
      }
    }
    finish(changes)
    return StoreOutcome(succeeded: succeeded, revision: revision, reads: reads)
  }

  private func holds(_ comparison: StoreComparison) -> Bool {
    switch comparison {
    case .isAbsent(let key): entry(key) == nil
    case .createRevision(let key, let revision): entry(key)?.createRevision == revision
    case .modifyRevision(let key, let revision): entry(key)?.modifyRevision == revision
    }
  }

  private mutating func put(_ key: String, _ value: [UInt8], _ lease: Int64) -> StoreChange {
    let bytes = Key(key.utf8)
    let old = entries[bytes]
    if let old { keysByLease[old.lease]?.remove(bytes) }
    let entry = StoreEntry(
      key: key, value: value, createRevision: old?.createRevision ?? revision + 1, modifyRevision: revision + 1,
      lease: lease)
    entries[bytes] = entry
    if lease != 0 { keysByLease[lease, default: []].insert(bytes) }
    return .put(entry)
  }

  private mutating func delete(_ key: Key) -> StoreChange? {
    guard let old = entries.removeValue(forKey: key) else { return nil }
    keysByLease[old.lease]?.remove(key)
    return .delete(key: old.key, revision: revision + 1)
  }

  private mutating func finish(_ changes: [StoreChange]) {
    guard !changes.isEmpty else { return }
    revision += 1
    observer?(changes)
    log.append(Revision(number: revision, changes: changes))
    if log.count > Self.keptRevisions {
      let half = log.count / 2
      compacted = log[half - 1].number
      log.removeFirst(half)
    }
  }

  // MARK: Leases

  mutating func grant(_ timeToLive: Duration, at now: MonotonicTime) -> StoreLease {
    let lease = StoreLease(identifier: nextLease, timeToLive: timeToLive)
    nextLease += 1
    leases[lease.identifier] = Lease(timeToLive: timeToLive, renewedAt: now)
    return lease
  }

  /// Removes a lease with everything it owns, as one revision.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  mutating func endLease(_ identifier: Int64) -> Bool {
    guard leases.removeValue(forKey: identifier) != nil else { return false }
    let keys = keysByLease.removeValue(forKey: identifier) ?? []
    finish(keys.sorted { $0.lexicographicallyPrecedes($1) }.compactMap { delete($0) })
    return true
  }
}

extension Array {
  /// The first index whose element meets a condition that, once met, is met by all that follow.
  fileprivate func partitioningIndex(where condition: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
