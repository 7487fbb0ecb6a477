package import GridCore
package import NIOCore
internal import Synchronization

/// Starts child processes and sees to it that none of them outlives the node.
///
/// A helper process, the guard, is forked from the node at ``start()`` or at the first child, and forks a keeper for
/// each child. A child leads its own session and process group, and has default signal dispositions and no descriptor
/// but 0, 1 and 2. Its keeper kills all that descends from it, whatever that did to its group or session, when the
/// child ends, when it is told to, when the run limit has passed, or when the node or the guard is gone in any way.
/// When the guard dies, its children are reported as ``ProcessExitStatus/lost`` once they are gone, and the next child
/// gets a new one. What became another user's process is killed where the kernel lets us, and else left alone.
///
/// Guard and keepers are copies of the node at the time the guard is forked: they hold on to that memory, and every
/// child costs a copy of the page tables. So start it early: forked from a node of 1 GiB, a child takes tens of
/// milliseconds instead of two. A guard that replaces one that died is forked late and pays this. Safe to use from any
/// thread or task.
package final class ProcessGuard: Sendable {
  /// The most children at a time.
  package static let maximumChildren = GuardConnection.maximumChildren

  private enum State {
    case idle
    case running(GuardConnection)
    case shutDown(GuardConnection?)
  }

  private let state = Mutex(State.idle)
  /// Until when children that are under it may run: those of actors whose names this node holds by a lease.
  private let limit = RunLimit()

  package init() {}

  deinit {
    state.withLock { state in
      if case .running(let connection) = state { connection.close() }
    }
  }

  /// Starts the guard now, while the process is small; it is started by itself at the first child otherwise.
  ///
  /// - Throws: ``GridError/Code/retryLater`` when the system cannot start a process, ``GridError/Code/stopped`` after
  ///   ``shutdown()``.
  package func start() throws(GridError) { _ = try liveConnection() }

  /// The run limit as it is now, for ``ChildProcess/Options/limit``.
  package var currentLimit: RunLimit.Number? { limit.number }

  /// Moves the run limit; children that are under it are killed when it passes, whatever this process does.
  package func extendLimit(until time: MonotonicTime, notice: Duration) { limit.extend(until: time, notice: notice) }

  /// Kills the children that are under the present limit, now; those that come later are under another one.
  package func endLimit() {
    limit.end()
    state.withLock { state in
      if case .running(let connection) = state { connection.recheckLimit() }
    }
  }

  /// Starts a child, and returns once its program runs.
  ///
  /// The child lives until it ends by itself, until ``ChildProcess/terminate(grace:)``, until the run limit it is under
  /// passes, or until ``shutdown()``; letting go of the object does not end it. When this throws, also since the task
  /// was cancelled, nothing is left of the child.
  ///
  /// - Parameters:
  ///   - command: What to run.
  ///   - options: What happens to what the child writes, and limits.
  ///   - eventLoop: The loop of a `MultiThreadedEventLoopGroup`, which carries the child's pipes.
  /// - Throws: ``GridError/Code/noInput`` when there is no such program or directory, ``GridError/Code/refused`` when
  ///   it may not be run, ``GridError/Code/usage`` when the command is malformed or over its limit,
  ///   ``GridError/Code/retryLater`` when something has run out, ``GridError/Code/unavailable`` when the guard died
  ///   meanwhile, ``GridError/Code/stopped`` after ``shutdown()``, ``GridError/Code/cancelled``.
  package func spawn(
    _ command: ProcessCommand,
    options: ChildProcess.Options = .init(),
    on eventLoop: any EventLoop
  ) async throws(GridError) -> ChildProcess {
    let payload = try command.payload()
    let connection = try liveConnection()
    let pipes = try ProcessPipes()
    let handle = try await connection.spawn(command, payload: payload, pipes: pipes, limit: options.limit)
    do throws(GridError) {
      let child = try await ChildProcess.attach(handle, pipes: pipes, options: options, on: eventLoop)
      guard !Task.isCancelled else {
        child.abandon()
        throw GridError(.cancelled, "no longer waiting for \(command.quoted) to start")
      }
      return child
    } catch {
      handle.signal(.kill)
      _ = await handle.exit.wait(as: handle.exit.makeWaiter())
      throw error
    }
  }

  /// Kills every child with all that descends from it, ends the guard, and returns when they are gone. No child can be
  /// started after.
  ///
  /// A process the kernel cannot end is given up after five seconds.
  package func shutdown() async {
    let connection = state.withLock { state -> GuardConnection? in
      switch state {
      case .idle:
        state = .shutDown(nil)
        return nil
      case .running(let connection):
        state = .shutDown(connection)
        return connection
      case .shutDown(let connection): return connection
      }
    }
    guard let connection else { return }
    connection.close()
    await connection.waitUntilClosed()
  }

  /// The number of children that are starting or running.
  package var childCount: Int {
    state.withLock { state in
      if case .running(let connection) = state { connection.childCount } else { 0 }
    }
  }

  /// The id of the guard's process, while there is one.
  package var processIdentifier: Int32? {
    state.withLock { state in
      guard case .running(let connection) = state, connection.isOpen else { return nil }
      return connection.guardProcess
    }
  }

  private func liveConnection() throws(GridError) -> GuardConnection {
    try state.withLock { state throws(GridError) in
      switch state {
      case .running(let connection) where connection.isOpen: return connection
      case .idle, .running:
        let connection = try GuardConnection.open(limit: limit)
        state = .running(connection)
        return connection
      case .shutDown: throw GridError(.stopped, "the node is stopping and starts no more child processes")
      }
    }
  }
}
