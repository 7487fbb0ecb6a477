package import GridCore
internal import Synchronization

/// One ask of this process that waits for its outcome. Resolved once: by the reply, an error, the deadline, or the
/// cancellation of the asking task; what comes later is dropped.
package final class PendingAsk: ExchangeResponder {
  private enum Phase {
    case waiting, resolved, taken
  }

  /// Apart from one another, so that a look at one copies no other.
  private struct State {
    var phase = Phase.waiting
    // Unsafe only in that nobody counts the resumptions; the phase does. The checked ones cost an allocation an ask.
    var continuation: UnsafeContinuation<ExchangeOutcome, Never>?
    var outcome: ExchangeOutcome?
  }

  private let state = Mutex(State())

  package init() {}

  package func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {
    let continuation = state.withLock { state -> UnsafeContinuation<ExchangeOutcome, Never>? in
      guard state.phase == .waiting else { return nil }
      if let continuation = state.continuation.take() {
        state.phase = .taken
        return continuation
      }
      state.phase = .resolved
      state.outcome = outcome
      return nil
    }
    continuation?.resume(returning: outcome)
  }

  /// Whether an outcome is still wanted.
  package var isWaiting: Bool {
    state.withLock { $0.phase == .waiting }
  }

  /// The outcome when it is there already, without waiting.
  package func takeResolved() -> ExchangeOutcome? {
    state.withLock { state in
      guard state.phase == .resolved else { return nil }
      state.phase = .taken
      return state.outcome.take()
    }
  }

  /// The outcome, to be waited for once; cancelling the task resolves it with ``GridError/Code/cancelled``.
  package func outcome() async -> ExchangeOutcome {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        let outcome = state.withLock { state -> ExchangeOutcome? in
          if state.phase == .resolved {
            state.phase = .taken
            return state.outcome.take()
          }
          state.continuation = continuation
          return nil
        }
        if let outcome { continuation.resume(returning: outcome) }
      }
    } onCancel: {
      resolve(0, .failure(GridError(.cancelled, "cancelled")))
    }
  }

  /// As ``outcome()``, for what ends with a reply: an acceptance counts as an empty one.
  ///
  /// - Throws: the failure, when there was one.
  package func reply() async throws(GridError) -> Message {
    try await outcome().reply()
  }
}
