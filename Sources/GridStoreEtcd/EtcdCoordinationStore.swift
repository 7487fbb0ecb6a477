internal import FoundationEssentials
internal import GRPCCore
public import GridCore
internal import NIOCore
internal import SwiftProtobuf
internal import Synchronization

/// The coordination store on an etcd v3 cluster.
///
/// What etcd promises is taken as it is kept by 3.4 as well: ownership is decided by transactions alone, a lease is
/// believed only together with the keys it owns, events are checked against a list now and then. Everything that must
/// not wait runs on a thread of its own.
public final class EtcdCoordinationStore: CoordinationStore {
  private let cluster: EtcdCluster
  private let mapping: EtcdMapping
  private let clock: any GridClock
  private let thread = EtcdThread()
  private let jobs: AsyncStream<EtcdLease>.Continuation
  private let running: EventLoopFuture<Void>
  private let leases = Mutex<[Int64: EtcdLease]>([:])
  private let configuration: EtcdConfiguration

  /// The shortest time to live that etcd grants in practice: it rounds up to one and a half election time-outs.
  public static let minimumTimeToLive = Duration.seconds(2)

  /// Connects in the background; the first operation waits for it.
  ///
  /// - Throws: ``GridError/Code/configuration`` when a certificate cannot be read.
  public init(_ configuration: EtcdConfiguration, clock: any GridClock) throws(GridError) {
    self.configuration = configuration
    self.clock = clock
    mapping = EtcdMapping(prefix: configuration.prefix)
    let cluster = try EtcdCluster(configuration, thread: thread)
    self.cluster = cluster
    let (stream, continuation) = AsyncStream<EtcdLease>.makeStream(bufferingPolicy: .bufferingNewest(1024))
    jobs = continuation
    running = thread.start {
      await withDiscardingTaskGroup { group in
        group.addTask { await cluster.run() }
        await withDiscardingTaskGroup { leases in
          for await lease in stream { leases.addTask { await lease.run() } }
          leases.cancelAll()
        }
        cluster.close()
        group.cancelAll()
      }
    }
  }

  public func describe() async throws(GridError) -> StoreDescription {
    let status = try await cluster.attempt { client, metadata, options in
      try await Etcdserverpb_Maintenance.Client(wrapping: client).status(.init(), metadata: metadata, options: options)
    }
    let place = configuration.endpoints.map(\.description).joined(separator: ",")
    return StoreDescription(engine: "etcd", version: status.version, place: place + configuration.prefix)
  }

  // MARK: Reading

  /// Entries of one answer: a long list comes in pages of one revision.
  private static let page: Int64 = 2000

  public func range(prefix: String) async throws(GridError) -> StoreSnapshot {
    while true {
      do throws(GridError) {
        return try await pages(prefix)
      } catch {
        // The revision of the first page was compacted before the last was read: begin again.
        guard error.message.contains("compacted"), !Task.isCancelled else { throw error }
      }
    }
  }

  private func pages(_ prefix: String) async throws(GridError) -> StoreSnapshot {
    let first = mapping.key(prefix)
    let end = EtcdMapping.rangeEnd(first)
    var from = first.isEmpty ? Data([0]) : first
    var snapshot = StoreSnapshot(entries: [], revision: 0)
    while true {
      let request = Etcdserverpb_RangeRequest.with {
        $0.key = from
        $0.rangeEnd = end
        $0.limit = Self.page
        $0.revision = snapshot.revision
        $0.sortOrder = .ascend
      }
      let response = try await range(request)
      if snapshot.revision == 0 { snapshot.revision = response.header.revision }
      snapshot.entries += response.kvs.map(mapping.entry)
      guard response.more, let last = response.kvs.last else { return snapshot }
      from = last.key + [0]
    }
  }

  public func get(_ key: String) async throws(GridError) -> StoreEntry? {
    let key = mapping.key(key)
    return try await range(.with { $0.key = key }).kvs.first.map(mapping.entry)
  }

  private func range(_ request: Etcdserverpb_RangeRequest) async throws(GridError) -> Etcdserverpb_RangeResponse {
    try await cluster.attempt { client, metadata, options in
      try await Etcdserverpb_KV.Client(wrapping: client).range(request, metadata: metadata, options: options)
    }
  }

  // MARK: Transactions

  public func commit(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome {
    let request = mapping.request(transaction)
    let attempts = Mutex(0)
    let response = try await cluster.attempt(isRepeatable: transaction.isGuarded) { client, metadata, options in
      attempts.withLock { $0 += 1 }
      return try await Etcdserverpb_KV.Client(wrapping: client).txn(request, metadata: metadata, options: options)
    }
    var outcome = mapping.outcome(response)
    if !outcome.succeeded, attempts.withLock({ $0 }) > 1,
      let revision = try await revisionIfCarriedOut(transaction)
    {
      outcome = StoreOutcome(succeeded: true, revision: revision, reads: [])
    }
    if outcome.succeeded {
      for lease in leases.withLock({ Array($0.values) }) { lease.carriedOut(transaction.success) }
    }
    return outcome
  }

  /// Whether an attempt whose answer was lost was carried out all the same, and at which revision: then the store is as
  /// the transaction would have left it, under our own lease.
  private func revisionIfCarriedOut(_ transaction: StoreTransaction) async throws(GridError) -> Int64? {
    var revision: Int64?
    for operation in transaction.success {
      switch operation {
      case .put(let key, let value, let lease):
        guard lease != 0, let entry = try await get(key), entry.lease == lease, entry.value == value else { return nil }
        revision = entry.modifyRevision
      case .delete(let key):
        guard try await get(key) == nil else { return nil }
        revision = revision ?? 0
      case .get: return nil
      }
    }
    return revision
  }

  // MARK: Leases

  public func grantLease(
    timeToLive: Duration, observer: any LeaseObserver
  ) async throws(GridError) -> StoreLease {
    let wanted = max(timeToLive, Self.minimumTimeToLive)
    let seconds = wanted.components.seconds + (wanted.components.attoseconds > 0 ? 1 : 0)
    let sentAt = clock.now()
    let response = try await cluster.attempt { client, metadata, options in
      try await Etcdserverpb_Lease.Client(wrapping: client).leaseGrant(
        .with { $0.ttl = seconds }, metadata: metadata, options: options)
    }
    let granted = StoreLease(identifier: response.id, timeToLive: .seconds(response.ttl))
    let lease = EtcdLease(
      identifier: granted.identifier, timeToLive: granted.timeToLive, grantSentAt: sentAt, observer: observer,
      cluster: cluster, mapping: mapping, clock: clock)
    leases.withLock { $0[granted.identifier] = lease }
    guard case .enqueued = jobs.yield(lease) else {
      throw GridError(.unavailable, "the connection to etcd is closed")
    }
    return granted
  }

  public func revoke(_ lease: StoreLease) async throws(GridError) {
    leases.withLock { $0.removeValue(forKey: lease.identifier) }?.end()
    let identifier = lease.identifier
    do throws(GridError) {
      _ = try await cluster.attempt { client, metadata, options in
        try await Etcdserverpb_Lease.Client(wrapping: client).leaseRevoke(
          .with { $0.id = identifier }, metadata: metadata, options: options)
      }
    } catch {
      // One that has ended is as good as revoked.
      if error.code != .leaseLost { throw error }
    }
  }

  // MARK: Watching

  public func watch(
    prefix: String, after revision: Int64,
    _ receive: @escaping @Sendable (WatchEvent) async throws -> Void
  ) async throws {
    let watch = EtcdWatch(
      cluster: cluster, mapping: mapping, prefix: prefix, receive: receive,
      list: { [self] in try await range(prefix: prefix) })
    try await watch.run(after: revision)
  }

  public func close() async {
    let held = leases.withLock { leases in
      defer { leases = [:] }
      return Array(leases.values)
    }
    for lease in held where !lease.isEnded {
      lease.end()
      let identifier = lease.identifier
      _ = try? await cluster.attempt(timeout: .seconds(1)) { client, metadata, options in
        try await Etcdserverpb_Lease.Client(wrapping: client).leaseRevoke(
          .with { $0.id = identifier }, metadata: metadata, options: options)
      }
    }
    jobs.finish()
    try? await running.get()
    try? await thread.group.shutdownGracefully()
  }
}

extension StoreTransaction {
  /// Whether carrying it out makes its own comparisons fail, so that trying again cannot do it twice.
  var isGuarded: Bool {
    guard !comparisons.isEmpty else { return success.allSatisfy(\.isRead) }
    return comparisons.allSatisfy { comparison in
      success.contains { operation in
        switch (comparison, operation) {
        case (.isAbsent(let key), .put(let changed, _, _)): key == changed
        case (.createRevision(let key, _), .delete(let changed)): key == changed
        case (.modifyRevision(let key, _), .put(let changed, _, _)): key == changed
        case (.modifyRevision(let key, _), .delete(let changed)): key == changed
        default: false
        }
      }
    }
  }
}

extension StoreOperation {
  fileprivate var isRead: Bool {
    if case .get = self { return true }
    return false
  }
}
