internal import GridActors
internal import GridCluster
internal import GridCore
internal import GridLink
internal import Logging
internal import Synchronization

extension NodeRuntime {
  /// Sends a message to wherever its target lives. Everything that fails is told to the waiting sender and becomes a
  /// dead letter.
  func route(_ envelope: Envelope) { route(envelope, .pool) }

  func route(_ envelope: Envelope, _ place: ActorCell.Place) {
    if let cell = cells[envelope.target] {
      if cell.enqueue(envelope) { cell.run(place) }
    } else {
      routeElsewhere(envelope)
    }
  }

  func routeElsewhere(_ envelope: Envelope) {
    if let holder = membership.directory.cached(envelope.target), holder.record.node != nodeName,
      let link = peerLinks.link(to: holder.record.node), !resolver.isResolving(envelope.target)
    {
      link.send(envelope)
      return
    }
    wait(envelope)
  }

  /// Queues a message until its target has been looked up.
  private func wait(_ envelope: Envelope) {
    switch resolver.add(envelope) {
    case .first: enqueue(.resolve(envelope.target))
    case .waits: break
    case .full:
      undeliverable(
        envelope, GridError(.retryLater, "node \(nodeName) looks up too many names", hint: "send again later"))
    }
  }

  /// How long a message waits for a connection to the node that holds its target.
  private static let connectionPatience = Duration.seconds(2)

  /// How long a message for an actor whose node is gone waits for a successor.
  private static let successorPatience = Duration.milliseconds(700)

  /// Looks a name up and delivers what waits for it, in order.
  func resolve(_ name: String) async {
    let successorUntil = clock.now() + Self.successorPatience
    let giveUp = min(clock.now() + Self.connectionPatience, resolver.lastDeadline(name) ?? .distantFuture)
    do {
      while true {
        guard let holder = try await membership.directory.lookUp(name) else {
          if let cell = cells[name] { return deliverAll(name) { self.deliver($0, to: cell) } }
          throw noSuchActor(name)
        }
        if holder.record.node == nodeName {
          if let cell = cells[name] { return deliverAll(name) { self.deliver($0, to: cell) } }
          // The name is ours but its actor is gone: its release is on the way.
          if clock.now() >= giveUp { throw noSuchActor(name) }
        } else if let link = peerLinks.link(to: holder.record.node) {
          return deliverAll(name) { self.passOn($0, to: link) }
        }
        // Its lease may stand for seconds still, but nobody is there to handle anything.
        if clock.now() >= successorUntil, holder.record.node != nodeName,
          await presence(of: holder.record.node) == .gone
        {
          throw noSuchActor(name)
        }
        guard clock.now() < giveUp else {
          throw GridError(
            .unavailable, "node \(holder.record.node), which holds \(name), cannot be reached",
            hint: "see: gridctl peers")
        }
        try? await Task.sleep(for: .milliseconds(20))
      }
    } catch {
      let failure = GridError.wrapping(error, as: .unavailable, "actor \(name) could not be looked up")
      // Broken off because the node leaves; who sent the message has not cancelled anything.
      let left = GridError(.unavailable, "node \(nodeName) left before it knew where actor \(name) is")
      failResolution(of: name, failure.code == .cancelled ? left : failure)
    }
  }

  private func passOn(_ envelope: Envelope, to link: Link) {
    if envelope.isForwarded { undeliverable(envelope, noSuchActor(envelope.target)) } else { link.send(envelope) }
  }

  private func deliver(_ envelope: Envelope, to cell: ActorCell) { if cell.enqueue(envelope) { cell.run(.pool) } }

  private func deliverAll(_ name: String, _ deliver: (Envelope) -> Void) {
    while true {
      let waiting = resolver.take(name)
      if waiting.isEmpty { return }
      for envelope in waiting { deliver(envelope) }
    }
  }

  func failResolution(of name: String, _ error: GridError) {
    deliverAll(name) { undeliverable($0, error) }
  }

  func noSuchActor(_ name: String) -> GridError {
    // Its own entry may still stand there, of an actor that has just ended.
    let hint = hints.hint(for: name) {
      membership.directory.names(atMost: NameHints.sample).filter { $0 != name }
    }
    return GridError(
      .noSuchActor, "no actor \(name) in namespace \(namespace)",
      hint: hint ?? "see what runs with: gridctl actors")
  }
}

extension NodeRuntime: LinkReceiver {
  func opened(_ link: Link) {
    guard link.remote.role == .node else { return clientLinks.opened(link) }
    peerLinks.opened(link)
    happened(.linkOpened, link.remote.name)
    streams.peerOpened(link)
  }

  func received(_ envelopes: inout EnvelopeQueue, on link: Link) {
    while let target = envelopes.first?.target {
      let count = envelopes.firstRun
      if let cell = cells[target] {
        if cell.enqueue(&envelopes, count: count) { touched.add(cell) }
      } else {
        for _ in 0..<count { if let envelope = envelopes.popFirst() { receivedForElsewhere(envelope, on: link) } }
      }
    }
  }

  private func receivedForElsewhere(_ envelope: Envelope, on link: Link) {
    guard link.remote.role == .node else { return routeElsewhere(envelope) }
    // A peer sends only what it believes to be ours: it is not passed on again, so no message can travel in circles.
    var forwarded = envelope
    forwarded.isForwarded = true
    wait(forwarded)
  }

  func received(_ request: RequestFrame, deadline: MonotonicTime, on link: Link) {
    let abandoned = requests.opened(request.correlation, on: link)
    enqueue(.request(request, deadline: deadline, link, abandoned: abandoned))
  }

  func cancelled(_ correlation: UInt64, on link: Link) {
    requests.cancelled(correlation, on: link)
    streams.stop(link, correlation)
  }

  func readCompleted(_ link: Link) { touched.runAll() }

  func undeliverable(_ envelope: Envelope, _ error: GridError) {
    if envelope.waitsForRoom {
      envelope.responder?.returnCredit(target: envelope.target, bytes: envelope.message.cost)
    }
    deadLetter(envelope, DeadLetter.Reason(error.code), error.message)
    if envelope.expectation != .nothing { envelope.resolve(.failure(error)) }
  }

  func closed(_ link: Link, _ error: GridError) {
    requests.linkClosed(link)
    streams.linkClosed(link)
    guard link.remote.role == .node else { return clientLinks.closed(link) }
    guard peerLinks.closed(link) else { return }
    if link.saidGoodbye { _ = identity.withLock { $0.goodbyes.insert(link.remote.name) } }
    happened(.linkClosed(error), link.remote.name)
  }
}
