package import GridCore
internal import Synchronization

/// One ask of this process that waits for its outcome. Resolved once: by the reply, an error, the deadline, or the
/// cancellation of the asking task; what comes later is dropped.
package final class PendingAsk: ExchangeResponder {
  private enum State {
    // Unsafe only in that nobody counts the resumptions; the state does. The checked ones cost an allocation an ask.
    case waiting(UnsafeContinuation<ExchangeOutcome, Never>?)
    case resolved(ExchangeOutcome)
    case taken
  }

  private let state = Mutex(State.waiting(nil))

  package init() {}

  package func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {
    let continuation = state.withLock { state -> UnsafeContinuation<ExchangeOutcome, Never>? in
      guard case .waiting(let continuation) = state else { return nil }
      state = continuation == nil ? .resolved(outcome) : .taken
      return continuation
    }
    continuation?.resume(returning: outcome)
  }

  /// Whether an outcome is still wanted.
  package var isWaiting: Bool {
    state.withLock { state in
      if case .waiting = state { return true }
      return false
    }
  }

  /// The outcome when it is there already, without waiting.
  package func takeResolved() -> ExchangeOutcome? {
    state.withLock { state in
      guard case .resolved(let outcome) = state else { return nil }
      state = .taken
      return outcome
    }
  }

  /// The outcome, to be waited for once; cancelling the task resolves it with ``GridError/Code/cancelled``.
  package func outcome() async -> ExchangeOutcome {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        let outcome = state.withLock { state -> ExchangeOutcome? in
          if case .resolved(let outcome) = state {
            state = .taken
            return outcome
          }
          state = .waiting(continuation)
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
