internal import GridConcurrency
package import GridCore
internal import Synchronization

/// A coordination store in this process, for tests: the twin of the embedded and the etcd store, held to the same
/// ``CoordinationStoreConformance``.
///
/// Nodes of one test cluster get a client each, of one ``InMemoryStoreServer``.
package final class InMemoryCoordinationStore: CoordinationStore {
  /// The store that this is a client of.
  package let server: InMemoryStoreServer
  private let isClosed = Atomic(false)

  package init(server: InMemoryStoreServer = InMemoryStoreServer()) { self.server = server }

  var identity: ObjectIdentifier { ObjectIdentifier(self) }

  package func describe() async throws(GridError) -> StoreDescription {
    try await travel { _ throws(GridError) in
      StoreDescription(engine: "memory", version: "1", place: "this process")
    }
  }

  package func range(_ range: StoreRange) async throws(GridError) -> StorePage {
    try await travel { shared throws(GridError) in shared.store.range(range) }
  }

  package func get(_ key: String) async throws(GridError) -> StoreEntry? {
    try await travel { shared throws(GridError) in shared.store.entry(key) }
  }

  package func commit(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome {
    let outcome = try await travel { shared throws(GridError) in try shared.store.commit(transaction) }
    let isLost = server.withShared { shared in
      defer { shared.losesNextAnswer = false }
      return shared.losesNextAnswer
    }
    if isLost { throw Self.answerLost }
    return outcome
  }

  package func grantLease(timeToLive: Duration, observer: any LeaseObserver) async throws(GridError) -> StoreLease {
    let sentAt = server.timers.now()
    let timers = server.timers
    let lease = try await travel { shared throws(GridError) in shared.store.grant(timeToLive, at: timers.now()) }
    server.hold(lease, observer, client: identity, sentAt: sentAt)
    observer.leaseRenewed(sentAt: sentAt)
    return lease
  }

  package func revoke(_ lease: StoreLease) async throws(GridError) {
    // From here on nobody keeps it alive, whatever becomes of the request.
    let identity = identity
    server.withShared { shared in
      if shared.held[lease.identifier]?.client == identity { shared.held[lease.identifier] = nil }
    }
    let others = try await travel { shared throws(GridError) in
      shared.store.endLease(lease.identifier)
      return shared.held.removeValue(forKey: lease.identifier)
    }
    others?.observer.leaseLost(GridError(.leaseLost, "lease \(lease.identifier) was ended by another node"))
  }

  // MARK: Requests

  private static let answerLost = GridError(.unavailable, "the store's answer was lost")

  /// Carries out a request as the store's mischief has it.
  private func travel<Value: Sendable>(
    _ body: @escaping @Sendable (inout InMemoryStoreServer.Shared) throws(GridError) -> Value
  ) async throws(GridError) -> Value {
    let (fate, there, back, timeout) = server.withShared { shared in
      (shared.mischief.fate(), shared.mischief.journey(), shared.mischief.journey(), shared.mischief.faults.timeout)
    }
    try await pass(there / 2)
    switch fate {
    case .carriedOut:
      let value = try server.change { shared throws(GridError) in
        try check(shared)
        return try body(&shared)
      }
      // Carried out it is, so a cancelled task hears of it all the same.
      if back > .zero { await server.timers.sleep(for: back / 2) }
      return value
    case .lost: break
    case .answerLost:
      try server.change { shared throws(GridError) in
        try check(shared)
        _ = try body(&shared)
      }
    case .late(let delay):
      // On its way it is carried out whatever has become of its sender.
      server.timers.schedule(after: timeout + delay) { [server] in
        _ = server.change { shared in
          Result { () throws(GridError) in
            if shared.isAway { throw Self.answerLost }
            return try body(&shared)
          }
        }
      }
    }
    try await pass(timeout)
    throw Self.answerLost
  }

  private func pass(_ duration: Duration) async throws(GridError) {
    guard duration > .zero else { return }
    guard await server.timers.sleep(for: duration) else {
      throw GridError(.cancelled, "no longer waiting for the store")
    }
  }

  private func check(_ shared: InMemoryStoreServer.Shared) throws(GridError) {
    try checkOpen()
    guard !shared.isAway, !shared.unreachable.contains(identity) else {
      throw GridError(.unavailable, "the store cannot be reached")
    }
  }

  private func checkOpen() throws(GridError) {
    if isClosed.load(ordering: .acquiring) { throw GridError(.unavailable, "the coordination store is closed") }
  }

  // MARK: Watches

  package func watch(
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
      let lag = server.withShared { $0.mischief.lag() }
      if lag > .zero { await server.timers.sleep(for: lag) }
      if Task.isCancelled { return }
      let event = try server.withShared { shared throws(GridError) -> WatchEvent? in
        try checkOpen()
        guard shared.breaks == breaks else { throw GridError(.unavailable, "the watch broke") }
        let isRestarted = shared.restarts != restarts
        (breaks, restarts) = (shared.breaks, shared.restarts)
        return try next(prefix, &seen, isRestarted: isRestarted, &shared)
      }
      if let event { try await receive(event) }
    }
  }

  /// What a watch that has told everything up to `seen` tells next.
  private func next(
    _ prefix: String, _ seen: inout Int64, isRestarted: Bool, _ shared: inout InMemoryStoreServer.Shared
  ) throws(GridError) -> WatchEvent? {
    // What came while it lagged behind may have cut it off again.
    guard isRestarted || isDeliverable(shared) else { return nil }
    let delivery = isRestarted ? .gap : shared.mischief.delivery()
    var from = seen
    switch delivery {
    case .told: break
    case .repeated(let revisions): from = max(shared.store.compacted, seen - revisions)
    case .gap: from = -1
    case .broken: throw GridError(.unavailable, "the watch broke")
    }
    let changes = shared.store.changes(prefix, after: from)
    seen = shared.store.revision
    guard let changes else { return .gap(after: seen) }
    return changes.isEmpty ? nil : .changes(changes, revision: seen)
  }

  private func isDeliverable(_ shared: InMemoryStoreServer.Shared) -> Bool {
    !shared.isAway && !shared.unreachable.contains(identity) && !shared.watchesArePaused
  }

  /// Ends this client's leases and watches. The server and its other clients go on.
  package func close() async {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    let identity = identity
    server.change { shared in
      for (identifier, held) in shared.held where held.client == identity {
        shared.held[identifier] = nil
        shared.store.endLease(identifier)
      }
    }
  }
}
