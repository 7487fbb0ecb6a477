internal import GridActors
internal import Synchronization

/// Cells that became busy while a link was read; they run once the whole read is in their mailboxes.
final class TouchedCells: Sendable {
  private let cells = Mutex<[ActorCell]>([])

  func add(_ cell: ActorCell) { cells.withLock { $0.append(cell) } }

  func runAll() {
    let busy = cells.withLock { cells in
      defer { cells.removeAll(keepingCapacity: true) }
      return cells
    }
    for cell in busy { cell.run(.here) }
  }
}
