internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// What runs on this node, by name. In 16 parts with a lock each, so that threads seldom meet.
final class CellTable: Sendable {
  private struct State {
    var cells: [String: ActorCell] = [:]
    /// Whoever waits for one to be gone.
    var leaving: [ObjectIdentifier: [Latch]] = [:]
  }

  private final class Shard: Sendable {
    let state = Mutex(State())
  }

  private let shards: [Shard] = (0..<16).map { _ in Shard() }
  /// Whoever waits for all of them to be gone; touched only while somebody does.
  private let emptied = Mutex<[Latch]>([])

  private func shard(_ name: String) -> Shard {
    var mixed: UInt8 = 0
    for byte in name.utf8 { mixed = mixed &* 31 &+ byte }
    return shards[Int(mixed & 15)]
  }

  subscript(name: String) -> ActorCell? { shard(name).state.withLock { $0.cells[name] } }

  /// - Returns: false when the name is in use; then nothing has changed.
  func insert(_ cell: ActorCell) -> Bool {
    shard(cell.name).state.withLock { state in
      guard state.cells[cell.name] == nil else { return false }
      state.cells[cell.name] = cell
      return true
    }
  }

  func remove(_ cell: ActorCell) {
    let waiting = shard(cell.name).state.withLock { state -> [Latch] in
      if state.cells[cell.name] === cell { state.cells[cell.name] = nil }
      return state.leaving.removeValue(forKey: ObjectIdentifier(cell)) ?? []
    }
    for latch in waiting { latch.open() }
    tellWhenEmpty()
  }

  var count: Int { shards.reduce(0) { sum, shard in sum + shard.state.withLock { $0.cells.count } } }

  /// In no order.
  var all: [ActorCell] { shards.flatMap { shard in shard.state.withLock { Array($0.cells.values) } } }

  // MARK: Waiting

  /// Opens when the cell is in the table no more.
  func gone(_ cell: ActorCell) -> Latch {
    let latch = Latch()
    let isThere = shard(cell.name).state.withLock { state in
      guard state.cells[cell.name] === cell else { return false }
      state.leaving[ObjectIdentifier(cell), default: []].append(latch)
      return true
    }
    if !isThere { latch.open() }
    return latch
  }

  /// Opens when there is none.
  func empty() -> Latch {
    let latch = Latch()
    emptied.withLock { $0.append(latch) }
    tellWhenEmpty()
    return latch
  }

  private func tellWhenEmpty() {
    guard emptied.withLock({ !$0.isEmpty }), count == 0 else { return }
    let waiting = emptied.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for latch in waiting { latch.open() }
  }
}
