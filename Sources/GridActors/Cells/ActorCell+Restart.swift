internal import GridConcurrency
package import GridCore
internal import Synchronization

/// Starts afresh because somebody asked for it, not because of a failure.
extension ActorCell {
  /// Puts a fresh program or actor in the place of the present one, under the same name and token. The message in hand
  /// is broken off and becomes a dead letter; the others wait, and what a program has not read is mail again.
  ///
  /// - Throws: why it was not restarted, or did not start again: then it is tried as after a failure.
  package func restart(within limit: Duration) async throws(GridError) {
    _ = try await PendingAsk.run(timeout: limit, deadlines: host.deadlines) { ask, _ in
      restart(telling: ask)
    }
  }

  private func restart(telling ask: PendingAsk) {
    let fresh: any ActorBehavior
    do { fresh = try kind.make(request) } catch {
      let failure = Self.gridError(error)
      return ask.resolve(
        0, .failure(GridError(failure.code, "\(name) cannot be made again: \(failure)", hint: failure.hint)))
    }
    switch state.withLock({ $0.restart(with: fresh, telling: ask) }) {
    case .ends: ask.resolve(0, .failure(GridError(.stopped, "actor \(name) is being stopped")))
    case .isCrowded:
      ask.resolve(
        0, .failure(GridError(.retryLater, "\(name) is being restarted for many already", hint: "try again soon")))
    case .queued(let wakes, let task):
      hasSystemMail.store(true, ordering: .releasing)
      task?.cancel()
      if wakes { run(.pool) }
    }
  }

  /// Tells whoever asked for the restart how the start of the fresh one went.
  func tell(_ restarters: [PendingAsk], _ error: GridError?) {
    guard !restarters.isEmpty else { return }
    let outcome: ExchangeOutcome =
      if let error {
        .failure(
          GridError(
            error.code == .cancelled ? .stopped : error.code, "\(name) was ended, and did not start again: \(error)",
            hint: "it is tried as after a failure; see: gridctl inspect \(name)"))
      } else {
        .accepted
      }
    for ask in restarters { ask.resolve(0, outcome) }
  }
}
