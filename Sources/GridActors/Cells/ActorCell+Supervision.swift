internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// What follows a failure, and the end.
extension ActorCell {
  static func failure(_ body: () throws -> Void) -> GridError? {
    do {
      try body()
      return nil
    } catch {
      return gridError(error)
    }
  }

  static func gridError(_ error: any Error) -> GridError {
    GridError.wrapping(error, as: .handlerFailed, "the handler failed")
  }

  /// What the sender is told: "cancelled" is for who gives up itself, and no sender did.
  func told(_ error: GridError, isStopping: Bool) -> GridError {
    guard error.code == .cancelled else { return error }
    if isStopping {
      // What follows for the sender is that of a failure: the actor is there, and the message may be half done.
      return state.withLock { $0.status } == .restarting
        ? GridError(.handlerFailed, "actor \(name) was restarted while it had the message in hand")
        : GridError(.stopped, "actor \(name) was stopped")
    }
    return GridError(.handlerFailed, "the handler of \(name) broke off", cause: error.description)
  }

  static func stoppedTooEarly(_ name: String) -> GridError {
    GridError(.stopped, "actor \(name) was stopped before it had started")
  }

  func supervise(_ error: GridError) {
    switch kind.directive(error) {
    case .resume: return
    case .stop:
      host.failed(name, error, ends: true)
      stop(.failed(error))
    case .restart: restart(after: error)
    }
  }

  /// What follows when a restart's `started` threw: there is no state to go on with.
  func startFailed(_ error: GridError) {
    if kind.directive(error) == .stop { stop(.failed(error)) } else { restart(after: error) }
  }

  private func restart(after error: GridError) {
    guard !state.withLock({ $0.hasEnded }) else { return }
    let policy = request.command?.restart ?? kind.restart
    let decision = state.withLock { $0.restartDecision(error, policy, at: host.now()) }
    switch decision {
    case .stop:
      let reason = TerminationReason.supervisionGaveUp(
        error, restarts: policy.maximumRestarts, within: policy.window)
      host.failed(name, error, ends: true)
      host.log(actor: name, EventText.of(reason), isError: true)
      stop(reason)
    case .restart(let pause):
      host.failed(name, error, ends: false)
      happened(.actorFailed(error, restartsIn: pause))
      host.timers.schedule(after: pause) { self.resumeAfterPause() }
    }
  }

  private func resumeAfterPause() {
    do {
      let fresh = try kind.make(request)
      let (isReplaced, wakes) = state.withLock { $0.replace(with: fresh) }
      if isReplaced { happened(.actorRestarted(by: .supervision)) }
      if wakes { run(.pool) }
    } catch {
      let failure = Self.gridError(error)
      host.failed(name, failure, ends: true)
      stop(.cannotBeMadeAgain(failure))
    }
  }

  /// Whether the hook `stopped` is due; true once for each behaviour that was started.
  var takesFarewell: Bool { state.withLock { $0.takeFarewell() } }

  func finish(_ end: CellState.End, _ reason: TerminationReason) {
    for envelope in end.letters {
      refuse(envelope, .stopped, GridError(.stopped, "actor \(name) stopped before it handled the message"))
    }
    // One that was stopped before it came to its start: nobody else tells whoever waits for that.
    for ask in end.waiting { ask.resolve(0, .failure(Self.stoppedTooEarly(name))) }
    guard end.isFirst else { return }
    state.withLock { $0.behavior }.vacate { self.host.ended(self, reason) }
  }
}
