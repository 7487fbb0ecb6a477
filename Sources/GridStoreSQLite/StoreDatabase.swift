internal import Foundation
internal import GRDB
internal import Glibc
internal import GridCore

/// The tables of the embedded store and what is done to them; every method runs inside a transaction or read of the
/// caller's, on the store's thread.
///
/// One change of the store is one revision. `changes` remembers the latest revisions for watches; `leases` says until
/// when each lease lives, in nanoseconds of `CLOCK_BOOTTIME` of one boot, which all processes of a machine share. Keys
/// are kept as the bytes of their UTF-8, so that order and equality are those of etcd, and none ends at a zero byte.
enum StoreDatabase {
  /// Raised when an older gridctl could not read the file any more.
  static let schemaVersion: Int64 = 2
  /// Revisions kept for watches that fall behind; older ones make a watch start afresh.
  static let keptRevisions: Int64 = 20_000

  /// How long another process's lock is waited for, in seconds.
  static let patience: TimeInterval = 5

  static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.busyMode = .timeout(patience)
    configuration.label = "coordination store"
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA journal_mode = WAL")
      // A commit survives the death of the process; names are worthless after a power cut anyway.
      try database.execute(sql: "PRAGMA synchronous = NORMAL")
    }
    return configuration
  }

  /// Makes an empty file that is nobody else's to read, unless there is one: another process may make it, and write to
  /// it, at the same time.
  static func makePrivateFile(_ path: String) {
    // Made under another name, since closing a database's file would let go of the locks that this process has on it.
    let temporary = "\(path).new-\(UInt64.random(in: 0...UInt64.max))"
    let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    // Whatever goes wrong is told better by opening the database.
    guard descriptor >= 0 else { return }
    close(descriptor)
    link(temporary, path)
    unlink(temporary)
  }

  static func prepare(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS entries (
          key BLOB PRIMARY KEY, value BLOB NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
          lease INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS entriesByLease ON entries (lease) WHERE lease != 0;
        CREATE TABLE IF NOT EXISTS changes (
          number INTEGER PRIMARY KEY, revision INTEGER NOT NULL, key BLOB NOT NULL, value BLOB,
          created INTEGER NOT NULL, lease INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS changesByRevision ON changes (revision);
        CREATE TABLE IF NOT EXISTS leases (id INTEGER PRIMARY KEY, boot TEXT NOT NULL, expires INTEGER NOT NULL);
        INSERT OR IGNORE INTO meta VALUES ('schema', \(schemaVersion)), ('revision', 1), ('trimmed', 0);
        """)
    let version = try number("schema", database)
    guard version <= schemaVersion else {
      throw GridError(
        .configuration, "the coordination store has schema \(version), this gridctl knows \(schemaVersion)",
        hint: "use the newer gridctl on all nodes of this machine")
    }
    guard version < schemaVersion else { return }
    // The first schema had keys as text.
    try database.execute(
      sql: """
        UPDATE entries SET key = CAST(key AS BLOB);
        UPDATE changes SET key = CAST(key AS BLOB);
        UPDATE meta SET value = \(schemaVersion) WHERE name = 'schema';
        """)
  }

  /// - Throws: when the file is damaged: SQLite says so of what it happens to read only.
  static func lookThrough(_ database: Database) throws {
    let found = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? ""
    guard found == "ok" else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: found) }
  }

  /// Skips the revisions up to `revision`.
  static func raiseRevision(to revision: Int64, _ database: Database) throws {
    try database.execute(
      sql: "UPDATE meta SET value = max(value, ?) WHERE name = 'revision'", arguments: [revision])
  }

  static func bytes(_ key: String) -> Data { Data(key.utf8) }

  private static func text(_ key: Data) -> String { String(decoding: key, as: UTF8.self) }

  // MARK: Reading

  static func number(_ name: String, _ database: Database) throws -> Int64 {
    try Int64.fetchOne(
      try database.cachedStatement(sql: "SELECT value FROM meta WHERE name = ?"), arguments: [name]) ?? 0
  }

  static func entry(_ key: String, _ database: Database) throws -> StoreEntry? {
    let statement = try database.cachedStatement(
      sql: "SELECT key, value, created, modified, lease FROM entries WHERE key = ?")
    return try Row.fetchOne(statement, arguments: [bytes(key)]).map(entry)
  }

  static func range(_ range: StoreRange, _ database: Database) throws -> StorePage {
    // UTF-8 has no byte 255, so what starts with the prefix lies between it and its last byte raised by one.
    let first = bytes(range.prefix)
    var end = first
    if let last = end.popLast() { end.append(last + 1) } else { end = Data([0xFF]) }
    // The key that follows another one has a zero byte more.
    let start = range.after.map { bytes($0) + [0] } ?? first
    let statement = try database.cachedStatement(
      sql: """
        SELECT key, value, created, modified, lease FROM entries WHERE key >= ? AND key < ? ORDER BY key LIMIT ?
        """)
    let begin = start.lexicographicallyPrecedes(first) ? first : start
    var rows = try Row.fetchAll(statement, arguments: [begin, end, range.limit + 1])
    var entries = try entries(rows.prefix(range.limit))
    // A page of nothing but keys that are no text would look like the end.
    while entries.isEmpty, rows.count > range.limit {
      let begin = try rows[range.limit - 1].decode(Data.self, atIndex: 0) + [0]
      rows = try Row.fetchAll(statement, arguments: [begin, end, range.limit + 1])
      entries = try self.entries(rows.prefix(range.limit))
    }
    return StorePage(
      entries: entries, revision: try number("revision", database), hasMore: rows.count > range.limit)
  }

  /// Without those whose keys are no text, as none of ours is: another text in its place would be another key, and what
  /// comes after it another page.
  private static func entries(_ rows: some Sequence<Row>) throws -> [StoreEntry] {
    try rows.compactMap { row in
      String(validating: try row.decode(Data.self, atIndex: 0), as: UTF8.self) == nil ? nil : try entry(row)
    }
  }

  // Values are read with `decode`, which throws where a subscript would trap: a file may hold anything.

  private static func entry(_ row: Row) throws -> StoreEntry {
    StoreEntry(
      key: text(try row.decode(Data.self, atIndex: 0)), value: Array(try row.decode(Data.self, atIndex: 1)),
      createRevision: try row.decode(Int64.self, atIndex: 2), modifyRevision: try row.decode(Int64.self, atIndex: 3),
      lease: try row.decode(Int64.self, atIndex: 4))
  }

  /// The changes after `revision`, or nil when some of them are no longer kept.
  static func changes(after revision: Int64, _ database: Database) throws -> [(revision: Int64, change: StoreChange)]? {
    guard revision >= (try number("trimmed", database)) else { return nil }
    let statement = try database.cachedStatement(
      sql: "SELECT revision, key, value, created, lease FROM changes WHERE revision > ? ORDER BY number")
    return try Row.fetchAll(statement, arguments: [revision]).map { row in
      let revision = try row.decode(Int64.self, atIndex: 0)
      let key = text(try row.decode(Data.self, atIndex: 1))
      guard let value = try row.decode(Data?.self, atIndex: 2) else {
        return (revision, .delete(key: key, revision: revision))
      }
      let entry = StoreEntry(
        key: key, value: Array(value), createRevision: try row.decode(Int64.self, atIndex: 3), modifyRevision: revision,
        lease: try row.decode(Int64.self, atIndex: 4))
      return (revision, .put(entry))
    }
  }

  // MARK: Transactions

  /// Runs a transaction at time `now` of boot `boot`.
  static func commit(
    _ transaction: StoreTransaction, now: MonotonicTime, boot: String, _ database: Database
  ) throws -> StoreOutcome {
    let succeeded = try transaction.comparisons.allSatisfy { try holds($0, database) }
    let operations = succeeded ? transaction.success : transaction.failure
    for case .put(_, _, let lease) in operations where lease != 0 {
      guard try isAlive(lease, now: now, boot: boot, database) else {
        throw GridError(.leaseLost, "lease \(lease) has ended")
      }
    }
    var writer = try RevisionWriter(database)
    var reads: [StoreEntry?] = []
    for operation in operations {
      switch operation {
      case .put(let key, let value, let lease): try writer.put(key, value, lease, database)
      case .delete(let key): try writer.delete(key, database)
      case .get(let key): reads.append(try entry(key, database))
      }
    }
    return StoreOutcome(succeeded: succeeded, revision: try writer.finish(database), reads: reads)
  }

  private static func holds(_ comparison: StoreComparison, _ database: Database) throws -> Bool {
    switch comparison {
    case .isAbsent(let key): try entry(key, database) == nil
    case .createRevision(let key, let revision): try entry(key, database)?.createRevision == revision
    case .modifyRevision(let key, let revision): try entry(key, database)?.modifyRevision == revision
    }
  }

  // MARK: Leases

  struct LeaseRow {
    let identifier: Int64
    let boot: String
    let expires: Int64
  }

  static func leases(_ database: Database) throws -> [LeaseRow] {
    try Row.fetchAll(try database.cachedStatement(sql: "SELECT id, boot, expires FROM leases")).map(leaseRow)
  }

  private static func leaseRow(_ row: Row) throws -> LeaseRow {
    LeaseRow(
      identifier: try row.decode(Int64.self, atIndex: 0), boot: try row.decode(String.self, atIndex: 1),
      expires: try row.decode(Int64.self, atIndex: 2))
  }

  static func insertLease(_ identifier: Int64, boot: String, expires: MonotonicTime, _ database: Database) throws {
    try database.execute(
      sql: "INSERT INTO leases (id, boot, expires) VALUES (?, ?, ?)",
      arguments: [identifier, boot, expires.nanoseconds])
  }

  /// Moves a lease's end; false when it is gone.
  static func renewLease(_ identifier: Int64, expires: MonotonicTime, _ database: Database) throws -> Bool {
    try database.execute(
      sql: "UPDATE leases SET expires = ? WHERE id = ?", arguments: [expires.nanoseconds, identifier])
    return database.changesCount > 0
  }

  static func isAlive(_ identifier: Int64, now: MonotonicTime, boot: String, _ database: Database) throws -> Bool {
    let statement = try database.cachedStatement(sql: "SELECT id, boot, expires FROM leases WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [identifier]).map(leaseRow) else { return false }
    return row.boot == boot && row.expires > now.nanoseconds
  }

  /// Removes a lease with everything it owns, as one revision.
  static func endLease(_ identifier: Int64, _ database: Database) throws {
    try database.execute(sql: "DELETE FROM leases WHERE id = ?", arguments: [identifier])
    let keys = try Data.fetchAll(
      database, sql: "SELECT key FROM entries WHERE lease = ? ORDER BY key", arguments: [identifier])
    guard !keys.isEmpty else { return }
    var writer = try RevisionWriter(database)
    for key in keys { try writer.delete(text(key), database) }
    _ = try writer.finish(database)
  }
}
