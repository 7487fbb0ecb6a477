internal import GridActors
internal import GridCluster
internal import GridCore
internal import GridLink

extension NodeRuntime {
  /// Sends a flow-controlled message: suspends while the target's mailbox or the window to its node is full.
  ///
  /// - Throws: ``GridError/Code/noSuchActor`` and the like when the message cannot even leave; what fails later becomes
  ///   a dead letter.
  func tellWithinWindow(_ envelope: Envelope) async throws(GridError) {
    if let cell = cells[envelope.target] {
      try await tellLocally(envelope, cell)
      return
    }
    if let holder = membership.directory.cached(envelope.target), let link = peerLinks.link(to: holder.record.node) {
      if !link.windowIsOpen(for: envelope.target) { try await link.windowOpens(for: envelope.target) }
      route(envelope)
      return
    }
    var awaited = envelope
    awaited.waitsForRoom = false
    _ = try await send(awaited, .acceptance, timeout: .seconds(5))
  }

  private func tellLocally(_ envelope: Envelope, _ cell: ActorCell) async throws(GridError) {
    if cell.hasRoom {
      var plain = envelope
      plain.waitsForRoom = false
      if cell.enqueue(plain) { cell.run(.pool) }
      return
    }
    _ = try await send(envelope, .acceptance, timeout: .seconds(3600))
  }

  /// Sends and waits for the outcome.
  func send(
    _ envelope: Envelope, _ expectation: Envelope.Expectation, timeout: Duration
  ) async throws(GridError) -> Message {
    try await PendingAsk.run(clock: clock, timeout: timeout, deadlines: deadlines) { ask, deadline in
      var awaited = envelope
      awaited.expectation = expectation
      awaited.deadline = deadline
      awaited.responder = ask
      route(awaited, expectation == .reply ? .here : .pool)
    }
  }
}
