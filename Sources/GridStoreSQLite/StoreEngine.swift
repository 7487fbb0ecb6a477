internal import Foundation
internal import GRDB
internal import GridCore

/// What the store's thread works on: the open file, our leases, our watchers. Used by one thread only.
struct StoreEngine {
  private let path: String
  /// The file, or why there is none.
  private var file: Result<StoreFile, GridError>
  private let clock: any GridClock
  private let boot: String
  private var leases: [Int64: HeldLease] = [:]
  private var watchers: [ObjectIdentifier: StoreWatcher] = [:]
  private var seenVersion: Int64 = -1
  /// The last revision of the files before this one.
  private var formerRevision: Int64 = 0
  /// Whether the file is another than the one that the watchers were told of.
  private var isOtherFile = false
  /// Whether the watchers could not be told of a change.
  private var isDeliveryDue = false
  private var sweptAt: MonotonicTime

  private static let pollInterval = 0.02
  private static let sweepInterval = Duration.milliseconds(100)

  /// A lease of this process.
  private struct HeldLease {
    let lease: StoreLease
    let file: LeaseFileBox
    let observer: any LeaseObserver
    /// When the last acknowledged renewal was sent.
    var renewedAt: MonotonicTime
    var attemptedAt: MonotonicTime
  }

  init(path: String, clock: any GridClock) throws(GridError) {
    self.path = path
    self.clock = clock
    file = .success(try StoreFile(path: path))
    boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? "unknown"
    sweptAt = clock.now()
  }

  private var queue: DatabaseQueue { get throws { try file.get().queue } }

  /// Seconds until ``tick()`` is due.
  var nextPause: Double { watchers.isEmpty && leases.isEmpty ? 3600 : Self.pollInterval }

  // MARK: Transactions

  mutating func commit(_ commits: [(StoreTransaction, StoreThread.CommitCompletion)]) {
    guard !commits.isEmpty else { return }
    var results: [Result<StoreOutcome, GridError>] = []
    let (clock, boot) = (clock, boot)
    do {
      try queue.inTransaction(.immediate) { database in
        // Read here, since the transaction may have waited for those of other processes.
        let now = clock.now()
        results = try commits.map { transaction, _ in
          // A refused transaction has written nothing; anything else must undo the whole group.
          do { return .success(try StoreDatabase.commit(transaction, now: now, boot: boot, database)) } catch let error
            as GridError
          {
            return .failure(error)
          }
        }
        return .commit
      }
    } catch {
      results = commits.map { _ in .failure(Self.gridError(error)) }
    }
    for ((_, completion), result) in zip(commits, results) { completion(result) }
    deliver()
  }

  func read<Value>(_ body: (Database) throws -> Value) throws -> Value { try queue.read(body) }

  // MARK: Watches

  mutating func add(_ watcher: StoreWatcher) {
    watchers[ObjectIdentifier(watcher)] = watcher
    deliver()
  }

  mutating func remove(_ watcher: StoreWatcher) { watchers[ObjectIdentifier(watcher)] = nil }

  /// Tells the watchers what changed since they were last told. A store that cannot be read now is tried again soon.
  mutating func deliver() {
    let watchers = watchers.values
    let seen = watchers.compactMap(\.seen)
    guard let oldest = seen.min(), let newest = seen.max() else { return }
    do {
      try queue.read { database in
        let revision = try StoreDatabase.number("revision", database)
        guard oldest < revision || newest > revision || isOtherFile else { return }
        let changes = try StoreDatabase.changes(after: oldest, database)
        for watcher in watchers {
          guard let seen = watcher.seen else { continue }
          // Revisions that were never reached are those of another file: a store that was put back to an older state.
          let isUnknown = isOtherFile || seen > revision
          let known = isUnknown ? nil : try changes ?? StoreDatabase.changes(after: seen, database)
          watcher.offer(known, upTo: revision)
        }
      }
      isDeliveryDue = false
      isOtherFile = false
    } catch {
      isDeliveryDue = true
    }
  }

  // MARK: Time

  /// What is due: looks for changes of other processes, renews our leases, ends those of processes that are gone.
  mutating func tick() {
    renewLeases()
    let version = (try? queue.read { try Int64.fetchOne($0, sql: "PRAGMA data_version") }) ?? -1
    if version != seenVersion || isDeliveryDue {
      seenVersion = version
      deliver()
    }
    let now = clock.now()
    if now - sweptAt >= Self.sweepInterval {
      sweptAt = now
      followFile()
      endForeignLeases()
    }
  }

  /// Where the file was taken away, the others meet in a new one, and so must we: with nothing that the old one said.
  private mutating func followFile() {
    if case .success(let open) = file {
      guard open.isGone else { return }
      let reason = GridError(
        .leaseLost, "the coordination store \(path) was removed or replaced", hint: "leave it alone while nodes run")
      for identifier in leases.keys { lose(identifier, reason) }
      // Removed as it is, it can be read for as long as it is open.
      let revision = try? open.queue.read { try StoreDatabase.number("revision", $0) }
      formerRevision = max(formerRevision, revision ?? 0)
      try? open.queue.close()
    }
    do throws(GridError) {
      file = .success(try StoreFile(path: path, after: formerRevision))
    } catch {
      file = .failure(error)
    }
    isOtherFile = true
    isDeliveryDue = true
  }

  // MARK: Leases

  mutating func grant(_ timeToLive: Duration, _ observer: any LeaseObserver) throws -> StoreLease {
    let identifier = Int64.random(in: 1...Int64.max)
    let file = LeaseFileBox(try LeaseFile(creating: leasePath(identifier)))
    let sentAt = clock.now()
    do {
      try write { try StoreDatabase.insertLease(identifier, boot: boot, expires: sentAt + timeToLive, $0) }
    } catch {
      file.remove()
      throw error
    }
    let lease = StoreLease(identifier: identifier, timeToLive: timeToLive)
    leases[identifier] = HeldLease(
      lease: lease, file: file, observer: observer, renewedAt: sentAt, attemptedAt: sentAt)
    observer.leaseRenewed(sentAt: sentAt)
    return lease
  }

  mutating func revoke(_ identifier: Int64) throws {
    let held = leases.removeValue(forKey: identifier)
    defer { held?.file.remove() }
    try write { try StoreDatabase.endLease(identifier, $0) }
    deliver()
  }

  private mutating func renewLeases() {
    for (identifier, held) in leases {
      let now = clock.now()
      if now - held.renewedAt >= held.lease.timeToLive {
        lose(
          identifier, GridError(.leaseLost, "the lease could not be renewed for \((now - held.renewedAt).inSeconds) s"))
        continue
      }
      // A failed attempt is repeated soon; a successful one holds for a third of the lease's life.
      let pause = held.attemptedAt == held.renewedAt ? held.lease.timeToLive / 3 : .milliseconds(100)
      guard now - held.attemptedAt >= pause else { continue }
      leases[identifier]?.attemptedAt = now
      guard
        let renewed = try? write({
          try StoreDatabase.renewLease(identifier, expires: now + held.lease.timeToLive, $0)
        })
      else { continue }
      if renewed {
        leases[identifier]?.renewedAt = now
        held.observer.leaseRenewed(sentAt: now)
      } else {
        lose(identifier, GridError(.leaseLost, "the lease was ended by another node"))
      }
    }
  }

  private mutating func lose(_ identifier: Int64, _ reason: GridError) {
    guard let held = leases.removeValue(forKey: identifier) else { return }
    held.observer.leaseLost(reason)
    // Nobody may have taken it yet: then its entries go now. A failure here is made good by the others' sweeps.
    try? write { try StoreDatabase.endLease(identifier, $0) }
    held.file.remove()
    deliver()
  }

  private mutating func endForeignLeases() {
    let now = clock.now()
    guard let rows = try? queue.read({ try StoreDatabase.leases($0) }) else { return }
    for row in rows where leases[row.identifier] == nil {
      let path = leasePath(row.identifier)
      guard row.boot != boot || row.expires <= now.nanoseconds || LeaseFile.isAbandoned(path) else { continue }
      let ended = try? write { database in
        // It may have been renewed between the look and the transaction, unless its holder is gone.
        let isAlive = try StoreDatabase.isAlive(row.identifier, now: now, boot: boot, database)
        guard !isAlive || LeaseFile.isAbandoned(path) else { return false }
        try StoreDatabase.endLease(row.identifier, database)
        return true
      }
      if ended == true {
        unlink(path)
        deliver()
      }
    }
  }

  private func leasePath(_ identifier: Int64) -> String { "\(StoreFile.leases(of: path))/\(identifier).lock" }

  /// Ends our leases; the store is going away.
  mutating func close() {
    for identifier in leases.keys { try? revoke(identifier) }
    for watcher in watchers.values { watcher.end() }
    try? queue.close()
  }

  private func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
    var value: Value?
    try queue.inTransaction(.immediate) { database in
      value = try body(database)
      return .commit
    }
    guard let value else { throw GridError(.software, "a transaction had no result") }
    return value
  }

  // MARK: Errors

  static func gridError(_ error: any Error) -> GridError {
    if let error = error as? GridError { return error }
    let isFull = (error as? DatabaseError)?.resultCode == .SQLITE_FULL
    return GridError(
      .unavailable, "the coordination store failed: \(reason(error))",
      hint: isFull ? "make room under the state directory; gridctl node info shows which it is" : nil)
  }

  static func reason(_ error: any Error) -> String {
    guard let error = error as? DatabaseError else { return error.localizedDescription }
    switch error.resultCode {
    case .SQLITE_FULL: return "no space left on the disk"
    case .SQLITE_BUSY, .SQLITE_LOCKED: return "it is locked by another process"
    case .SQLITE_READONLY: return "it is read-only"
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: return "the file is damaged"
    case .SQLITE_CANTOPEN: return "the file cannot be opened"
    default: return error.message ?? error.resultCode.description
    }
  }
}

/// Holds a lease file where a non-copyable value cannot stand.
final class LeaseFileBox {
  private var file: LeaseFile?

  init(_ file: consuming LeaseFile) { self.file = consume file }

  func remove() { file.take()?.remove() }
}
