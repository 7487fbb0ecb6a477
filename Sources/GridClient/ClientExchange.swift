internal import GridCore
internal import Synchronization

/// One exchange of a client, waited for by a task. Resolved once; what comes later is dropped.
final class ClientExchange: ExchangeResponder {
  private enum State {
    case waiting(CheckedContinuation<ExchangeOutcome, Never>?)
    case resolved(ExchangeOutcome)
    case taken
  }

  private let state = Mutex(State.waiting(nil))

  func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {
    let continuation = state.withLock { state -> CheckedContinuation<ExchangeOutcome, Never>? in
      guard case .waiting(let continuation) = state else { return nil }
      state = continuation == nil ? .resolved(outcome) : .taken
      return continuation
    }
    continuation?.resume(returning: outcome)
  }

  /// The outcome; cancelling the task resolves it with ``GridError/Code/cancelled``.
  func outcome() async -> ExchangeOutcome {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state -> ExchangeOutcome? in
          if case .resolved(let outcome) = state {
            state = .taken
            return outcome
          }
          state = .waiting(continuation)
          return nil
        }
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      resolve(0, .failure(GridError(.cancelled, "cancelled")))
    }
  }
}
