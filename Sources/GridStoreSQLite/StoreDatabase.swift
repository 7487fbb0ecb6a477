internal import Foundation
internal import GRDB
internal import GridCore

/// The tables of the embedded store and what is done to them; every method runs inside a transaction or read of the
/// caller's, on the store's thread.
///
/// One change of the store is one revision. `changes` remembers the latest revisions for watches; `leases` says until
/// when each lease lives, in nanoseconds of `CLOCK_BOOTTIME` of one boot, which all processes of a machine share.
enum StoreDatabase {
  /// Raised when an older gridctl could not read the file any more.
  static let schemaVersion = 1
  /// Revisions kept for watches that fall behind; older ones make a watch start afresh.
  static let keptRevisions: Int64 = 20_000

  static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.busyMode = .timeout(5)
    configuration.label = "coordination store"
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA journal_mode = WAL")
      // A commit survives the death of the process; names are worthless after a power cut anyway.
      try database.execute(sql: "PRAGMA synchronous = NORMAL")
    }
    return configuration
  }

  static func prepare(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS entries (
          key TEXT PRIMARY KEY, value BLOB NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
          lease INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS entriesByLease ON entries (lease) WHERE lease != 0;
        CREATE TABLE IF NOT EXISTS changes (
          number INTEGER PRIMARY KEY, revision INTEGER NOT NULL, key TEXT NOT NULL, value BLOB,
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
  }

  // MARK: Reading

  static func number(_ name: String, _ database: Database) throws -> Int64 {
    try Int64.fetchOne(
      try database.cachedStatement(sql: "SELECT value FROM meta WHERE name = ?"), arguments: [name]) ?? 0
  }

  static func entry(_ key: String, _ database: Database) throws -> StoreEntry? {
    let statement = try database.cachedStatement(
      sql: "SELECT key, value, created, modified, lease FROM entries WHERE key = ?")
    return try Row.fetchOne(statement, arguments: [key]).map(entry)
  }

  static func range(_ prefix: String, _ database: Database) throws -> StoreSnapshot {
    let statement = try database.cachedStatement(
      sql: """
        SELECT key, value, created, modified, lease FROM entries
        WHERE key >= ? AND substr(key, 1, length(?)) = ? ORDER BY key
        """)
    let rows = try Row.fetchAll(statement, arguments: [prefix, prefix, prefix])
    return StoreSnapshot(entries: rows.map(entry), revision: try number("revision", database))
  }

  private static func entry(_ row: Row) -> StoreEntry {
    StoreEntry(
      key: row[0], value: Array(row[1] as Data), createRevision: row[2], modifyRevision: row[3], lease: row[4])
  }

  /// The changes after `revision`, or nil when some of them are no longer kept.
  static func changes(after revision: Int64, _ database: Database) throws -> [(revision: Int64, change: StoreChange)]? {
    guard revision >= (try number("trimmed", database)) else { return nil }
    let statement = try database.cachedStatement(
      sql: "SELECT revision, key, value, created, lease FROM changes WHERE revision > ? ORDER BY number")
    return try Row.fetchAll(statement, arguments: [revision]).map { row in
      let revision: Int64 = row[0]
      guard let value = row[2] as Data? else { return (revision, .delete(key: row[1], revision: revision)) }
      return (
        revision,
        .put(
          StoreEntry(key: row[1], value: Array(value), createRevision: row[3], modifyRevision: revision, lease: row[4]))
      )
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
    let current = try number("revision", database)
    var writer = RevisionWriter(revision: current + 1)
    var reads: [StoreEntry?] = []
    for operation in operations {
      switch operation {
      case .put(let key, let value, let lease): try writer.put(key, value, lease, database)
      case .delete(let key): try writer.delete(key, database)
      case .get(let key): reads.append(try entry(key, database))
      }
    }
    let revision = try writer.finish(database) ? current + 1 : current
    return StoreOutcome(succeeded: succeeded, revision: revision, reads: reads)
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
    try Row.fetchAll(try database.cachedStatement(sql: "SELECT id, boot, expires FROM leases")).map {
      LeaseRow(identifier: $0[0], boot: $0[1], expires: $0[2])
    }
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
    let statement = try database.cachedStatement(sql: "SELECT boot, expires FROM leases WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [identifier]) else { return false }
    return row[0] == boot && row[1] > now.nanoseconds
  }

  /// Removes a lease with everything it owns, as one revision.
  static func endLease(_ identifier: Int64, _ database: Database) throws {
    try database.execute(sql: "DELETE FROM leases WHERE id = ?", arguments: [identifier])
    let keys = try String.fetchAll(
      database, sql: "SELECT key FROM entries WHERE lease = ? ORDER BY key", arguments: [identifier])
    guard !keys.isEmpty else { return }
    var writer = RevisionWriter(revision: try number("revision", database) + 1)
    for key in keys { try writer.delete(key, database) }
    _ = try writer.finish(database)
  }
}
