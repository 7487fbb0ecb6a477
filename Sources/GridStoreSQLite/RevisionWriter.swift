internal import Foundation
internal import GRDB
internal import GridCore

/// Writes the changes of one revision: the entries themselves, and the log that watches read.
struct RevisionWriter {
  private let current: Int64
  private let revision: Int64
  private var hasWritten = false

  /// Begins the revision after the store's present one.
  init(_ database: Database) throws {
    current = try StoreDatabase.number("revision", database)
    let (next, isOverflow) = current.addingReportingOverflow(1)
    guard !isOverflow else { throw GridError(.unavailable, "the coordination store's revisions are used up") }
    revision = next
  }

  mutating func put(_ key: String, _ value: [UInt8], _ lease: Int64, _ database: Database) throws {
    let created = try StoreDatabase.entry(key, database)?.createRevision ?? revision
    let data = Data(value)
    try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO entries (key, value, created, modified, lease) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [StoreDatabase.bytes(key), data, created, revision, lease])
    try log(key, data, created, lease, database)
  }

  mutating func delete(_ key: String, _ database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM entries WHERE key = ?").execute(
      arguments: [StoreDatabase.bytes(key)])
    guard database.changesCount > 0 else { return }
    try log(key, nil, 0, 0, database)
  }

  private mutating func log(_ key: String, _ value: Data?, _ created: Int64, _ lease: Int64, _ database: Database)
    throws
  {
    hasWritten = true
    try database.cachedStatement(
      sql: "INSERT INTO changes (revision, key, value, created, lease) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [revision, StoreDatabase.bytes(key), value, created, lease])
  }

  /// Makes the revision the current one when anything was written, and forgets old ones now and then.
  ///
  /// - Returns: the store's revision from now on.
  func finish(_ database: Database) throws -> Int64 {
    guard hasWritten else { return current }
    try database.cachedStatement(sql: "UPDATE meta SET value = ? WHERE name = 'revision'").execute(arguments: [revision]
    )
    if revision.isMultiple(of: 1000), revision > StoreDatabase.keptRevisions {
      let trimmed = revision - StoreDatabase.keptRevisions
      try database.execute(sql: "DELETE FROM changes WHERE revision <= ?", arguments: [trimmed])
      try database.execute(sql: "UPDATE meta SET value = ? WHERE name = 'trimmed'", arguments: [trimmed])
    }
    return revision
  }
}
