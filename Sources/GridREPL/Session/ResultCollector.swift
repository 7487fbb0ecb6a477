internal import GridCommands
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// Keeps the values behind what a command prints, and hands its rows on when somebody works on them.
final class ResultCollector: ResultListener {
  /// How many records of a stream, or replies of a batch, are kept as the value; older ones are forgotten.
  static let keptRecords = 1000

  private struct State {
    var list: SessionValue?
    var values: [JSONValue] = []
    var records: [JSONValue] = []
    var nameField: String?
  }

  private let state = Mutex(State())
  private let rows: RowQueue?

  init(rows: RowQueue? = nil) { self.rows = rows }

  func received(list: [JSONValue], kind: String, nameField: String) {
    state.withLock {
      $0.list = SessionValue(["kind": .string(kind), "items": .array(list)], nameField: nameField)
    }
    rows?.add(list: list, nameField: nameField)
  }

  func received(value: JSONValue) {
    state.withLock { Self.append(value, to: &$0.values) }
    rows?.add(value, nameField: nil)
  }

  func received(record: JSONValue, nameField: String) {
    state.withLock { state in
      state.nameField = nameField
      Self.append(record, to: &state.records)
    }
    rows?.add(record, nameField: nameField)
  }

  private static func append(_ value: JSONValue, to values: inout [JSONValue]) {
    // In halves, so that a long stream costs little for each of its records.
    if values.count >= 2 * keptRecords { values.removeFirst(keptRecords) }
    values.append(value)
  }

  /// What was received, as one value; nil when nothing was.
  var value: SessionValue? {
    state.withLock { state in
      if let list = state.list { return list }
      if !state.records.isEmpty {
        return SessionValue(
          ["items": .array(Array(state.records.suffix(Self.keptRecords)))], nameField: state.nameField)
      }
      switch state.values.count {
      case 0: return nil
      case 1: return state.values.first.map { SessionValue($0) }
      default: return SessionValue(.array(Array(state.values.suffix(Self.keptRecords))))
      }
    }
  }
}

/// Rows on their way from one command to `each`.
///
/// A list, which is in memory already, is taken whole. Of a stream at most ``capacity`` rows wait; more are counted and
/// dropped.
final class RowQueue: Sendable {
  static let capacity = 10_000

  struct Row: Sendable {
    var value: JSONValue
    var nameField: String?
  }

  private struct State {
    var rows: [Row] = []
    var next = 0
    var dropped = 0
    var isFinished = false
  }

  private let state = Mutex(State())
  private let changed = Signal<Void>()

  func add(list: [JSONValue], nameField: String?) {
    state.withLock { state in state.rows += list.map { Row(value: $0, nameField: nameField) } }
    changed.raise()
  }

  func add(_ value: JSONValue, nameField: String?) {
    state.withLock { state in
      guard state.rows.count - state.next < Self.capacity else {
        state.dropped += 1
        return
      }
      state.rows.append(Row(value: value, nameField: nameField))
    }
    changed.raise()
  }

  /// No more rows come.
  func finish() {
    state.withLock { $0.isFinished = true }
    changed.raise()
  }

  /// How many rows were dropped.
  var dropped: Int { state.withLock { $0.dropped } }

  /// The next row; nil when there are no more, or the task is cancelled. One reader.
  func next() async -> Row? {
    while !Task.isCancelled {
      let (row, isOver) = state.withLock { state -> (Row?, Bool) in
        guard state.next < state.rows.count else { return (nil, state.isFinished) }
        let row = state.rows[state.next]
        state.next += 1
        if state.next >= 1024 {
          state.rows.removeFirst(state.next)
          state.next = 0
        }
        return (row, false)
      }
      if row != nil || isOver { return row }
      await changed.wait()
    }
    return nil
  }
}
