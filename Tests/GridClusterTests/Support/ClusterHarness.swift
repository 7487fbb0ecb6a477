internal import GridCore
internal import GridTestKit
internal import Synchronization
internal import Testing

@testable internal import GridCluster

let clusterKeys = StoreKeys(namespace: "test")

func record(_ name: String) -> NodeRecord {
  NodeRecord(
    name: name, address: "127.0.0.1:1", incarnation: 0, version: "0", labels: [:], kinds: [],
    startedAt: CalendarTime(millisecondsSince1970: 0))
}

/// Looks again and again until `condition` holds, for at most 30 s.
func wait(
  for event: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + .seconds(30)
  while try await !condition() {
    try #require(ContinuousClock.now < deadline, "waited in vain for \(event)", sourceLocation: sourceLocation)
    try await Task.sleep(for: .milliseconds(2))
  }
}

/// A member of a cluster in this process: its client of the store, its membership, and what it is told.
final class Member: Membership.Observer {
  enum Event: Equatable {
    case joined(String, Int64)
    case lost(GridError.Code)
    case peerJoined(String, Int64)
    case peerLeft(String)
    case leader(String, String?)
  }

  let client: InMemoryCoordinationStore
  let membership: Membership
  private let recorded = Mutex<[Event]>([])
  /// What failed and is tried again, and what works.
  let failures = Mutex<[String]>([])

  init(_ server: InMemoryStoreServer, timeToLive: Duration = .seconds(5), store: (any CoordinationStore)? = nil) {
    client = InMemoryCoordinationStore(server: server)
    membership = Membership(
      store: store ?? client, namespace: "test", timers: DispatchTimers(), timeToLive: timeToLive)
  }

  var events: [Event] { recorded.withLock { $0 } }

  /// The events that are about this member itself.
  var own: [Event] {
    events.filter { event in
      switch event {
      case .joined, .lost: true
      default: false
      }
    }
  }

  func clear() { recorded.withLock { $0 = [] } }

  @discardableResult
  func join(_ names: String...) async throws -> NodeRecord {
    try await membership.join(names: names) { record($0) }
  }

  /// Runs the membership until cancelled.
  func run() async { await membership.run(self) { record($0) } }

  func joined(_ record: NodeRecord) { add(.joined(record.name, record.incarnation)) }
  func lostMembership(_ reason: GridError) async { add(.lost(reason.code)) }
  func rejoinFailed(_ error: GridError) { failures.withLock { $0.append("rejoin \(error.code)") } }
  func watchFailed(_ what: String, _ error: GridError) {
    failures.withLock { $0.append("watch \(what) \(error.code)") }
  }
  func watchWorks(_ what: String) { failures.withLock { $0.append("works \(what)") } }
  func peerJoined(_ peer: NodeRecord) { add(.peerJoined(peer.name, peer.incarnation)) }
  func peerLeft(_ peer: NodeRecord) { add(.peerLeft(peer.name)) }
  func leaderChanged(_ change: ClaimChange<LeaderRecord>) { add(.leader(change.name, change.claim?.holder.node)) }

  private func add(_ event: Event) { recorded.withLock { $0.append(event) } }
}

/// Runs `body` beside the memberships, then ends them.
func running(_ members: [Member], _ body: () async throws -> Void) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for member in members { group.addTask { await member.run() } }
    do {
      try await body()
    } catch {
      group.cancelAll()
      throw error
    }
    group.cancelAll()
    try await group.waitForAll()
  }
}

/// A store that calls back before it passes a request on and before it passes an answer back.
final class InterposedStore: CoordinationStore {
  struct Hooks: Sendable {
    var beforeCommit: @Sendable () async throws(GridError) -> Void = {}
    var afterCommit: @Sendable () async throws(GridError) -> Void = {}
    var afterGet: @Sendable () async throws(GridError) -> Void = {}
    var beforeRevoke: @Sendable () async throws(GridError) -> Void = {}
  }

  private let store: any CoordinationStore
  private let hooks = Mutex(Hooks())

  init(_ store: any CoordinationStore) { self.store = store }

  func set(_ change: (inout Hooks) -> Void) { hooks.withLock { change(&$0) } }

  private var current: Hooks { hooks.withLock { $0 } }

  func describe() async throws(GridError) -> StoreDescription { try await store.describe() }

  func range(_ range: StoreRange) async throws(GridError) -> StorePage { try await store.range(range) }

  func get(_ key: String) async throws(GridError) -> StoreEntry? {
    let entry = try await store.get(key)
    try await current.afterGet()
    return entry
  }

  func commit(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome {
    try await current.beforeCommit()
    let outcome = try await store.commit(transaction)
    try await current.afterCommit()
    return outcome
  }

  func grantLease(timeToLive: Duration, observer: any LeaseObserver) async throws(GridError) -> StoreLease {
    try await store.grantLease(timeToLive: timeToLive, observer: observer)
  }

  func revoke(_ lease: StoreLease) async throws(GridError) {
    try await current.beforeRevoke()
    try await store.revoke(lease)
  }

  func watch(
    prefix: String, after revision: Int64, _ receive: @escaping @Sendable (WatchEvent) async throws -> Void
  ) async throws { try await store.watch(prefix: prefix, after: revision, receive) }

  func close() async { await store.close() }
}
