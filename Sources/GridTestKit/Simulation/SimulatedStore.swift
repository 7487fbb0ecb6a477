internal import GridConcurrency
package import GridCore
internal import Synchronization

/// A process's client of the store: nothing of it happens while the process hangs, and nothing any more when it is
/// dead. Planted faults of the store strike here.
package final class SimulatedStore: CoordinationStore {
  private let client: InMemoryCoordinationStore
  private let process: SimulatedProcess
  private let record: SimulationRecord
  private let keys = StoreKeys(namespace: SimulatedCluster.namespace)
  private let node: String
  private let highest = Mutex<Int64>(0)
  /// What a planted fault reads again and again.
  /// What the record calls the leases.
  private let numbers = Mutex<[Int64: Int]>([:])
  private let stale = Mutex<[String: StoreEntry]>([:])

  private var world: SimulatedWorld { process.world }

  package init(
    _ server: InMemoryStoreServer, _ process: SimulatedProcess, node: String, _ record: SimulationRecord
  ) {
    self.node = node
    client = InMemoryCoordinationStore(server: server)
    self.process = process
    self.record = record
  }

  /// Whether the store hears of this process: its renewals arrive, its calls are carried out.
  package func setHeard(_ isHeard: Bool) { client.server.pauseRenewals(of: client, isPaused: !isHeard) }

  package func setReachable(_ isReachable: Bool) { client.server.setReachable(isReachable, for: client) }

  package func describe() async throws(GridError) -> StoreDescription { try await client.describe() }

  package func range(_ range: StoreRange) async throws(GridError) -> StorePage { try await client.range(range) }

  package func get(_ key: String) async throws(GridError) -> StoreEntry? {
    let entry = try await client.get(key)
    guard world.plant == .keepsStaleLocation, let entry else { return entry }
    return stale.withLock { stale in
      if stale[key] == nil { stale[key] = entry }
      return stale[key]
    }
  }

  package func commit(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome {
    let claims = transaction.claims
    if transaction.releases, world.plant == .forgetsRelease {
      return StoreOutcome(succeeded: true, revision: highest.withLock { $0 }, reads: [])
    }
    var transaction = transaction
    if claims, world.strikes(.grantsTwice, onceIn: 2) { transaction.comparisons = [] }
    var outcome = try await client.commit(transaction)
    if claims, outcome.succeeded, world.strikes(.reusesEpoch, onceIn: 10) {
      outcome.revision = max(1, outcome.revision - 40)
    }
    if claims, outcome.succeeded, transaction.success.contains(where: { $0.puts(keys.node(node)) }) {
      record.joins(node, incarnation: outcome.revision)
    }
    highest.withLock { $0 = max($0, outcome.revision) }
    return outcome
  }

  package func grantLease(timeToLive: Duration, observer: any LeaseObserver) async throws(GridError) -> StoreLease {
    let number = record.number()
    let lease = try await client.grantLease(
      timeToLive: timeToLive,
      observer: ProcessObserver(observer, process, record, lease: number, timeToLive: timeToLive))
    numbers.withLock { $0[lease.identifier] = number }
    return lease
  }

  package func revoke(_ lease: StoreLease) async throws(GridError) {
    if let number = numbers.withLock({ $0[lease.identifier] }) { record.returned(number, of: process.name) }
    try await client.revoke(lease)
  }

  package func watch(
    prefix: String, after revision: Int64, _ receive: @escaping @Sendable (WatchEvent) async throws -> Void
  ) async throws {
    let world = world
    try await client.watch(prefix: prefix, after: revision) { event in
      if world.strikes(.skipsWatchEvent, onceIn: 6) { return }
      if case .gap = event, world.plant == .ignoresGap { return }
      try await receive(event)
    }
  }

  package func close() async { await client.close() }
}

/// What the store says of a lease is heard by the process only while it runs.
private final class ProcessObserver: LeaseObserver {
  private let observer: any LeaseObserver
  private let process: SimulatedProcess
  private let record: SimulationRecord
  private let lease: Int
  private let timeToLive: Duration

  init(
    _ observer: any LeaseObserver, _ process: SimulatedProcess, _ record: SimulationRecord, lease: Int,
    timeToLive: Duration
  ) {
    self.observer = observer
    self.process = process
    self.record = record
    self.lease = lease
    self.timeToLive = timeToLive
  }

  func leaseRenewed(sentAt: MonotonicTime) {
    record.renewed(lease, of: process.name, until: sentAt + timeToLive)
    process.perform(.action { [observer] in observer.leaseRenewed(sentAt: sentAt) })
  }

  func leaseLost(_ reason: GridError) {
    if process.world.plant == .renewsEndedLease {
      // As if it had been renewed ever since.
      let far = process.world.now + .seconds(3600)
      return process.perform(.action { [observer] in observer.leaseRenewed(sentAt: far) })
    }
    process.perform(.action { [observer] in observer.leaseLost(reason) })
  }
}

extension StoreOperation {
  fileprivate func puts(_ key: String) -> Bool {
    if case .put(key, _, _) = self { return true }
    return false
  }
}

extension StoreTransaction {
  /// Whether it takes something that nobody may have.
  fileprivate var claims: Bool {
    comparisons.contains { comparison in
      if case .isAbsent = comparison { return true }
      return false
    }
  }

  /// Whether it gives something back.
  fileprivate var releases: Bool {
    !success.isEmpty
      && success.allSatisfy { operation in
        if case .delete = operation { return true }
        return false
      }
  }
}
