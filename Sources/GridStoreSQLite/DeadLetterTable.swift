internal import Foundation
internal import GRDB
internal import GridCore

/// The tables of the dead letters and what is done to them; every method runs inside a transaction or read of the
/// caller's.
///
/// A letter is a row, its body last, so that whoever wants no bodies reads none. `totals` has what is kept (`kept`
/// letters, `bytes`) and what was `dropped` for lack of room.
enum DeadLetterTable {
  static func prepare(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS messages (
          number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, reason TEXT NOT NULL,
          target TEXT NOT NULL, count INTEGER NOT NULL, replay TEXT NOT NULL, bytes INTEGER NOT NULL,
          bodyBytes INTEGER NOT NULL, sender TEXT NOT NULL, node TEXT NOT NULL, detail TEXT NOT NULL,
          type TEXT NOT NULL, contentType TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT OR IGNORE INTO totals VALUES ('dropped', 0), ('kept', 0), ('bytes', 0);
        """)
    if try database.tableExists("letters") { try takeOver(database) }
  }

  /// An older gridctl kept each letter as a document.
  private static func takeOver(_ database: Database) throws {
    try database.execute(sql: "UPDATE totals SET value = 0 WHERE name IN ('kept', 'bytes')")
    let rows = try Row.fetchCursor(database, sql: "SELECT id, at, reason, target, count, document FROM letters")
    while let row = try rows.next() {
      let document = [UInt8]((try? row.decode(Data.self, atIndex: 5)) ?? Data())
      if let json = try? JSONValue(parsing: document), let letter = try? DeadLetter(json: json) {
        try insert(letter, database)
        continue
      }
      func text(_ column: Int) -> String { (try? row.decode(String.self, atIndex: column)) ?? "" }
      func number(_ column: Int) -> Int64? { try? row.decode(Int64.self, atIndex: column) }
      try insert(
        DeadLetter(
          identifier: text(0), at: CalendarTime(millisecondsSince1970: number(1) ?? 0),
          reason: DeadLetter.Reason(rawValue: text(2)) ?? .undecodable, target: text(3), sender: "", node: "",
          message: Message(body: document), count: Int(clamping: number(4) ?? 1),
          detail: "the record of this letter cannot be read"), database)
    }
    try database.execute(sql: "DROP TABLE letters")
  }

  // MARK: Writing

  static func insert(_ letter: DeadLetter, _ database: Database) throws {
    let message = letter.message
    let insert = try database.cachedStatement(
      sql: """
        INSERT INTO messages (id, at, reason, target, count, replay, bytes, bodyBytes, sender, node, detail, type,
          contentType, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING
        """)
    let headers =
      message.headers.isEmpty
      ? ""
      : JSONValue.array(
        message.headers.flatMap { [.string($0.name), .string($0.value)] }
      ).text
    try insert.execute(arguments: [
      letter.identifier, letter.at.millisecondsSince1970, letter.reason.rawValue, letter.target, letter.count,
      letter.replayedAs, letter.cost, letter.bodyBytes, letter.sender, letter.node, letter.detail, message.type,
      message.contentType.name, headers, Data(message.body),
    ])
    guard database.changesCount > 0 else { return }
    try add(1, to: "kept", database)
    try add(letter.cost, to: "bytes", database)
  }

  static func noteDropped(_ count: Int, _ database: Database) throws { try add(count, to: "dropped", database) }

  private static func add(_ value: Int, to name: String, _ database: Database) throws {
    let update = try database.cachedStatement(sql: "UPDATE totals SET value = max(0, value + ?) WHERE name = ?")
    try update.execute(arguments: [value, name])
  }

  private static func total(_ name: String, _ database: Database) throws -> Int {
    let select = try database.cachedStatement(sql: "SELECT value FROM totals WHERE name = ?")
    return try Int.fetchOne(select, arguments: [name]) ?? 0
  }

  /// Removes the oldest letters for which there is no room, and counts what they stood for.
  static func dropOldest(beyond capacity: DeadLetterCapacity, _ database: Database) throws {
    let (kept, bytes) = (try total("kept", database), try total("bytes", database))
    guard kept > capacity.letters || bytes > capacity.bytes else { return }
    var (letters, freed, stoodFor) = (0, 0, 0)
    var last: String?
    let oldest = try Row.fetchCursor(
      try database.cachedStatement(sql: "SELECT id, count, bytes FROM messages ORDER BY id"))
    // What is kept stands in the file as well, whoever has written it there.
    while kept.subtractingClamped(letters) > capacity.letters || bytes.subtractingClamped(freed) > capacity.bytes,
      let row = try oldest.next()
    {
      last = try row.decode(String.self, atIndex: 0)
      stoodFor = stoodFor.addingClamped(max(1, (try? row.decode(Int.self, atIndex: 1)) ?? 1))
      freed = freed.addingClamped(max(0, (try? row.decode(Int.self, atIndex: 2)) ?? 0))
      letters += 1
    }
    guard let last else { return }
    try database.execute(sql: "DELETE FROM messages WHERE id <= ?", arguments: [last])
    try add(stoodFor, to: "dropped", database)
    try add(-letters, to: "kept", database)
    try add(-freed, to: "bytes", database)
  }

  static func mark(
    _ identifier: String, as replay: String, insteadOf expected: String, _ database: Database
  ) throws -> Bool {
    try database.execute(
      sql: "UPDATE messages SET replay = ? WHERE id = ? AND replay = ?", arguments: [replay, identifier, expected])
    return database.changesCount > 0
  }

  static func purge(_ filter: DeadLetterFilter, _ database: Database) throws -> Int {
    if filter.isUnconditional {
      let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM messages") ?? 0
      try database.execute(sql: "DELETE FROM messages; UPDATE totals SET value = 0")
      return count
    }
    var query = DeadLetterQuery(filter, bodyLimit: 0)
    var removed = 0
    while true {
      query.filter.limit = filter.limit.map { $0 - removed }
      let page = try page(query, database)
      for letter in page.letters {
        try database.cachedStatement(sql: "DELETE FROM messages WHERE id = ?").execute(arguments: [letter.identifier])
        try add(-1, to: "kept", database)
        try add(-letter.cost, to: "bytes", database)
      }
      removed += page.letters.count
      query.before = page.next
      if page.next == nil || removed >= filter.limit ?? .max { return removed }
    }
  }

  // MARK: Reading

  private static let columns = """
    id, at, reason, target, count, replay, bodyBytes, sender, node, detail, type, contentType, headers
    """

  static func page(_ query: DeadLetterQuery, _ database: Database) throws -> DeadLetterPage {
    var conditions = ["at >= ?"]
    var arguments: StatementArguments = [query.filter.since?.millisecondsSince1970 ?? .min]
    if let before = query.before {
      conditions.append("id < ?")
      arguments += [before]
    }
    if let isReplayed = query.filter.isReplayed { conditions.append(isReplayed ? "replay != ''" : "replay = ''") }
    let body = query.bodyLimit == .max ? "body" : query.bodyLimit <= 0 ? "x''" : "substr(body, 1, \(query.bodyLimit))"
    // Newest first, so that a limit ends the search early.
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT \(columns), \(body) FROM messages WHERE \(conditions.joined(separator: " AND ")) ORDER BY id DESC
        """, arguments: arguments)
    var page = DeadLetterPage()
    var room = query.maximumBytes
    while let row = try rows.next() {
      let letter = letter(row)
      guard query.filter.matches(letter) else { continue }
      if !page.take(letter, query, room: &room) { break }
    }
    return page
  }

  static func letter(_ identifier: String, _ database: Database) throws -> DeadLetter? {
    try Row.fetchOne(
      database, sql: "SELECT \(columns), body FROM messages WHERE id = ?", arguments: [identifier]
    ).map(letter)
  }

  /// A letter whose record cannot be read is shown as what is there: it must not hide the others, nor be hidden.
  private static func letter(_ row: Row) -> DeadLetter {
    // Read with `decode`, which throws where a subscript would trap: a file may hold anything.
    func text(_ column: Int) -> String { (try? row.decode(String.self, atIndex: column)) ?? "" }
    func number(_ column: Int) -> Int64? { try? row.decode(Int64.self, atIndex: column) }
    let body = [UInt8]((try? row.decode(Data.self, atIndex: 13)) ?? Data())
    var message = Message(body: body, contentType: ContentType(name: text(11)), type: text(10))
    if !text(12).isEmpty {
      let words = ((try? JSONValue(parsing: text(12)))?.arrayValue ?? []).map { $0.stringValue ?? "" }
      message.headers = stride(from: 0, to: words.count - 1, by: 2).map { Message.Header(words[$0], words[$0 + 1]) }
    }
    return DeadLetter(
      identifier: text(0), at: CalendarTime(millisecondsSince1970: number(1) ?? 0),
      reason: DeadLetter.Reason(rawValue: text(2)) ?? .undecodable, target: text(3), sender: text(7), node: text(8),
      message: message, bodyBytes: max(body.count, Int(clamping: number(6) ?? 0)), count: Int(clamping: number(4) ?? 1),
      detail: text(9), replayedAs: text(5))
  }

  static func counts(_ database: Database) throws -> DeadLetterCounts {
    DeadLetterCounts(
      kept: try total("kept", database),
      folded: try Int.fetchOne(database, sql: "SELECT coalesce(sum(count - 1), 0) FROM messages WHERE count > 1") ?? 0,
      dropped: try total("dropped", database), bytes: try total("bytes", database))
  }
}
