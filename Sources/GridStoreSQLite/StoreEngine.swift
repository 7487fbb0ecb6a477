internal import Foundation
internal import GRDB
internal import GridConcurrency
internal import GridCore

/// What the store's thread works on: the open file, our leases, our watchers. Used by one thread only.
struct StoreEngine {
  let path: String
  /// The file, or why there is none.
  var file: Result<StoreFile, GridError>
  let clock: any GridClock
  let boot: String
  var leases: [Int64: HeldLease] = [:]
  /// Those who wait for a lease.
  var requests: [LeaseRequest] = []
  private var watchers: [ObjectIdentifier: StoreWatcher] = [:]
  private var seenVersion: Int64 = -1
  private var schedule: StoreSchedule
  /// Nil while there is nobody to hear for.
  private var bell: StoreBell?
  /// The last revision that was seen in this file, or in one before it: a smaller one is that of another store.
  var seenRevision: Int64 = 0
  /// Whether what is in the file is not what was written.
  private var isDamaged = false
  /// Whether the file is another than the one that the watchers were told of.
  private var isOtherFile = false
  /// Whether the watchers could not be told of a change.
  private var isDeliveryDue = false
  /// When it is tried again to open a file that could not be opened.
  private var openingAt: MonotonicTime
  /// From when on names may be given away in a file that took another one's place.
  var settledAt: MonotonicTime
  /// Leases of others that this file knows nothing of, and since when they have been waited for.
  var awaited: [Int64: MonotonicTime] = [:]

  /// How soon what failed is tried again.
  private static let retryPause = Duration.milliseconds(20)
  /// How soon it is tried again to open a file.
  private static let openingPause = Duration.milliseconds(100)
  /// How long others may take to notice that the file is another one: they hear of it, or look every 20 ms.
  private static let settlingTime = Duration.milliseconds(500)

  init(path: String, clock: any GridClock) throws(GridError) {
    self.path = path
    self.clock = clock
    file = .success(try StoreFile(path: path))
    boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? "unknown"
    let now = clock.now()
    schedule = StoreSchedule(at: now)
    (openingAt, settledAt) = (now, now)
  }

  /// Readable when ``tick()`` is due earlier than ``nextPause`` says; negative for never.
  var readiness: Int32 { bell?.readiness ?? -1 }

  /// How long until ``tick()`` is due.
  var nextPause: Duration {
    guard let bell else { return requests.isEmpty ? .seconds(3600) : Self.retryPause }
    let now = clock.now()
    var next = min(schedule.next, nextRenewal)
    if isDeliveryDue || !requests.isEmpty { next = min(next, now + Self.retryPause) }
    if case .failure = file { next = min(next, now + Self.openingPause) }
    return bell.isHearing ? next - now : min(next - now, StoreSchedule.pollInterval)
  }

  /// Begins to listen when there is somebody to listen for, and ends when there is nobody any more.
  mutating func listenAsNeeded() {
    guard watchers.isEmpty && leases.isEmpty else {
      if bell == nil { listen() }
      return
    }
    bell = nil
    schedule.hears(false, at: clock.now())
  }

  private mutating func listen() {
    let bell = bell ?? StoreBell(path: path)
    bell.listen()
    self.bell = bell
    schedule.hears(bell.isHearing, at: clock.now())
  }

  // MARK: Transactions

  mutating func commit(_ commits: [(StoreTransaction, StoreThread.CommitCompletion)]) {
    guard !commits.isEmpty else { return }
    var results: [Result<StoreOutcome, GridError>] = []
    let (clock, boot) = (clock, boot)
    do {
      results = try write { database in
        // Read here, since the transaction may have waited for those of other processes.
        let now = clock.now()
        return try commits.map { transaction, _ in
          // A refused transaction has written nothing; anything else must undo the whole group.
          do { return .success(try StoreDatabase.commit(transaction, now: now, boot: boot, database)) } catch let error
            as GridError
          {
            return .failure(error)
          }
        }
      }
    } catch {
      results = commits.map { _ in .failure(Self.gridError(error, path)) }
    }
    for ((_, completion), result) in zip(commits, results) { completion(result) }
    deliver()
  }

  mutating func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    let open = try file.get()
    do {
      let value = try open.queue.read(body)
      try open.demandPresence()
      return value
    } catch {
      noteFailure(error)
      throw error
    }
  }

  /// Runs a transaction on the file at the path and no other: whatever is there when it begins must be there still
  /// when it is done, and must know what was done before.
  mutating func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
    let open = try file.get()
    let (path, seen) = (path, seenRevision)
    var result: (value: Value, before: Int64, revision: Int64)?
    do {
      try open.queue.inTransaction(.immediate) { database in
        try open.demandPresence()
        // Overwritten by an older copy of itself, it is the same file and yet another store.
        let before = try StoreDatabase.number("revision", database)
        guard before >= seen else { throw StoreFile.gone(path) }
        let value = try body(database)
        result = (value, before, try StoreDatabase.number("revision", database))
        return .commit
      }
      try open.demandPresence()
    } catch {
      noteFailure(error)
      throw error
    }
    guard let result else { throw GridError(.software, "a transaction had no result") }
    // A lease that is renewed is news for nobody.
    if result.revision != result.before { StoreBell.ring(path) }
    seenRevision = max(seenRevision, result.revision)
    return result.value
  }

  private mutating func noteFailure(_ error: any Error) {
    if StoreFile.isDamage(error) { isDamaged = true }
    // It may not be the file any more that it was.
    schedule.lookNow()
  }

  // MARK: Watches

  mutating func add(_ watcher: StoreWatcher) {
    watchers[ObjectIdentifier(watcher)] = watcher
    listenAsNeeded()
    deliver()
  }

  mutating func remove(_ watcher: StoreWatcher) {
    watchers[ObjectIdentifier(watcher)] = nil
    listenAsNeeded()
  }

  /// Tells the watchers what changed since they were last told. A store that cannot be read now is tried again soon.
  mutating func deliver() {
    let watchers = watchers.values
    let seen = watchers.compactMap(\.seen)
    guard let oldest = seen.min(), let newest = seen.max() else { return }
    let isOtherFile = isOtherFile
    do {
      try read { database in
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
      self.isOtherFile = false
    } catch {
      isDeliveryDue = true
    }
  }

  // MARK: Time

  /// What is due: follows the file, looks for changes of other processes, renews our leases, ends those of processes
  /// that are gone.
  mutating func tick() {
    if let bell {
      let news = bell.takeNews()
      schedule.heard(news, at: clock.now())
      schedule.hears(bell.isHearing, at: clock.now())
    }
    let due = schedule.take(at: clock.now())
    let isOpen = if case .success = file { true } else { false }
    if due.looks || isDamaged || !isOpen { followFile(looksClosely: due.looksClosely) }
    renewLeases()
    if due.reads || isDeliveryDue { readChanges() }
    if !requests.isEmpty { answerRequests() }
    if due.sweeps { schedule.swept(nextExpiry: endForeignLeases(), at: clock.now()) }
  }

  private mutating func readChanges() {
    let version = (try? read { try Int64.fetchOne($0, sql: "PRAGMA data_version") }) ?? -1
    guard version != seenVersion || isDeliveryDue else { return }
    seenVersion = version
    deliver()
  }

  /// Where the file was taken away, damaged or put back, the others meet in another one, and so must we: with nothing
  /// that the old one said.
  ///
  /// - Parameter looksClosely: whether to look into the file, and to try again where there is none.
  private mutating func followFile(looksClosely: Bool) {
    if case .success(let open) = file {
      guard let reason = reasonToLeave(open, looksClosely: looksClosely) else { return }
      for identifier in leases.keys { lose(identifier, reason) }
      try? open.queue.close()
    } else if clock.now() < openingAt {
      return
    }
    do throws(GridError) {
      file = .success(try StoreFile(path: path, after: seenRevision, isSuspect: isDamaged))
      isDamaged = false
    } catch {
      file = .failure(error)
      openingAt = clock.now() + Self.openingPause
    }
    if bell != nil { listen() }
    settledAt = clock.now() + Self.settlingTime
    awaited = [:]
    isOtherFile = true
    isDeliveryDue = true
  }

  /// Why the open file is of no use any more; nil when it is.
  private mutating func reasonToLeave(_ open: StoreFile, looksClosely: Bool) -> GridError? {
    if isDamaged {
      return GridError(.leaseLost, "the coordination store \(path) is damaged", hint: "see: gridctl check")
    }
    let gone = GridError(
      .leaseLost, "the coordination store \(path) was removed or replaced", hint: "leave it alone while nodes run")
    if open.isGone {
      // Removed as it is, it can be read for as long as it is open.
      let last = try? open.queue.read { try StoreDatabase.number("revision", $0) }
      seenRevision = max(seenRevision, last ?? 0)
      return gone
    }
    guard looksClosely, let revision = try? open.queue.read({ try StoreDatabase.number("revision", $0) }) else {
      return nil
    }
    if revision < seenRevision { return gone }
    seenRevision = revision
    return nil
  }

  /// Ends our leases; the store is going away.
  mutating func close() {
    for request in requests {
      request.promise.fulfil(.failure(GridError(.unavailable, "the coordination store is closed")))
    }
    for identifier in leases.keys { try? revoke(identifier) }
    for watcher in watchers.values { watcher.end() }
    try? (try? file.get())?.queue.close()
  }

  // MARK: Errors

  static func gridError(_ error: any Error, _ path: String? = nil) -> GridError {
    if let error = error as? GridError { return error }
    let isFull = (error as? DatabaseError)?.resultCode == .SQLITE_FULL
    var hint = isFull ? "make room under the state directory; gridctl node info shows which it is" : nil
    if let path, StoreFile.isDamage(error) { hint = StoreFile.hint(error, path) }
    return GridError(.unavailable, "the coordination store failed: \(reason(error))", hint: hint)
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
