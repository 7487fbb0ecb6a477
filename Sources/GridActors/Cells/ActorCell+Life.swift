internal import GridConcurrency
package import GridCore
internal import Synchronization

/// How an actor begins, and what makes it end.
extension ActorCell {
  /// Ends the actor after the current message; waiting mail becomes dead letters.
  package func stop(_ reason: TerminationReason) {
    let (wakes, task) = state.withLock { $0.post(.stop(reason)) }
    hasSystemMail.store(true, ordering: .releasing)
    task?.cancel()
    if wakes { run(.pool) }
  }

  /// Hands a failure that no message caused to the supervision.
  package func failed(_ error: GridError) {
    let (wakes, _) = state.withLock { $0.post(.failed(error)) }
    hasSystemMail.store(true, ordering: .releasing)
    if wakes { run(.pool) }
  }

  /// Ends the cell although its handler does not return; its name is free once its program, which is killed, is gone.
  package func abandon(_ reason: TerminationReason) {
    let end = state.withLock { $0.end() }
    finish(end, reason)
    if end.wakes { run(.pool) }
  }

  /// Makes the cell busy, so that mail waits for its start: ``start(_:)`` follows, or ``abandon(_:)``. Before anybody
  /// finds it.
  package func prepareStart() -> PreparedStart {
    let spawner = PendingAsk()
    noteTraces()
    state.withLock { state in
      state.tell(spawner)
      _ = state.wake()
    }
    return PreparedStart(ask: spawner)
  }

  /// Whoever waits for a start that is to come.
  package struct PreparedStart: Sendable {
    fileprivate let ask: PendingAsk
  }

  /// Runs the `started` hook before any mail, and returns when it is done.
  ///
  /// - Throws: what the hook threw; the cell has ended then, without having been supervised.
  package func start(_ prepared: PreparedStart) async throws(GridError) {
    run(.here)
    _ = try await prepared.ask.reply()
  }

  /// Tells whoever spawned the actor, or asked for its restart, how its start went.
  ///
  /// - Returns: false when the cell has ended by it.
  func startFinished(_ error: GridError?) -> Bool {
    let (spawner, restarters) = state.withLock { $0.startEnded() }
    tell(restarters, error)
    guard let error else {
      spawner?.resolve(0, .accepted)
      return true
    }
    guard let spawner else {
      startFailed(error)
      return true
    }
    _ = state.withLock { $0.takeFarewell() }
    // What was broken off by a stop was not given up by whoever spawned it.
    let told = error.code == .cancelled ? Self.stoppedTooEarly(name) : error
    abandon(.couldNotStart(told))
    spawner.resolve(0, .failure(told))
    return false
  }
}
