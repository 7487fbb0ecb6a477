internal import GridCore
internal import GridSystem
internal import GridTestKit
internal import Testing

@testable internal import Grid
@testable internal import GridStoreEtcd

/// Runs `body` with a client, and closes it.
func withStore(
  _ configuration: EtcdConfiguration, _ body: (EtcdCoordinationStore) async throws -> Void
) async throws {
  let store = try EtcdCoordinationStore(configuration, clock: SystemClock())
  do {
    try await body(store)
  } catch {
    await store.close()
    throw error
  }
  await store.close()
}

/// A transaction that writes a key that is not there.
func claim(_ key: String, _ value: String = "1", lease: Int64 = 0) -> StoreTransaction {
  StoreTransaction(when: [.isAbsent(key)], then: [.put(key: key, value: Array(value.utf8), lease: lease)])
}

/// A transaction that writes a key whatever is there.
func put(_ key: String, _ value: String, lease: Int64 = 0) -> StoreTransaction {
  StoreTransaction(then: [.put(key: key, value: Array(value.utf8), lease: lease)])
}

/// Runs `body` beside a watch that records, and cancels the watch.
func withWatch(
  _ store: any CoordinationStore, prefix: String, after revision: Int64,
  _ body: (WatchRecorder) async throws -> Void
) async throws {
  let recorder = WatchRecorder()
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await store.watch(prefix: prefix, after: revision) { recorder.record($0) } }
    try await body(recorder)
    group.cancelAll()
    try await group.waitForAll()
  }
}

/// Tries again until it succeeds; etcd needs a moment after every start and every election.
@discardableResult
func retry<Value>(_ body: () async throws -> Value) async throws -> Value {
  let deadline = ContinuousClock.now + .seconds(60)
  while true {
    do { return try await body() } catch  where ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}

/// Waits for something that comes by itself.
func wait(_ what: String, until condition: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(60)
  while try await !condition() {
    try #require(ContinuousClock.now < deadline, "waited in vain for: \(what)")
    try await Task.sleep(for: .milliseconds(10))
  }
}
