internal import GridActors
internal import GridCore

extension NodeRuntime {
  /// Sends and waits for the outcome.
  func send(
    _ envelope: Envelope, _ expectation: Envelope.Expectation, timeout: Duration
  ) async throws(GridError) -> Message {
    try await PendingAsk.run(clock: clock, timeout: timeout, deadlines: deadlines) { ask, deadline in
      var awaited = envelope
      awaited.expectation = expectation
      awaited.deadline = deadline
      awaited.responder = ask
      // A sender of this process waits for room where that is the mailbox's policy, as long as its deadline allows.
      if let cell = cells[envelope.target], cell.blocksWhenFull { awaited.waitsForRoom = true }
      route(awaited, expectation == .reply ? .here : .pool)
    }
  }
}
