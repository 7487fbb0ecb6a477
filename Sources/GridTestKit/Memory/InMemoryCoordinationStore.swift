public import GridCore
internal import Synchronization

/// A coordination store in this process, for tests: the twin of the embedded and the etcd store, held to the same
/// ``CoordinationStoreConformance``.
///
/// Nodes of one test cluster get a client each, of one ``InMemoryStoreServer``.
public final class InMemoryCoordinationStore: CoordinationStore {
  /// The store that this is a client of.
  public let server: InMemoryStoreServer
  private let isClosed = Atomic(false)

  public init(server: InMemoryStoreServer = InMemoryStoreServer()) { self.server = server }

  var identity: ObjectIdentifier { ObjectIdentifier(self) }

  public func describe() async throws(GridError) -> StoreDescription {
    try server.change { shared throws(GridError) in try check(shared) }
    return StoreDescription(engine: "memory", version: "1", place: "this process")
  }

  public func range(prefix: String) async throws(GridError) -> StoreSnapshot {
    try server.change { shared throws(GridError) in
      try check(shared)
      return shared.store.range(prefix)
    }
  }

  public func get(_ key: String) async throws(GridError) -> StoreEntry? {
    try server.change { shared throws(GridError) in
      try check(shared)
      return shared.store.entry(key)
    }
  }

  public func commit(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome {
    try server.change { shared throws(GridError) in
      try check(shared)
      let outcome = try shared.store.commit(transaction)
      guard !shared.losesNextAnswer else {
        shared.losesNextAnswer = false
        throw GridError(.unavailable, "the store's answer was lost")
      }
      return outcome
    }
  }

  public func grantLease(timeToLive: Duration, observer: any LeaseObserver) async throws(GridError) -> StoreLease {
    let sentAt = server.clock.now()
    let lease = try server.change { shared throws(GridError) in
      try check(shared)
      return shared.store.grant(timeToLive, observer, client: identity, at: sentAt)
    }
    observer.leaseRenewed(sentAt: sentAt)
    return lease
  }

  public func revoke(_ lease: StoreLease) async throws(GridError) {
    let ended = try server.change { shared throws(GridError) in
      try check(shared)
      return shared.store.endLease(lease.identifier)
    }
    guard let ended, ended.client != identity else { return }
    ended.observer.leaseLost(GridError(.leaseLost, "lease \(lease.identifier) was ended by another node"))
  }

  public func watch(
    prefix: String, after revision: Int64, _ receive: @escaping @Sendable (WatchEvent) async throws -> Void
  ) async throws {
    var seen = revision
    var (breaks, restarts) = server.withShared { ($0.breaks, $0.restarts) }
    while true {
      let (known, brokenBefore, restartedBefore) = (seen, breaks, restarts)
      await server.wait { [self] shared in
        isClosed.load(ordering: .acquiring) || shared.breaks != brokenBefore || shared.restarts != restartedBefore
          || isDeliverable(shared) && (shared.store.revision != known || known < shared.store.compacted)
      }
      if Task.isCancelled { return }
      let event = try server.change { shared throws(GridError) -> WatchEvent? in
        try checkOpen()
        guard shared.breaks == breaks else { throw GridError(.unavailable, "the watch broke") }
        breaks = shared.breaks
        let changes = shared.restarts == restarts ? shared.store.changes(prefix, after: seen) : nil
        restarts = shared.restarts
        seen = shared.store.revision
        guard let changes else { return .resynchronised(shared.store.range(prefix)) }
        return changes.isEmpty ? nil : .changes(changes, revision: seen)
      }
      if let event { try await receive(event) }
    }
  }

  /// Ends this client's leases and watches. The server and its other clients go on.
  public func close() async {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    server.change { shared in
      for (identifier, held) in shared.store.leases where held.client == identity {
        _ = shared.store.endLease(identifier)
      }
    }
  }

  private func check(_ shared: InMemoryStoreServer.Shared) throws(GridError) {
    try checkOpen()
    guard isReachable(shared) else { throw GridError(.unavailable, "the store cannot be reached") }
  }

  private func checkOpen() throws(GridError) {
    if isClosed.load(ordering: .acquiring) { throw GridError(.unavailable, "the coordination store is closed") }
  }

  private func isReachable(_ shared: InMemoryStoreServer.Shared) -> Bool { !shared.unreachable.contains(identity) }

  private func isDeliverable(_ shared: InMemoryStoreServer.Shared) -> Bool {
    isReachable(shared) && !shared.watchesArePaused
  }
}
