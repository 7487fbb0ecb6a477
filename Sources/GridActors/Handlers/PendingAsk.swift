package import GridCore
internal import Synchronization

/// One ask of this process that waits for its outcome. Resolved once: by the reply, an error, the deadline, or the
/// cancellation of the asking task; what comes later is dropped.
package final class PendingAsk: ExchangeResponder {
  private enum State {
    case waiting(CheckedContinuation<ExchangeOutcome, Never>?)
    case resolved(ExchangeOutcome)
    case taken
  }

  private let state = Mutex(State.waiting(nil))

  package init() {}

  package func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {
    let continuation = state.withLock { state -> CheckedContinuation<ExchangeOutcome, Never>? in
      guard case .waiting(let continuation) = state else { return nil }
      state = continuation == nil ? .resolved(outcome) : .taken
      return continuation
    }
    continuation?.resume(returning: outcome)
  }

  /// Whether an outcome is still wanted.
  var isWaiting: Bool {
    state.withLock { state in
      if case .waiting = state { return true }
      return false
    }
  }

  private func takeResolved() -> ExchangeOutcome? {
    state.withLock { state in
      guard case .resolved(let outcome) = state else { return nil }
      state = .taken
      return outcome
    }
  }

  /// Sends through `send` and waits for the outcome, for `timeout` at most.
  ///
  /// When the answer is there as soon as `send` returns, nothing is suspended and no deadline is set up.
  package static func outcome(
    clock: any GridClock, timeout: Duration, deadlines: DeadlineList, send: (PendingAsk, MonotonicTime) -> Void
  ) async -> ExchangeOutcome {
    let ask = PendingAsk()
    let deadline = clock.now() + timeout
    send(ask, deadline)
    if let outcome = ask.takeResolved() { return outcome }
    deadlines.add(ask, deadline: deadline)
    return await ask.wait()
  }

  /// As ``outcome(clock:timeout:deadlines:send:)``, for exchanges that end with a reply.
  ///
  /// - Throws: the failure, when there was one.
  package static func run(
    clock: any GridClock, timeout: Duration, deadlines: DeadlineList, send: (PendingAsk, MonotonicTime) -> Void
  ) async throws(GridError) -> Message {
    switch await outcome(clock: clock, timeout: timeout, deadlines: deadlines, send: send) {
    case .accepted: return Message()
    case .reply(let message): return message
    case .failure(let error): throw error
    }
  }

  /// Waits for a reply that somebody was asked for in another way than by a message.
  func reply() async throws(GridError) -> Message {
    switch await wait() {
    case .accepted: return Message()
    case .reply(let message): return message
    case .failure(let error): throw error
    }
  }

  private func wait() async -> ExchangeOutcome {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
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
}
