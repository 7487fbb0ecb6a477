internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSystem
internal import Synchronization

/// A list that goes on: its rows as `ADDED`, then `SYNCED`, then `ADDED`, `MODIFIED` and `DELETED` as they happen.
///
/// The list is asked for again when an event says that something changed, never on a timer; where events name the rows
/// that did, only these are.
struct ListWatch<Request: ListRequest>: Sendable where Request.Item: Sendable {
  let session: CommandSession
  let request: Request
  /// The only node whose items are wanted.
  let node: String?
  /// The kinds of events that may change the list.
  let events: [GridEvent.Kind]
  let description: ListDescription<JSONValue>
  /// The members whose change makes a row `MODIFIED`; counters that always move are not among them.
  let fields: [String]
  let filter: @Sendable (Request.Item) -> Bool
  /// The request for rows of these names alone, where the names of events are those of rows.
  var narrowed: (@Sendable (Request, [String]) -> Request)?

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
    while true {
      let connection = session.connection
      async let learning: Void = session.cluster.learn(timeout: session.timeout)
      do {
        try await follow(connection, picture)
      } catch let error where ClusterClient.isLoss(error) {
        // The next node goes on from the same picture.
      }
      await learning
      try await session.goOn(after: connection)
    }
  }

  private func follow(_ connection: NodeConnection, _ picture: Picture) async throws {
    let (bells, news) = (ChangeBells(), ChangedNames())
    let (watch, watched, timers) = (self, watchDescription, session.cluster.timers)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await bells.follow(connection, kinds: watch.events) { event in
          let isNamed = watch.narrowed != nil && event?.kind == .actor
          news.state.withLock { $0.add(isNamed ? event?.name : nil, at: timers.now()) }
        }
      }
      group.addTask {
        try await bells.untilTrue {
          let names = news.state.withLock { $0.take(at: timers.now()) }
          let rows = try await watch.rows(names)
          watch.session.cluster.serves()
          let now = timers.date()
          for change in picture.changes.withLock({ $0.take(rows, of: names, at: now) }) {
            if change.kind != .synced || watch.session.renderer.format.isJSON {
              try watch.session.renderer.record(change.json, watched)
            }
          }
          return false
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// The rows of these names, or all.
  private func rows(_ names: Set<String>?) async throws -> [JSONValue] {
    var request = request
    if let names, let narrowed {
      if names.isEmpty { return [] }
      request = narrowed(request, names.sorted())
    }
    let list = try await session.items(request, on: node)
    for node in list.missing { session.writer.warning("node \(node.node) did not answer: \(node.message)") }
    return zip(list.elements, try list.items()).filter { filter($1) }.map(\.0)
  }

  private var watchDescription: ListDescription<JSONValue> {
    let inner = description
    let columns = inner.columns.map { column in
      var watched = Column<JSONValue>(
        column.header, wideOnly: column.isWideOnly, alignment: column.alignment, fit: column.fit,
        priority: column.priority, streamWidth: column.streamWidth,
        style: { column.style(ListChange.row(of: $0)) }, { column.cell(ListChange.row(of: $0)) })
      watched.isKnown = column.isKnown
      return watched
    }
    return ListDescription(
      kind: inner.kind, rowKind: inner.rowKind, noun: inner.noun,
      columns: [
        Column<JSONValue>("EVENT", fit: .whole, priority: ColumnPriority.name, streamWidth: 8, field: "kind")
      ] + columns, json: { $0 },
      name: { inner.name(ListChange.row(of: $0)) })
  }
}

/// What is known of the changes since the last look.
private final class ChangedNames: Sendable {
  let state = Mutex(NamesToLookAt())
}

/// Which rows of a list are worth looking at, by the events that name them. Pure.
///
/// A name stays until a look some time after its last event: what an event announces may not be done yet. So do rows
/// that nobody has named, which the whole list has.
struct NamesToLookAt {
  /// Of more the whole list is asked for.
  private static let most = 1000

  /// When the latest event of each came.
  private var names: [String: MonotonicTime] = [:]
  /// When the latest one came that named none; nil when there is none to look for.
  private var unnamed: MonotonicTime?
  private var isFirst = true

  /// - Parameter name: nil for rows that are not known.
  mutating func add(_ name: String?, at time: MonotonicTime) {
    if let name, names.count < Self.most || names[name] != nil { names[name] = time } else { unnamed = time }
  }

  /// The names for the look that begins now, perhaps none; nil for the whole list.
  mutating func take(at now: MonotonicTime) -> Set<String>? {
    let wantsAll = isFirst || unnamed != nil
    let present = Set(names.keys)
    isFirst = false
    names = names.filter { now - $0.value < ChangeBells.settling }
    if let time = unnamed, now - time >= ChangeBells.settling { unnamed = nil }
    return wantsAll ? nil : present
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
  ///
  /// - Parameter names: the look was at rows of these names alone; nil for all.
  mutating func take(_ rows: [JSONValue], of names: Set<String>? = nil, at time: CalendarTime) -> [ListChange] {
    var records: [ListChange] = []
    var present: [String: JSONValue] = [:]
    for row in rows {
      let name = Column.text(row, "name")
      present[name] = row
      if let before = known[name] {
        if fields.contains(where: { before[$0] != row[$0] }) { records.append(record(.modified, row, time)) }
      } else {
        records.append(record(.added, row, time))
      }
    }
    for name in (names ?? Set(known.keys)).subtracting(present.keys).sorted() {
      if let row = known.removeValue(forKey: name) { records.append(record(.deleted, row, time)) }
    }
    known.merge(present) { _, row in row }
    if !hasSynced {
      hasSynced = true
      sequence += 1
      records.append(ListChange(sequence: sequence, at: time, kind: .synced, count: known.count))
    }
    return records
  }

  private mutating func record(_ kind: ListChange.Kind, _ row: JSONValue, _ time: CalendarTime) -> ListChange {
    sequence += 1
    return ListChange(sequence: sequence, at: time, kind: kind, row: row)
  }
}

/// One thing that became of a list.
struct ListChange: Equatable {
  enum Kind: String {
    case added = "ADDED"
    case modified = "MODIFIED"
    case deleted = "DELETED"
    case synced = "SYNCED"
  }

  var sequence: Int64
  var at: CalendarTime
  var kind: Kind
  /// Whose change it is; none of ``Kind/synced``.
  var row: JSONValue?
  /// Of ``Kind/synced``: how many rows there are.
  var count: Int?

  private static let rowField = "object"

  var json: JSONValue {
    var members: [String: JSONValue] = [
      "seq": .integer(sequence), "at": .string(at.rfc3339), "kind": .string(kind.rawValue),
    ]
    if let row { members[Self.rowField] = row }
    if let count { members["count"] = .optional(count) }
    return .object(members)
  }

  /// The row in what ``json`` has made.
  static func row(of json: JSONValue) -> JSONValue { json[rowField] ?? .null }
}
