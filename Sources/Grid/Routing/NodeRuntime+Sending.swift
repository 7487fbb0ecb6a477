internal import GridActors
internal import GridConcurrency
internal import GridCore

extension NodeRuntime {
  /// Sends and waits for the outcome. What no link could carry is refused wherever its target lives.
  func send(
    _ envelope: Envelope, _ expectation: Envelope.Expectation, timeout: Duration
  ) async throws(GridError) -> Message {
    guard envelope.message.body.count <= Message.maximumBodyBytes else {
      throw GridError(
        .undecodable, "a body of \(envelope.message.body.count) bytes for \(envelope.target) is too large",
        hint: "a body has \(Message.maximumBodyBytes) bytes at most")
    }
    return try await PendingAsk.run(timeout: timeout, deadlines: deadlines) { ask, deadline in
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
