/// The small, strictly consistent key-value store that names, peers and leaders live in.
///
/// The words are etcd's (v3 API): every change of the store gets the next *revision*; an entry remembers the revision
/// it was created at and last modified at; a *lease* owns entries and removes them when it ends. One conformance suite
/// in GridTestKit holds every engine to the same behaviour.
///
/// Every method may be called from any task at once. A method that cannot reach the store throws
/// ``GridError/Code/unavailable`` within its own deadline (engines use at most 5 s) and never hangs.
public protocol CoordinationStore: Sendable {
  /// A short description for `node info` and `check`: engine, version, place.
  func describe() async throws(GridError) -> StoreDescription

  /// The entries whose keys start with `prefix` (all of them for an empty one), sorted by key, with the revision of the
  /// store at which they were read. The read is linearizable.
  func range(prefix: String) async throws(GridError) -> StoreSnapshot

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
  /// A break that the engine can repair is repaired without the caller noticing. Where changes cannot be replayed (a
  /// compaction, a rewound store) one ``WatchEvent/resynchronised(_:)`` with the complete present state stands in for
  /// them; changes after its revision follow.
  func watch(
    prefix: String, after revision: Int64,
    _ receive: @escaping @Sendable (WatchEvent) async throws -> Void
  ) async throws

  /// Releases threads, connections and files; leases still held are revoked where that is possible at once.
  func close() async
}

/// One entry of the store.
public struct StoreEntry: Sendable, Equatable {
  public var key: String
  public var value: [UInt8]
  /// The revision at which this entry came to be. It is never used again, so it fences: a later holder's is larger.
  public var createRevision: Int64
  /// The revision of the last change.
  public var modifyRevision: Int64
  /// The lease that owns the entry; 0 when none does.
  public var lease: Int64

  public init(key: String, value: [UInt8], createRevision: Int64, modifyRevision: Int64, lease: Int64) {
    self.key = key
    self.value = value
    self.createRevision = createRevision
    self.modifyRevision = modifyRevision
    self.lease = lease
  }
}

/// Entries and the revision of the store at which they were read together.
public struct StoreSnapshot: Sendable, Equatable {
  public var entries: [StoreEntry]
  public var revision: Int64

  public init(entries: [StoreEntry], revision: Int64) {
    self.entries = entries
    self.revision = revision
  }
}

/// Comparisons, and what to do when they hold or do not.
public struct StoreTransaction: Sendable, Equatable {
  public var comparisons: [StoreComparison]
  public var success: [StoreOperation]
  public var failure: [StoreOperation]

  public init(
    when comparisons: [StoreComparison] = [], then success: [StoreOperation], otherwise failure: [StoreOperation] = []
  ) {
    self.comparisons = comparisons
    self.success = success
    self.failure = failure
  }
}

/// A condition on one key.
public enum StoreComparison: Sendable, Equatable {
  /// There is no entry at the key.
  case isAbsent(String)
  /// The entry at the key was created at this revision.
  case createRevision(String, equals: Int64)
  /// The entry at the key was last modified at this revision.
  case modifyRevision(String, equals: Int64)
}

/// One step of a transaction.
public enum StoreOperation: Sendable, Equatable {
  /// Writes `value`; `lease` 0 ties it to no lease.
  case put(key: String, value: [UInt8], lease: Int64)
  /// Removes the entry if there is one.
  case delete(key: String)
  /// Reads the entry; its result stands in ``StoreOutcome/reads`` in the order of the gets.
  case get(key: String)
}

/// What a transaction did.
public struct StoreOutcome: Sendable, Equatable {
  /// Whether the comparisons held.
  public var succeeded: Bool
  /// The revision of the store after the transaction; entries put by it have it as their modify revision.
  public var revision: Int64
  /// The results of the gets that ran, in order.
  public var reads: [StoreEntry?]

  public init(succeeded: Bool, revision: Int64, reads: [StoreEntry?]) {
    self.succeeded = succeeded
    self.revision = revision
    self.reads = reads
  }
}

/// A lease as granted.
public struct StoreLease: Sendable, Equatable {
  public var identifier: Int64
  /// How long it lives after its last renewal.
  public var timeToLive: Duration

  public init(identifier: Int64, timeToLive: Duration) {
    self.identifier = identifier
    self.timeToLive = timeToLive
  }
}

/// Told by an engine, on the engine's own thread, how a lease fares. Implementations return at once.
public protocol LeaseObserver: Sendable {
  /// A renewal that was *sent* at `sentAt` was acknowledged: the lease is certainly valid until `sentAt` plus its time
  /// to live. Also called once for the grant itself.
  func leaseRenewed(sentAt: MonotonicTime)
  /// The lease has ended, or is known to end: nothing it owned is ours any more. Called at most once.
  func leaseLost(_ reason: GridError)
}

/// What a watch delivers.
public enum WatchEvent: Sendable, Equatable {
  /// Changes of one or more revisions, in order; all changes of a revision are in one event.
  case changes([StoreChange], revision: Int64)
  /// The complete state under the prefix: forget what was known.
  case resynchronised(StoreSnapshot)
}

/// One change of one key.
public enum StoreChange: Sendable, Equatable {
  case put(StoreEntry)
  case delete(key: String, revision: Int64)

  public var key: String {
    switch self {
    case .put(let entry): entry.key
    case .delete(let key, _): key
    }
  }
}

/// What a store says of itself.
public struct StoreDescription: Sendable, Equatable {
  /// `embedded`, `etcd` or `memory`.
  public var engine: String
  public var version: String
  /// A path or addresses, without secrets.
  public var place: String

  public init(engine: String, version: String, place: String) {
    self.engine = engine
    self.version = version
    self.place = place
  }
}
