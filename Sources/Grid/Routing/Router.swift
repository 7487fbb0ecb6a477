internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridRequests
internal import Logging

/// Brings messages to their targets: to a mailbox of this node, over the link to the node that holds the name, or
/// nowhere, as a dead letter. One way for command, library, handler and peer.
final class Router: Sendable {
  private let node: NodeSelf
  private let cells: CellTable
  private let locator: StoreLocator
  private let peers: PeerTable
  private let probe: PeerProbe
  private let letters: DeadLetterOffice
  private let work: BackgroundWork
  private let timers: any Timers
  private let deadlines: DeadlineList
  private let resolver = NameResolver()
  private let hints: NameHints

  init(
    node: NodeSelf, cells: CellTable, locator: StoreLocator, peers: PeerTable, probe: PeerProbe,
    letters: DeadLetterOffice, work: BackgroundWork, timers: any Timers, deadlines: DeadlineList
  ) {
    self.node = node
    self.cells = cells
    self.locator = locator
    self.peers = peers
    self.probe = probe
    self.letters = letters
    self.work = work
    self.timers = timers
    self.deadlines = deadlines
    hints = NameHints(clock: timers)
  }

  // MARK: Sending

  /// Sends, and returns with the reply, or once the message is in the target's mailbox.
  func send(
    _ envelope: Envelope, _ expectation: Envelope.Expectation, timeout: Duration
  ) async throws(GridError) -> Message {
    if let error = envelope.message.oversize { throw error }
    return try await PendingAsk.run(timeout: timeout, deadlines: deadlines) { ask, deadline in
      var awaited = envelope
      awaited.expectation = expectation
      awaited.deadline = deadline
      awaited.responder = ask
      route(awaited, expectation == .reply ? .here : .pool)
    }
  }

  func route(_ envelope: Envelope, _ place: ActorCell.Place = .pool) {
    if let cell = cells[envelope.target] {
      if cell.enqueue(envelope) { cell.run(place) }
    } else {
      routeElsewhere(envelope)
    }
  }

  /// For a message whose target does not run here.
  func routeElsewhere(_ envelope: Envelope) {
    if let link = link(to: envelope.target), !resolver.isResolving(envelope.target) {
      link.send(envelope)
    } else {
      wait(envelope)
    }
  }

  /// The link to the node where a name is known to be, when it is another one.
  func link(to name: String) -> Link? {
    // There is none to the node itself.
    (ActorAddress(unchecked: name).local?.node ?? locator.cached(name)?.node).flatMap(peers.link)
  }

  /// A peer sends only what it believes to be ours: it is not passed on again, so no message can travel in circles.
  func receivedForElsewhere(_ envelope: Envelope, fromNode: Bool) {
    guard fromNode else { return routeElsewhere(envelope) }
    var forwarded = envelope
    forwarded.isForwarded = true
    wait(forwarded)
  }

  // MARK: Moved

  /// Tells a peer whose message is not for an actor that runs here, so that it looks for the next one elsewhere.
  func tellMoved(_ address: String, to link: Link) {
    guard ActorAddress(unchecked: address).local == nil else { return }
    link.send(.moved(address: address, to: locator.cached(address)))
  }

  /// A peer says that an address is no longer with it.
  func heard(of address: String, at location: Location?, from peer: String) {
    locator.moved(address, from: peer, to: location)
  }

  // MARK: Looking up

  private func wait(_ envelope: Envelope) {
    let name = envelope.target
    switch resolver.add(envelope, unless: { cells[name] != nil }) {
    case .appeared:
      // It may have ended since.
      guard let cell = cells[name] else { return wait(envelope) }
      Self.deliver(envelope, to: cell)
    case .first: work.add({ await self.resolve(name) }, refused: { self.failResolution(of: name, $0) })
    case .waits: break
    case .full:
      undeliverable(
        envelope, GridError(.retryLater, "node \(node.name) looks up too many names", hint: "send again later"))
    }
  }

  /// How long a message waits for the link to a node that has just joined or is being dialled again.
  private static let connectionPatience = Duration.seconds(2)

  /// How long it waits when nobody listens at that node's address: one that is started again takes less than that.
  private static let successorPatience = Duration.milliseconds(700)

  private static let pause = Duration.milliseconds(20)

  private func resolve(_ name: String) async {
    let successorUntil = timers.now() + Self.successorPatience
    let giveUp = min(timers.now() + Self.connectionPatience, resolver.lastDeadline(name) ?? .distantFuture)
    var isFirst = true
    do {
      while true {
        defer { isFirst = false }
        guard let holder = try await located(name, isFirst: isFirst) else {
          if let cell = cells[name] { return deliverAll(name) { Self.deliver($0, to: cell) } }
          throw noSuchActor(name)
        }
        if holder.node == node.name {
          if let cell = cells[name] { return deliverAll(name) { Self.deliver($0, to: cell) } }
          // The name is ours but its actor is gone: its release is on the way.
          if timers.now() >= giveUp { throw noSuchActor(name) }
        } else if let link = peers.link(to: holder.node) {
          return deliverAll(name) { self.passOn($0, to: link) }
        }
        // Its lease may stand for seconds still, but nobody is there to handle anything.
        if timers.now() >= successorUntil, holder.node != node.name,
          await probe.presence(of: holder.node) == .gone
        {
          throw noSuchActor(name)
        }
        guard timers.now() < giveUp else {
          throw GridError(
            .unavailable, "node \(holder.node), which holds \(name), cannot be reached",
            hint: "see: gridctl peers")
        }
        await timers.sleep(for: Self.pause)
        if Task.isCancelled { throw CancellationError() }
      }
    } catch {
      let failure = GridError.wrapping(error, as: .unavailable, "actor \(name) could not be looked up")
      // Broken off because the node leaves; who sent the message has not cancelled anything.
      let left = GridError(.unavailable, "node \(node.name) left before it knew where actor \(name) is")
      failResolution(of: name, failure.code == .cancelled ? left : failure)
    }
  }

  /// Where an actor is: the store is asked, unless it was asked for a name that nobody has a moment ago.
  private func located(_ name: String, isFirst: Bool) async throws(GridError) -> Location? {
    if let local = ActorAddress(unchecked: name).local { return location(of: local) }
    if isFirst, locator.isMissing(name) { return nil }
    if let found = try await locator.lookUp(name) { return found }
    await locator.sampleNames(near: name)
    return nil
  }

  /// A local address says itself where it leads; nil when what it leads to is gone for good.
  private func location(of local: LocalAddress) -> Location? {
    // One of our own that there is would have been found in the table.
    guard local.node != node.name, peers.knows(local.node) else { return nil }
    return Location(node: local.node, incarnation: local.incarnation, epoch: 0, kind: local.kind)
  }

  private func passOn(_ envelope: Envelope, to link: Link) {
    if envelope.isForwarded { undeliverable(envelope, noSuchActor(envelope.target)) } else { link.send(envelope) }
  }

  private static func deliver(_ envelope: Envelope, to cell: ActorCell) {
    if cell.enqueue(envelope) { cell.run(.pool) }
  }

  /// Also what arrives meanwhile: the order of each sender is kept.
  private func deliverAll(_ name: String, _ deliver: (Envelope) -> Void) {
    while true {
      let waiting = resolver.take(name)
      if waiting.isEmpty { return }
      for envelope in waiting { deliver(envelope) }
    }
  }

  /// Has an actor of this node take what waits for its name, and be found from then on.
  ///
  /// - Returns: false when a former one is still found.
  func settle(_ cell: ActorCell) -> Bool {
    guard cells[cell.name] == nil else { return false }
    let hasAppeared = resolver.settle(
      cell.name, deliver: { Self.deliver($0, to: cell) }, appear: { cells.insert(cell) })
    // What it was handed becomes dead letters.
    if !hasAppeared { cell.abandon(.startBrokenOff) }
    return hasAppeared
  }

  private func failResolution(of name: String, _ error: GridError) {
    deliverAll(name) { undeliverable($0, error) }
  }

  // MARK: Failing

  func undeliverable(_ envelope: Envelope, _ error: GridError) {
    if envelope.waitsForRoom {
      envelope.responder?.returnCredit(target: envelope.target, bytes: envelope.message.cost)
    }
    letters.take(envelope, DeadLetter.Reason(error.code), error.message)
    if envelope.expectation != .nothing { envelope.resolve(.failure(error)) }
  }

  func noSuchActor(_ name: String) -> GridError {
    // Its own entry may still stand there, of an actor that has just ended.
    let hint = hints.hint(for: name) { locator.names(atMost: NameHints.sample).filter { $0 != name } }
    return GridError(
      .noSuchActor, "no actor \(name) in namespace \(node.namespace)",
      hint: hint ?? "see what runs with: gridctl actors")
  }

  // MARK: Holders

  /// Has the node that holds a name do something, when that is another one.
  func onHolder<Result>(of name: String, _ body: (String) async throws -> Result) async throws -> Result {
    let address = try ActorAddress(parsing: name)
    let location = if let local = address.local { location(of: local) } else { try await locator.lookUp(name) }
    guard let holder = location, holder.node != node.name else { throw noSuchActor(name) }
    return try await body(holder.node)
  }
}
