internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// Has the attempts of this node to claim one name come one after the other.
///
/// Who does not hear whether the store has taken a claim looks whether it stands there. What two have claimed at once
/// would be found by both, and one of them would give back what the other one has.
final class ClaimTurns: Sendable {
  /// By name: opens when whoever has the turn is done.
  private let turns = Mutex<[String: Latch]>([:])

  /// - Throws: what `attempt` throws; ``GridError/Code/cancelled`` when the task is cancelled before its turn has come.
  func take<Result>(
    _ name: String, _ attempt: () async throws(GridError) -> Result
  ) async throws(GridError) -> Result {
    let end = Latch()
    while let former = turns.withLock({ turns -> Latch? in
      if let former = turns[name] { return former }
      turns[name] = end
      return nil
    }) {
      await former.wait()
      if Task.isCancelled { throw GridError(.cancelled, "no longer waiting to claim \(name)") }
    }
    defer {
      turns.withLock { _ = $0.removeValue(forKey: name) }
      end.open()
    }
    return try await attempt()
  }
}
