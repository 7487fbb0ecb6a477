internal import GridClient
internal import GridCore
internal import GridSystem
internal import Synchronization

/// A list that goes on: its rows as `ADDED`, then `SYNCED`, then `ADDED`, `MODIFIED` and `DELETED` as they happen.
///
/// The list is asked for again when an event says that something changed, never on a timer.
struct ListWatch {
  let session: CommandSession
  let verb: String
  let arguments: JSONValue
  /// The kinds of events that may change the list.
  let events: [String]
  let description: ListDescription<JSONValue>
  /// The members whose change makes a row `MODIFIED`; counters that always move are not among them.
  let fields: [String]
  let filter: @Sendable (JSONValue) -> Bool

  /// What was seen so far.
  private final class Picture: Sendable {
    let changes: Mutex<ListChanges>

    init(fields: [String]) { changes = Mutex(ListChanges(fields: fields)) }
  }

  /// Until the cluster is lost or the command is ended; a node that goes is replaced by another one.
  func run() async throws {
    let (watch, writer) = (self, session.writer)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await watch.follow() }
      // A pipe whose reader has gone is otherwise noticed by the next change only, which may never come.
      group.addTask { try await writer.untilReaderIsGone() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func follow() async throws {
    try session.renderer.streamHeader(watchDescription)
    let picture = Picture(fields: fields)
    let succession = SessionSuccession()
    var next = session
    while true {
      let session = next
      async let learning: Void = succession.learn(from: session)
      do {
        try await follow(session, picture, succession)
      } catch let error where SessionSuccession.isLoss(error) {
        // The next node goes on from the same picture.
      }
      await learning
      next = try await succession.successor(of: session)
    }
  }

  private func follow(
    _ session: CommandSession, _ picture: Picture, _ succession: SessionSuccession
  ) async throws {
    let bells = ChangeBells()
    let (watch, watched) = (self, watchDescription)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await bells.follow(session.connection, kinds: watch.events) { _ in } }
      group.addTask {
        try await bells.untilTrue {
          let rows = try await watch.rows(session)
          succession.serves()
          for record in picture.changes.withLock({ $0.take(rows, at: SystemClock().date()) }) {
            if record["kind"]?.stringValue != "SYNCED" || session.renderer.format.isJSON {
              try session.renderer.record(record, watched)
            }
          }
          return false
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func rows(_ session: CommandSession) async throws -> [JSONValue] {
    let list = try await session.items(verb, arguments)
    for node in list.missing {
      session.writer.warning("node \(Column.text(node["node"])) did not answer: \(Column.text(node["message"]))")
    }
    return list.items.filter(filter)
  }

  private var watchDescription: ListDescription<JSONValue> {
    let inner = description
    let columns = inner.columns.map { column in
      var watched = Column<JSONValue>(
        column.header, wideOnly: column.isWideOnly, alignment: column.alignment, fit: column.fit,
        priority: column.priority, streamWidth: column.streamWidth,
        style: { column.style($0["object"] ?? .null) }, { column.cell($0["object"] ?? .null) })
      watched.isKnown = column.isKnown
      return watched
    }
    return ListDescription(
      kind: inner.kind, rowKind: inner.rowKind, noun: inner.noun,
      columns: [
        Column<JSONValue>("EVENT", fit: .whole, priority: ColumnPriority.name, streamWidth: 8, field: "kind")
      ] + columns, json: { $0 },
      name: { inner.name($0["object"] ?? .null) })
  }
}

/// What became of a list between two looks at it. Pure.
struct ListChanges {
  private let fields: [String]
  private var known: [String: JSONValue] = [:]
  private var sequence: Int64 = 0
  private var hasSynced = false

  init(fields: [String]) { self.fields = fields }

  /// The records of what changed since the last look, each with `seq`, `at` and `kind`; after the first look `SYNCED`.
  mutating func take(_ rows: [JSONValue], at time: CalendarTime) -> [JSONValue] {
    var records: [JSONValue] = []
    var present: [String: JSONValue] = [:]
    for row in rows {
      let name = Column.text(row["name"])
      present[name] = row
      if let before = known[name] {
        if fields.contains(where: { before[$0] != row[$0] }) { records.append(record("MODIFIED", row, time)) }
      } else {
        records.append(record("ADDED", row, time))
      }
    }
    for (name, row) in known.sorted(by: { $0.key < $1.key }) where present[name] == nil {
      records.append(record("DELETED", row, time))
    }
    known = present
    if !hasSynced {
      hasSynced = true
      sequence += 1
      records.append([
        "seq": .integer(sequence), "at": .string(time.rfc3339), "kind": "SYNCED",
        "count": .integer(Int64(present.count)),
      ])
    }
    return records
  }

  private mutating func record(_ kind: String, _ row: JSONValue, _ time: CalendarTime) -> JSONValue {
    sequence += 1
    return ["seq": .integer(sequence), "at": .string(time.rfc3339), "kind": .string(kind), "object": row]
  }
}
