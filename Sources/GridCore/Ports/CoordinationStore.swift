/// The small, strictly consistent key-value store that names, peers and leaders live in.
///
/// The words are etcd's (v3 API): every change of the store gets the next *revision*; an entry remembers the revision
/// it was created at and last modified at; a *lease* owns entries and removes them when it ends. One conformance suite
/// in GridTestKit holds every engine to the same behaviour.
///
/// Every method may be called from any task at once. A method that cannot reach the store throws
/// ``GridError/Code/unavailable`` within its own deadline (engines use at most 5 s) and never hangs.
package protocol CoordinationStore: Sendable {
  /// A short description for `node info` and `check`: engine, version, place.
  func describe() async throws(GridError) -> StoreDescription

  /// One page of the entries whose keys start with a prefix, sorted by the bytes of their keys. The read is
  /// linearizable.
  ///
  /// A reading of many pages is of one moment only where the engine keeps what was: each page says at which revision it
  /// was read, and what changed after the first is to be had from a watch. ``range(prefix:)`` reads all pages.
  func range(_ range: StoreRange) async throws(GridError) -> StorePage

  /// The entry at `key`, or nil. The read is linearizable.
  func get(_ key: String) async throws(GridError) -> StoreEntry?

  /// Runs `transaction` atomically: when all its comparisons hold the first list of operations, else the second.
  ///
  /// Ownership is decided here and nowhere else: a read may be stale by the time it is acted on.
  /// - Throws: ``GridError/Code/leaseLost`` when a put names a lease that has ended.
  func commit(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome

  /// Starts a lease and keeps it alive until ``revoke(_:)`` or until it is lost.
  ///
  /// The engine renews on a thread or event loop of its own, never on the cooperative pool, and calls `observer` there:
  /// it must not block. `timeToLive` may be raised to the engine's floor; the lease says what it is.
  func grantLease(timeToLive: Duration, observer: any LeaseObserver) async throws(GridError) -> StoreLease

  /// Ends a lease and removes its entries at once. Ending one that has ended is not an error.
  func revoke(_ lease: StoreLease) async throws(GridError)

  /// Delivers every change under `prefix` with a revision larger than `revision`, each once and in order of revision,
  /// until the task is cancelled (returns) or `receive` throws (rethrows).
  ///
  /// A break that the engine can repair is repaired without the caller noticing. Where changes cannot be told any more
  /// (a compaction, a rewound store) one ``WatchEvent/gap(after:)`` stands in for them; changes after its revision
  /// follow.
  func watch(
    prefix: String, after revision: Int64,
    _ receive: @escaping @Sendable (WatchEvent) async throws -> Void
  ) async throws

  /// Releases threads, connections and files; leases still held are revoked where that is possible at once.
  func close() async
}

/// One entry of the store.
package struct StoreEntry: Sendable, Equatable {
  package var key: String
  package var value: [UInt8]
  /// The revision at which this entry came to be. It is never used again, so it fences: a later holder's is larger.
  package var createRevision: Int64
  /// The revision of the last change.
  package var modifyRevision: Int64
  /// The lease that owns the entry; 0 when none does.
  package var lease: Int64

  package init(key: String, value: [UInt8], createRevision: Int64, modifyRevision: Int64, lease: Int64) {
    self.key = key
    self.value = value
    self.createRevision = createRevision
    self.modifyRevision = modifyRevision
    self.lease = lease
  }
}

/// Which entries to read.
package struct StoreRange: Sendable, Equatable {
  /// The largest page.
  package static let maximumPage = 1000

  /// What the keys start with; empty for all.
  package var prefix: String
  /// Only keys after this one, told by bytes: the last of the page before.
  package var after: String?
  /// At most so many entries, from 1 to ``maximumPage``; an engine may give fewer.
  package var limit: Int
  /// The revision of the first page, for the pages after it: read there by engines that keep what was.
  package var revision: Int64?

  package init(prefix: String, after: String? = nil, limit: Int = maximumPage, revision: Int64? = nil) {
    self.prefix = prefix
    self.after = after
    self.limit = max(1, min(limit, Self.maximumPage))
    self.revision = revision
  }

  /// The range of the page after one.
  package func following(_ page: StorePage) -> StoreRange {
    StoreRange(
      prefix: prefix, after: page.entries.last?.key ?? after, limit: limit, revision: revision ?? page.revision)
  }
}

/// Entries, and the revision of the store at which they were read together.
package struct StorePage: Sendable, Equatable {
  package var entries: [StoreEntry]
  package var revision: Int64
  /// Whether there may be entries after them.
  package var hasMore: Bool

  package init(entries: [StoreEntry], revision: Int64, hasMore: Bool) {
    self.entries = entries
    self.revision = revision
    self.hasMore = hasMore
  }
}

/// All entries of a range, and the revision from which a watch tells what changed while they were read.
package struct StoreSnapshot: Sendable, Equatable {
  package var entries: [StoreEntry]
  package var revision: Int64

  package init(entries: [StoreEntry], revision: Int64) {
    self.entries = entries
    self.revision = revision
  }
}

extension CoordinationStore {
  /// All entries whose keys start with `prefix`, page by page, sorted by key. For what is known to be little.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the store cannot be asked.
  package func range(prefix: String) async throws(GridError) -> StoreSnapshot {
    var snapshot: StoreSnapshot?
    try await pages(of: StoreRange(prefix: prefix)) { page in
      if snapshot == nil { snapshot = StoreSnapshot(entries: [], revision: page.revision) }
      snapshot?.entries += page.entries
    }
    return snapshot ?? StoreSnapshot(entries: [], revision: 0)
  }

  /// Reads page after page.
  ///
  /// - Parameter take: called with each, the first one first; there is at least one.
  /// - Throws: ``GridError/Code/unavailable`` when the store cannot be asked.
  package func pages(of range: StoreRange, _ take: (StorePage) -> Void) async throws(GridError) {
    var range = range
    while true {
      let page = try await self.range(range)
      take(page)
      // An engine that gives nothing and promises more would be asked for ever.
      guard page.hasMore, !page.entries.isEmpty else { return }
      range = range.following(page)
    }
  }
}

/// Comparisons, and what to do when they hold or do not.
package struct StoreTransaction: Sendable, Equatable {
  package var comparisons: [StoreComparison]
  package var success: [StoreOperation]
  package var failure: [StoreOperation]

  package init(
    when comparisons: [StoreComparison] = [], then success: [StoreOperation], otherwise failure: [StoreOperation] = []
  ) {
    self.comparisons = comparisons
    self.success = success
    self.failure = failure
  }
}

/// A condition on one key.
package enum StoreComparison: Sendable, Equatable {
  /// There is no entry at the key.
  case isAbsent(String)
  /// The entry at the key was created at this revision.
  case createRevision(String, equals: Int64)
  /// The entry at the key was last modified at this revision.
  case modifyRevision(String, equals: Int64)
}

/// One step of a transaction.
package enum StoreOperation: Sendable, Equatable {
  /// Writes `value`; `lease` 0 ties it to no lease.
  case put(key: String, value: [UInt8], lease: Int64)
  /// Removes the entry if there is one.
  case delete(key: String)
  /// Reads the entry; its result stands in ``StoreOutcome/reads`` in the order of the gets.
  case get(key: String)
}

/// What a transaction did.
package struct StoreOutcome: Sendable, Equatable {
  /// Whether the comparisons held.
  package var succeeded: Bool
  /// The revision of the store after the transaction; entries put by it have it as their modify revision.
  package var revision: Int64
  /// The results of the gets that ran, in order.
  package var reads: [StoreEntry?]

  package init(succeeded: Bool, revision: Int64, reads: [StoreEntry?]) {
    self.succeeded = succeeded
    self.revision = revision
    self.reads = reads
  }
}

/// A lease as granted.
package struct StoreLease: Sendable, Equatable {
  package var identifier: Int64
  /// How long it lives after its last renewal.
  package var timeToLive: Duration

  package init(identifier: Int64, timeToLive: Duration) {
    self.identifier = identifier
    self.timeToLive = timeToLive
  }
}

/// Told by an engine, on the engine's own thread, how a lease fares. Implementations return at once.
package protocol LeaseObserver: Sendable {
  /// A renewal that was *sent* at `sentAt` was acknowledged: the lease is certainly valid until `sentAt` plus its time
  /// to live. Also called once for the grant itself.
  func leaseRenewed(sentAt: MonotonicTime)
  /// The lease has ended, or is known to end: nothing it owned is ours any more. Called at most once.
  func leaseLost(_ reason: GridError)
}

/// What a watch delivers.
package enum WatchEvent: Sendable, Equatable {
  /// Changes of one or more revisions, in order; all changes of a revision are in one event.
  case changes([StoreChange], revision: Int64)
  /// Changes up to this revision were missed and cannot be told any more: whoever keeps a picture reads everything
  /// anew. Changes after the revision follow.
  case gap(after: Int64)
}

/// One change of one key.
package enum StoreChange: Sendable, Equatable {
  case put(StoreEntry)
  case delete(key: String, revision: Int64)

  package var key: String {
    switch self {
    case .put(let entry): entry.key
    case .delete(let key, _): key
    }
  }
}

/// What a store says of itself.
package struct StoreDescription: Sendable, Equatable {
  /// `embedded`, `etcd` or `memory`.
  package var engine: String
  package var version: String
  /// A path or addresses, without secrets.
  package var place: String

  package init(engine: String, version: String, place: String) {
    self.engine = engine
    self.version = version
    self.place = place
  }
}
