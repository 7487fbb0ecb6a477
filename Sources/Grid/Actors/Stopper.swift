internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import GridSystem

/// Ends actors, one or all of them, and knows when they are gone with all that their names stood for.
struct Stopper: Sendable {
  /// How long a handler may take to end when its actor is stopped.
  private static let grace = Duration.seconds(10)
  private static let patienceWithKilledPrograms = Duration.seconds(5)
  private static let patienceInAHurry = Duration.milliseconds(200)

  let node: NodeSelf
  let cells: CellTable
  let releases: ClaimReleases
  let singletons: SingletonLedger
  let processes: ProcessGuard
  let timers: any Timers

  func stop(_ cell: ActorCell, kills: Bool, until limit: MonotonicTime) async throws {
    let now = timers.now()
    if cell.hasName { singletons.willStop(cell.name, epoch: cell.epoch) }
    cell.stop(kills ? .killed : .request)
    if !kills { try await wait(for: cell, until: min(limit, now + Self.grace)) }
    if kills || timers.now() < limit {
      cell.abandon(kills ? .killed : .handlerDidNotReturn)
      try await wait(for: cell, until: limit)
    }
    guard cells[cell.name] !== cell else { throw Self.stillRuns(cell, wasKilled: kills) }
    if cell.hasName { await releases.add(.actor(cell.name, epoch: cell.epoch)).wait() }
  }

  /// Has an actor start afresh.
  func restart(_ cell: ActorCell, until limit: MonotonicTime) async throws(GridError) {
    do throws(GridError) {
      try await cell.restart(within: limit - timers.now())
    } catch {
      guard error.code == .deadline else { throw error }
      throw GridError(
        .deadline, "\(cell.name) has not restarted yet: \(cell.holdings)",
        hint: "it starts afresh once that has ended; to end it now: gridctl stop \(cell.name) --kill")
    }
    cell.happened(.actorRestarted(by: .request))
  }

  /// Returns when the cell is gone, with all that its name stood for, or at the time.
  private func wait(for cell: ActorCell, until limit: MonotonicTime) async throws {
    _ = await cells.gone(cell).wait(atMost: limit - timers.now(), on: timers)
    try Task.checkCancellation()
  }

  private static func stillRuns(_ cell: ActorCell, wasKilled: Bool) -> GridError {
    GridError(
      .deadline, "\(cell.name) has not stopped yet: \(cell.holdings)",
      hint: wasKilled
        ? "it was killed; its name is free once the system has ended it"
        : "its name is free once it has ended; end it now with: gridctl stop \(cell.name) --kill")
  }

  // MARK: All of them

  /// Stops every actor; those whose handler does not return within `grace`, or before the node is hurried or its task
  /// cancelled, are given up.
  ///
  /// - Parameter choice: those without a name lose nothing with the lease, and end with the node.
  func stopAll(_ reason: TerminationReason, _ choice: CellTable.Choice, grace: Duration) async {
    for cell in cells.cells(choice) {
      if cell.hasName { singletons.willStop(cell.name, epoch: cell.epoch) }
      cell.stop(reason)
    }
    await waitUntilEmpty(choice, grace, unless: node.leave.hurry)
    if node.leave.hurry.isOpen {
      await processes.shutdown()
      await waitUntilEmpty(choice, Self.patienceInAHurry)
    }
    for cell in cells.cells(choice) { cell.abandon(reason) }
    // Their names are theirs until their programs, which were killed, are gone.
    await waitUntilEmpty(choice, Self.patienceWithKilledPrograms)
  }

  private func waitUntilEmpty(_ choice: CellTable.Choice, _ limit: Duration, unless hurry: Latch? = nil) async {
    let over = Latch()
    cells.empty(choice).whenOpen { over.open() }
    hurry?.whenOpen { over.open() }
    _ = await over.wait(atMost: limit, on: timers)
  }
}
