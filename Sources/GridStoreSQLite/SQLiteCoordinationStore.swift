internal import GRDB
internal import GridConcurrency
package import GridCore

/// The embedded coordination store: one SQLite file (WAL) that the node processes of a machine share.
///
/// Transactions are SQLite's, so uniqueness is strict across processes. A lease is a row that its holder keeps moving
/// forward and a file that it keeps locked: others end it when the row is out of date (the holder is paused) or the
/// lock is free (the holder is gone), whichever comes first, within 200 ms. The clock must be the machine's
/// `CLOCK_BOOTTIME` for processes to agree on a lease's end.
///
/// There is one file: a transaction is acknowledged only when the files that it was carried out on are those at the
/// path, before and after. Whoever finds that they were removed, replaced or put back loses its leases at once, and
/// takes part in what stands there now after half a second, when the others have noticed too.
package final class SQLiteCoordinationStore: CoordinationStore {
  private let path: String
  private let thread: StoreThread

  /// Opens the file, making it when it is not there.
  ///
  /// - Throws: ``GridError/Code/unavailable`` with the reason, ``GridError/Code/configuration``
  ///   when a newer gridctl has changed its form.
  package init(path: String, clock: any GridClock) async throws(GridError) {
    self.path = path
    thread = try await StoreThread { () throws(GridError) in try StoreEngine(path: path, clock: clock) }
  }

  package func describe() async throws(GridError) -> StoreDescription {
    let version = try await thread.perform { engine in
      try engine.read { try String.fetchOne($0, sql: "SELECT sqlite_version()") ?? "" }
    }
    return StoreDescription(engine: "embedded", version: "SQLite \(version)", place: path)
  }

  package func range(_ range: StoreRange) async throws(GridError) -> StorePage {
    try await thread.perform { engine in try engine.read { try StoreDatabase.range(range, $0) } }
  }

  package func get(_ key: String) async throws(GridError) -> StoreEntry? {
    try await thread.perform { engine in try engine.read { try StoreDatabase.entry(key, $0) } }
  }

  package func commit(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome {
    let result: Result<StoreOutcome, GridError> = await withPromise { promise in
      do throws(GridError) {
        try thread.submit(.commit(transaction) { promise.fulfil($0) })
      } catch {
        promise.fulfil(.failure(error))
      }
    }
    return try result.get()
  }

  package func grantLease(
    timeToLive: Duration, observer: any LeaseObserver
  ) async throws(GridError) -> StoreLease {
    let promise = Promise<Result<StoreLease, GridError>>()
    try await thread.perform { $0.grantOnceSettled(timeToLive, observer, promise) }
    return try await promise.value(
      ifCancelled: .failure(GridError(.cancelled, "no longer waiting for a lease"))
    ).get()
  }

  package func revoke(_ lease: StoreLease) async throws(GridError) {
    try await thread.perform { try $0.revoke(lease.identifier) }
  }

  package func watch(
    prefix: String, after revision: Int64, _ receive: @escaping @Sendable (WatchEvent) async throws -> Void
  ) async throws {
    let watcher = StoreWatcher(prefix: prefix, after: revision)
    try await thread.perform { $0.add(watcher) }
    do {
      try await follow(watcher, receive)
      try? await thread.perform { $0.remove(watcher) }
    } catch {
      try? await thread.perform { $0.remove(watcher) }
      throw error
    }
  }

  private func follow(
    _ watcher: StoreWatcher, _ receive: @Sendable (WatchEvent) async throws -> Void
  ) async throws {
    while true {
      switch await watcher.next() {
      case .changes(let changes, let revision): try await receive(.changes(changes, revision: revision))
      case .overrun:
        let revision = try await thread.perform { engine in
          let revision = try engine.read { try StoreDatabase.number("revision", $0) }
          watcher.restart(at: revision)
          return revision
        }
        try await receive(.gap(after: revision))
      case .ended:
        if Task.isCancelled { return }
        throw GridError(.unavailable, "the coordination store is closed")
      }
    }
  }

  package func close() async { await thread.close() }
}
