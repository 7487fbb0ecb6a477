package import GridCore
internal import GridSystem
internal import NIOCore
internal import NIOPosix
internal import SwiftProtobuf
internal import Synchronization

/// The coordination store on an etcd v3 cluster.
///
/// What etcd promises is taken as 3.4 keeps it: ownership is decided by transactions alone, a lease is believed only
/// together with what it owns, and watches are compared with complete readings now and then. Leases and watches run on
/// a thread and connections of their own: neither a busy cooperative pool nor a large reading costs a lease.
///
/// Every member is tried under a short deadline, one after another, and every call ends within
/// ``EtcdConfiguration/operationTimeout``. ``close()`` must be called at the end.
package final class EtcdCoordinationStore: CoordinationStore {
  /// The shortest time to live that etcd grants in practice: it rounds up to one and a half election time-outs.
  package static let minimumTimeToLive = LeaseKeeper.minimumTimeToLive

  private let configuration: EtcdConfiguration
  private let group: MultiThreadedEventLoopGroup
  private let tasks = EngineTasks()
  private let gate = CallGate()
  private let clock: any GridClock
  /// For calls, for leases, and for watches: a connection each.
  private let calls: EtcdChannel
  private let watching: EtcdChannel
  private let leases: LeaseKeeper
  private let reader: RangeReader
  private let eras: EraKeeper
  private let watches = Mutex<[ObjectIdentifier: EtcdWatch]>([:])

  /// Connects when it is first used.
  ///
  /// - Throws: ``GridError/Code/configuration`` when the configuration makes no sense.
  package init(_ configuration: EtcdConfiguration, clock: any GridClock) throws(GridError) {
    let configuration = try configuration.validated()
    self.configuration = configuration
    self.clock = clock
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    self.group = group
    let tasks = tasks
    let credentials = configuration.user.map { Credentials(user: $0, password: configuration.password) }
    func channel(_ thread: LoopThread) -> EtcdChannel {
      EtcdChannel(configuration, thread: thread, credentials: credentials, tasks: tasks, clock: clock)
    }
    let steady = LoopThread(group.next())
    let calls = channel(LoopThread(group.next()))
    let mapping = EtcdMapping(prefix: configuration.prefix)
    let mark = RevisionMark()
    self.calls = calls
    watching = channel(steady)
    let leases = LeaseKeeper(channel: channel(steady), mapping: mapping, clock: clock, tasks: tasks)
    self.leases = leases
    reader = RangeReader(channel: calls, mapping: mapping, mark: mark)
    let runner = TransactionRunner(channel: calls, mapping: mapping, mark: mark, clock: clock, leases: leases)
    eras = EraKeeper(runner: runner, mark: mark, clock: clock, place: configuration.place)
    eras.onChange { [weak self] in self?.beginAnew() }
  }

  package func describe() async throws(GridError) -> StoreDescription {
    let status = try await call { [calls] () async throws(EtcdFailure) in try await calls.perform(.status, .init()) }
    return StoreDescription(engine: "etcd", version: "etcd \(status.version)", place: configuration.place)
  }

  package func range(_ range: StoreRange) async throws(GridError) -> StorePage {
    try await enter { [eras, reader] () async throws(GridError) in
      try await eras.page(range) { (range: StoreRange) async throws(GridError) in
        do throws(EtcdFailure) { return try await reader.page(range) } catch { throw error.error }
      }
    }
  }

  package func get(_ key: String) async throws(GridError) -> StoreEntry? {
    try await enter { [eras] () async throws(GridError) in try await eras.entry(key) }
  }

  package func commit(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome {
    try await enter { [eras] () async throws(GridError) in try await eras.run(transaction) }
  }

  package func grantLease(
    timeToLive: Duration, observer: any LeaseObserver
  ) async throws(GridError) -> StoreLease {
    try await enter(on: leases.channel.executor) { [leases] () async throws(GridError) in
      try await leases.grant(timeToLive, observer)
    }
  }

  package func revoke(_ lease: StoreLease) async throws(GridError) {
    try await enter(on: leases.channel.executor) { [leases] () async throws(GridError) in
      try await leases.revoke(lease.identifier)
    }
  }

  package func watch(
    prefix: String, after revision: Int64,
    _ receive: @escaping @Sendable (WatchEvent) async throws -> Void
  ) async throws {
    guard let era = try await era(confirmed: false) else { return }
    let watch = EtcdWatch(
      channel: watching, reader: reader, prefix: prefix, after: era.inner(revision), clock: clock)
    watches.withLock { $0[ObjectIdentifier(watch)] = watch }
    defer { watches.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(watch)) } }
    // After it was noted: whoever closes the store from now on, or finds it begun anew, finds it.
    guard eras.isPresent(era) else { throw Self.begunAnew }
    try await watch.run(gate) { [self] event in
      switch event {
      case .changes(let changes, let revision):
        let ours = era.outer(changes)
        if !ours.isEmpty { try await receive(.changes(ours, revision: era.outer(revision))) }
      case .gap(let revision):
        // It may be that of another store: one that was emptied, or put back.
        guard let present = try await self.era(confirmed: true) else { return }
        guard present == era else { throw Self.begunAnew }
        try await receive(.gap(after: era.outer(revision)))
      }
    }
  }

  /// The era of a watch; nil when the watch is cancelled meanwhile.
  private func era(confirmed: Bool) async throws(GridError) -> Era? {
    do throws(GridError) {
      return try await enter { [eras] () async throws(GridError) in
        confirmed ? try await eras.confirmed() : try await eras.present()
      }
    } catch {
      if Task.isCancelled { return nil }
      throw error
    }
  }

  private static let begunAnew = GridError(
    .unavailable, "etcd was emptied or put back to an older copy: what was heard of it is no longer so")

  /// The store is in another era: nothing that was heard or is held holds any more.
  private func beginAnew() {
    for watch in watches.withLock({ Array($0.values) }) { watch.feed.end(Self.begunAnew) }
    leases.loseAll(GridError(.leaseLost, "etcd was emptied or put back to an older copy"))
  }

  package func close() async {
    guard gate.close() else { return }
    for watch in watches.withLock({ Array($0.values) }) { watch.feed.end(CallGate.closed) }
    await leases.close()
    for channel in [calls, watching, leases.channel] { channel.close() }
    await gate.waitForCalls()
    await tasks.end()
    try? await group.shutdownGracefully()
  }

  // MARK: Calls

  private func call<Value: Sendable>(
    _ body: @escaping @Sendable () async throws(EtcdFailure) -> Value
  ) async throws(GridError) -> Value {
    try await enter { () async throws(GridError) in
      do throws(EtcdFailure) { return try await body() } catch { throw error.error }
    }
  }

  /// Runs `body` on the thread of its connection while the store is open.
  private func enter<Value: Sendable>(
    on executor: LoopExecutor? = nil, _ body: @escaping @Sendable () async throws(GridError) -> Value
  ) async throws(GridError) -> Value {
    try gate.enter()
    defer { gate.leave() }
    return try await withTaskExecutorPreference(executor ?? calls.executor) { () async throws(GridError) in
      try await body()
    }
  }
}
