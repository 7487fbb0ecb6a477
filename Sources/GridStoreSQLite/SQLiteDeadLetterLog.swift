internal import Foundation
internal import GRDB
package import GridCore
internal import Synchronization

/// A node's dead letters in an SQLite file of its own.
package final class SQLiteDeadLetterLog: DeadLetterLog {
  private let path: String
  private let file: Mutex<OpenFile>
  private let capacity: Int

  private struct OpenFile {
    var queue: DatabaseQueue
    var identity: FileIdentity?
  }

  /// Opens the file, making it when it is not there.
  ///
  /// - Parameter capacity: letters kept; beyond it the oldest are dropped and counted.
  /// - Throws: ``GridError/Code/inputOutput`` with the reason when it cannot be opened.
  package init(path: String, capacity: Int = 100_000) async throws(GridError) {
    self.path = path
    self.capacity = max(1, capacity)
    file = Mutex(try await Self.open(path))
  }

  private static func open(_ path: String) async throws(GridError) -> OpenFile {
    do {
      StoreDatabase.makePrivateFile(path)
      var configuration = StoreDatabase.configuration()
      configuration.label = "dead letters"
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try await write(to: queue) { try prepare($0) }.get()
      return OpenFile(queue: queue, identity: FileIdentity(path: path))
    } catch {
      throw gridError(error, "cannot open the dead letters \(path)")
    }
  }

  /// The file under the path: where it was taken away, a new one.
  private func queue() async throws(GridError) -> DatabaseQueue {
    let (present, identity) = file.withLock { ($0.queue, $0.identity) }
    guard identity?.isGone ?? false else { return present }
    let fresh = try await Self.open(path)
    // Another call may have been quicker.
    let (chosen, surplus) = file.withLock { file in
      guard file.queue === present else { return (file.queue, fresh.queue) }
      file = fresh
      return (fresh.queue, present)
    }
    try? surplus.close()
    return chosen
  }

  private static func prepare(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS letters (
          id TEXT PRIMARY KEY, at INTEGER NOT NULL, reason TEXT NOT NULL, target TEXT NOT NULL, count INTEGER NOT NULL,
          document BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT OR IGNORE INTO totals VALUES ('dropped', 0), ('kept', 0);
        """)
  }

  package func append(_ letters: [DeadLetter]) async throws(GridError) {
    let capacity = capacity
    try await write { database in
      var added = 0
      for letter in letters {
        let insert = try database.cachedStatement(
          sql: """
            INSERT INTO letters (id, at, reason, target, count, document) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """)
        try insert.execute(arguments: [
          letter.identifier, letter.at.millisecondsSince1970, letter.reason.rawValue, letter.target, letter.count,
          Data(letter.json.serialized()),
        ])
        added += database.changesCount
      }
      try database.execute(sql: "UPDATE totals SET value = value + ? WHERE name = 'kept'", arguments: [added])
      try Self.dropOldest(beyond: capacity, database)
    }
  }

  /// Removes the oldest letters for which there is no room, and counts what they stood for.
  private static func dropOldest(beyond capacity: Int, _ database: Database) throws {
    let kept = try Int.fetchOne(database, sql: "SELECT value FROM totals WHERE name = 'kept'") ?? 0
    guard kept > capacity else { return }
    let oldest = "SELECT id FROM letters ORDER BY id LIMIT \(kept - capacity)"
    let dropped = try Int.fetchOne(database, sql: "SELECT sum(count) FROM letters WHERE id IN (\(oldest))") ?? 0
    try database.execute(sql: "DELETE FROM letters WHERE id IN (\(oldest))")
    let removed = database.changesCount
    try database.execute(sql: "UPDATE totals SET value = value + ? WHERE name = 'dropped'", arguments: [dropped])
    try database.execute(sql: "UPDATE totals SET value = value - ? WHERE name = 'kept'", arguments: [removed])
  }

  package func list(_ filter: DeadLetterFilter) async throws(GridError) -> [DeadLetter] {
    try await read { try Self.list(filter, $0) }
  }

  private static func list(_ filter: DeadLetterFilter, _ database: Database) throws -> [DeadLetter] {
    var letters: [DeadLetter] = []
    let limit = filter.limit ?? .max
    let since = filter.since?.millisecondsSince1970 ?? .min
    // Newest first, so that a limit ends the search early.
    let rows = try Row.fetchCursor(
      database, sql: "SELECT * FROM letters WHERE at >= ? ORDER BY id DESC", arguments: [since])
    while letters.count < limit, let row = try rows.next() {
      let letter = Self.letter(row)
      if filter.matches(letter) { letters.append(letter) }
    }
    return letters.reversed()
  }

  /// A letter whose record cannot be read is shown as what is there: it must not hide the others, nor be hidden.
  private static func letter(_ row: Row) -> DeadLetter {
    // Read with `decode`, which throws where a subscript would trap: a file may hold anything.
    let document = [UInt8]((try? row.decode(Data.self, forColumn: "document")) ?? Data())
    if let json = try? JSONValue(parsing: document), let letter = try? DeadLetter(json: json) { return letter }
    func text(_ column: String) -> String { (try? row.decode(String.self, forColumn: column)) ?? "" }
    func number(_ column: String) -> Int64? { try? row.decode(Int64.self, forColumn: column) }
    return DeadLetter(
      identifier: text("id"), at: CalendarTime(millisecondsSince1970: number("at") ?? 0),
      reason: DeadLetter.Reason(rawValue: text("reason")) ?? .undecodable, target: text("target"), sender: "", node: "",
      message: Message(body: document), count: Int(clamping: number("count") ?? 1),
      detail: "the record of this letter cannot be read")
  }

  package func letter(_ identifier: String) async throws(GridError) -> DeadLetter? {
    try await read { try Self.letter(identifier, $0) }
  }

  private static func letter(_ identifier: String, _ database: Database) throws -> DeadLetter? {
    try Row.fetchOne(database, sql: "SELECT * FROM letters WHERE id = ?", arguments: [identifier]).map(letter)
  }

  package func markReplayed(_ identifier: String, as replay: String) async throws(GridError) {
    try await write { database in
      guard var letter = try Self.letter(identifier, database) else { return }
      letter.replayedAs = replay
      try database.execute(
        sql: "UPDATE letters SET document = ? WHERE id = ?", arguments: [Data(letter.json.serialized()), identifier])
    }
  }

  package func purge(_ filter: DeadLetterFilter) async throws(GridError) -> Int {
    try await write { database in
      let matching = try Self.list(filter, database).map(\.identifier)
      for identifier in matching {
        try database.cachedStatement(sql: "DELETE FROM letters WHERE id = ?").execute(arguments: [identifier])
      }
      try database.execute(
        sql: "UPDATE totals SET value = (SELECT count(*) FROM letters) WHERE name = 'kept'")
      return matching.count
    }
  }

  package func count(since: CalendarTime) async throws(GridError) -> Int {
    try await read { database in
      let sum = try Double.fetchOne(
        database, sql: "SELECT total(count) FROM letters WHERE at >= ?", arguments: [since.millisecondsSince1970])
      return Int(clamping: Int64(exactly: (sum ?? 0).rounded()) ?? .max)
    }
  }

  package func counts() async throws(GridError) -> DeadLetterCounts {
    try await read { database in
      DeadLetterCounts(
        kept: try Int.fetchOne(database, sql: "SELECT count(*) FROM letters") ?? 0,
        folded: try Int.fetchOne(database, sql: "SELECT coalesce(sum(count - 1), 0) FROM letters") ?? 0,
        dropped: try Int.fetchOne(database, sql: "SELECT value FROM totals WHERE name = 'dropped'") ?? 0)
    }
  }

  package func close() async { file.withLock { try? $0.queue.close() } }

  private func write<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(GridError) -> Value {
    let result = await Self.write(to: try await queue(), body)
    do { return try result.get() } catch { throw Self.gridError(error, "the dead letters cannot be written") }
  }

  /// Not the async form, which a cancelled task gives up: a node that is cancelled still writes its last letters.
  private static func write<Value: Sendable>(
    to queue: DatabaseQueue, _ body: @escaping @Sendable (Database) throws -> Value
  ) async -> Result<Value, any Error> {
    await withCheckedContinuation { continuation in
      queue.asyncWrite(body) { continuation.resume(returning: $1) }
    }
  }

  private func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(GridError) -> Value {
    do { return try await queue().read(body) } catch { throw Self.gridError(error, "the dead letters cannot be read") }
  }

  private static func gridError(_ error: any Error, _ message: String) -> GridError {
    if let error = error as? GridError { return error }
    if error is CancellationError { return GridError(.cancelled, message) }
    return GridError(.inputOutput, message, cause: StoreEngine.reason(error))
  }
}
