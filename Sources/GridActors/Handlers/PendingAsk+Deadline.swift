package import GridConcurrency
package import GridCore

extension PendingAsk {
  /// Sends through `send` and waits for the outcome, for `timeout` at most.
  ///
  /// When the answer is there as soon as `send` returns, nothing is suspended and no deadline is set up.
  package static func outcome(
    timeout: Duration, deadlines: DeadlineList, send: (PendingAsk, MonotonicTime) -> Void
  ) async -> ExchangeOutcome {
    let ask = PendingAsk()
    let deadline = deadlines.timers.now() + timeout
    send(ask, deadline)
    if let outcome = ask.takeResolved() { return outcome }
    deadlines.add(ask, deadline: deadline)
    return await ask.outcome()
  }

  /// As ``outcome(timeout:deadlines:send:)``, for exchanges that end with a reply.
  ///
  /// - Throws: the failure, when there was one.
  package static func run(
    timeout: Duration, deadlines: DeadlineList, send: (PendingAsk, MonotonicTime) -> Void
  ) async throws(GridError) -> Message {
    try await outcome(timeout: timeout, deadlines: deadlines, send: send).reply()
  }
}
