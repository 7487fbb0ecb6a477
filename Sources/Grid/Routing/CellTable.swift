internal import GridActors
internal import GridCore
internal import Synchronization

/// The actors of this node by name, in shards so that busy threads rarely meet.
final class CellTable: Sendable {
  private final class Shard: Sendable {
    let cells = Mutex<[String: ActorCell]>([:])
  }

  private let shards: [Shard] = (0..<16).map { _ in Shard() }

  private func shard(_ name: String) -> Shard {
    var mixed: UInt8 = 0
    for byte in name.utf8 { mixed = mixed &* 31 &+ byte }
    return shards[Int(mixed & 15)]
  }

  subscript(name: String) -> ActorCell? { shard(name).cells.withLock { $0[name] } }

  /// Returns false when another one of that name is not gone yet, and does nothing then.
  func insert(_ cell: ActorCell) -> Bool {
    shard(cell.name).cells.withLock { cells in
      guard cells[cell.name] == nil else { return false }
      cells[cell.name] = cell
      return true
    }
  }

  /// Removes `cell`, but not a successor of the same name.
  func remove(_ cell: ActorCell) {
    shard(cell.name).cells.withLock { cells in
      if cells[cell.name] === cell { cells[cell.name] = nil }
    }
  }

  var count: Int { shards.reduce(0) { sum, shard in sum + shard.cells.withLock { $0.count } } }

  var all: [ActorCell] { shards.flatMap { shard in shard.cells.withLock { Array($0.values) } } }
}
