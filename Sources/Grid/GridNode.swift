@_exported public import GridActors
internal import GridConcurrency
@_exported public import GridCore
internal import GridRequests
internal import Synchronization

/// A node inside this process: it joins its namespace, hosts actors, and serves nodes and clients.
///
/// ```swift
/// let node = GridNode(.init(namespace: "shop")) { kinds in
///   kinds.register("counter") { _ in Counter() }
/// }
/// try await node.run()
/// ```
///
/// Every method may be called from any task. Methods that need a running node wait for ``run()`` to get that far.
public final class GridNode: Sendable {
  private enum Phase {
    case idle
    case starting
    case running(NodeWires)
    case leaving
    case ended(GridError)
  }

  private let configuration: NodeConfiguration
  private let surroundings: NodeSurroundings?
  let kinds: KindRegistry
  private let phase = Mutex(Phase.idle)
  private let ready = Latch()
  private let leave = LeaveRequest(requested: Latch())

  /// - Parameters:
  ///   - configuration: what the node is to be; checked when it runs.
  ///   - kinds: registers the kinds the node offers beside the built-in ones.
  public convenience init(_ configuration: NodeConfiguration, kinds: (inout KindRegistry) -> Void = { _ in }) {
    self.init(configuration, surroundings: nil, kinds: kinds)
  }

  /// - Parameter surroundings: the world it stands in; nil for the machine.
  package init(
    _ configuration: NodeConfiguration, surroundings: NodeSurroundings?, kinds: (inout KindRegistry) -> Void
  ) {
    self.configuration = configuration
    self.surroundings = surroundings
    var registry = KindRegistry()
    registry.registerBuiltIns()
    kinds(&registry)
    self.kinds = registry
  }

  // MARK: Life

  /// Runs the node until the task is cancelled or ``beginGracefulShutdown()`` is called, then leaves the cluster in
  /// good order: actors stop, their mail becomes dead letters, the names are free.
  ///
  /// A node runs once.
  ///
  /// - Throws: ``GridError`` when the node cannot start: a taken name or port, a directory without permission, …;
  ///   ``GridError/Code/refused`` when it runs or has run already.
  public func run() async throws {
    try begin()
    var assembly: NodeAssembly?
    do {
      let configuration = try configuration.validated(beside: kinds.kinds.keys)
      let started = try await NodeAssembly.start(
        configuration,
        surroundings ?? NodeSurroundings(threads: configuration.eventLoopThreads, timers: configuration.timers),
        kinds: kinds, leave: leave)
      assembly = started
      phase.withLock { $0 = .running(started.wires) }
      try await started.serve(ready: ready)
      phase.withLock { $0 = .leaving }
      await started.stop()
    } catch {
      await assembly?.stop()
      end(GridError.wrapping(error, as: .failed, "the node failed"))
      throw error
    }
    end(Self.stopped)
  }

  private func begin() throws(GridError) {
    let isFirst = phase.withLock { phase in
      guard case .idle = phase else { return false }
      phase = .starting
      return true
    }
    guard isFirst else { throw GridError(.refused, "the node runs or has run already", hint: "make another GridNode") }
  }

  private static let stopped = GridError(.unavailable, "the node has stopped")

  private func end(_ error: GridError) {
    phase.withLock { $0 = .ended(error) }
    ready.open()
  }

  /// Asks the node to leave; ``run()`` returns when it has left.
  public func beginGracefulShutdown() { leave.requested.open() }

  /// Whether the node was asked to leave.
  package var isLeaving: Bool { leave.isRequested }

  /// Returns when the node was asked to leave, or the task is cancelled.
  package func waitUntilLeaving() async { await leave.requested.wait() }

  /// Whether ``run()`` has returned.
  package var hasEnded: Bool {
    phase.withLock { phase in
      if case .ended = phase { return true }
      return false
    }
  }

  /// Returns when the node serves.
  ///
  /// - Throws: ``GridError`` when it could not start, or has stopped.
  public func waitUntilReady() async throws { _ = try await running() }

  /// The running node, unless it does not run now.
  var wiresIfRunning: NodeWires? {
    phase.withLock { phase in
      if case .running(let wires) = phase { return wires }
      return nil
    }
  }

  /// The running node, once it serves.
  func running() async throws(GridError) -> NodeWires {
    await ready.wait()
    switch phase.withLock({ $0 }) {
    case .running(let wires): return wires
    case .leaving: throw Self.stopped
    case .ended(let error): throw error
    case .idle, .starting: throw GridError(.cancelled, "cancelled before the node was ready")
    }
  }

  // MARK: Identity

  /// The node's name in the cluster.
  public var name: String { get async throws { try await running().node.name } }

  /// Where it can be dialled.
  public var address: String { get async throws { try await running().node.address } }

  // MARK: Actors

  /// Makes an actor, here or where the request says. Its name is unique in the namespace.
  ///
  /// - Returns: the actor as it stands; its name when none was given.
  /// - Throws: ``GridError/Code/nameTaken``, ``GridError/Code/noSuchKind``, ``GridError/Code/noSuchNode``, ….
  @discardableResult
  public func spawn(_ request: SpawnRequest) async throws -> ActorReport {
    let wires = try await running()
    return try await wires.actors.spawner.spawn(request, wires.ownCall(timeout: .seconds(30)))
  }

  /// Makes an actor of `kind`.
  @discardableResult
  public func spawn(_ kind: String, _ name: String? = nil) async throws -> ActorReport {
    try await spawn(SpawnRequest(kind: kind, name: name))
  }

  /// Makes an actor of this node that has no name in the namespace: the returned reference reaches it, and its address
  /// from every node.
  ///
  /// It costs no transaction and makes no event, so a million of them is nothing special. It runs until it is stopped,
  /// stops itself or fails for good, and ends with the node; it loses nothing when the node loses its lease.
  public func spawnAnonymous(_ kind: String, argument: Message? = nil) async throws -> ActorReference {
    let wires = try await running()
    return ActorReference(cell: try wires.actors.spawner.spawnAnonymous(kind, argument), wires: wires)
  }

  /// Sends a message and returns once it is in the target's mailbox.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, ``GridError/Code/mailboxFull``, ``GridError/Code/deadline``, ….
  public func tell(_ target: String, _ message: Message, timeout: Duration = .seconds(5)) async throws {
    let wires = try await running()
    _ = try ActorAddress(parsing: target)
    _ = try await wires.traffic.router.send(
      Envelope(target: target, message: message, sender: wires.node.name), .acceptance, timeout: timeout)
  }

  /// Opens a way for many messages to one actor: quicker than ``tell(_:_:timeout:)`` each, in order, with memory flat.
  ///
  /// - Throws: ``GridError/Code/usage`` when `target` is no address.
  public func openStream(to target: String) async throws -> MessageStream {
    let wires = try await running()
    return MessageStream(
      router: wires.traffic.router, cells: wires.traffic.cells, target: try ActorAddress(parsing: target).text,
      sender: wires.node.name)
  }

  /// Sends a message and returns the handler's reply.
  ///
  /// - Throws: ``GridError``: what the handler answered with, ``GridError/Code/noSuchActor``,
  ///   ``GridError/Code/deadline``, ….
  public func ask(_ target: String, _ message: Message, timeout: Duration = .seconds(5)) async throws -> Message {
    let wires = try await running()
    _ = try ActorAddress(parsing: target)
    return try await wires.traffic.router.send(
      Envelope(target: target, message: message, sender: wires.node.name), .reply, timeout: timeout)
  }

  /// Stops an actor wherever it runs; its waiting mail becomes dead letters.
  public func stop(_ name: String) async throws {
    let wires = try await running()
    _ = try await wires.desks.actors.stop(StopRequest(name), wires.ownCall(timeout: .seconds(30)))
  }

  /// Has an actor start afresh wherever it runs, under the same name: its mail waits, the message in hand is broken
  /// off.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, or why it did not start again.
  public func restart(_ name: String) async throws {
    let wires = try await running()
    _ = try await wires.desks.actors.restart(RestartRequest(name), wires.ownCall(timeout: .seconds(30)))
  }

  // MARK: Watching

  /// The events of this node from now on; the newest 1 024 are kept while the reader is busy.
  public func events() async throws -> AsyncStream<GridEvent> { try await running().traffic.events.stream() }

  /// The dead letters of this node from now on; the newest 1 024 are kept while the reader is busy.
  public func deadLetters() async throws -> AsyncStream<DeadLetter> { try await running().traffic.letters.stream() }

  /// The nodes of the cluster, this one included.
  public func peers() async throws -> [PeerReport] {
    let wires = try await running()
    return await wires.desks.nodes.peerReports(wires.ownCall(timeout: .seconds(5))).0
  }
}

/// A direct way to an actor of this node.
public struct ActorReference: Sendable {
  let cell: ActorCell
  let wires: NodeWires

  /// Where every node and the command line reach it: `echo~7@n1.42`.
  public var address: ActorAddress { ActorAddress(unchecked: cell.name) }

  /// Sends a message without waiting; what cannot be taken becomes a dead letter. Where its mailbox makes senders wait,
  /// so many messages wait in front of it as it holds.
  public func tell(_ message: Message) {
    // No target: the cell knows its own, which is put together only where it is shown.
    let envelope = Envelope(target: "", message: message, sender: wires.node.name)
    if cell.enqueue(envelope) { cell.run(.pool) }
  }

  /// Sends a message and returns once it is in the mailbox.
  ///
  /// - Throws: ``GridError/Code/mailboxFull``, ``GridError/Code/stopped``, ``GridError/Code/deadline``, ….
  public func tell(_ message: Message, timeout: Duration) async throws(GridError) {
    _ = try await send(message, .acceptance, timeout, .pool)
  }

  /// Ends the actor once its current message is done; its waiting mail becomes dead letters.
  public func stop() { cell.stop(.request) }

  /// Sends a message and returns the handler's reply.
  public func ask(_ message: Message, timeout: Duration = .seconds(5)) async throws(GridError) -> Message {
    try await send(message, .reply, timeout, .here)
  }

  private func send(
    _ message: Message, _ expectation: Envelope.Expectation, _ timeout: Duration, _ place: ActorCell.Place
  ) async throws(GridError) -> Message {
    try await PendingAsk.run(timeout: timeout, deadlines: wires.traffic.deadlines) { ask, deadline in
      let envelope = Envelope(
        target: "", message: message, expectation: expectation, deadline: deadline, responder: ask)
      if cell.enqueue(envelope) { cell.run(place) }
    }
  }
}

extension NodeWires {
  /// As which the process itself asks its node.
  func ownCall(timeout: Duration) -> RequestCall {
    RequestCall(
      routing: RequestRouting(), page: PageRequest(), deadline: timers.now() + timeout,
      caller: .node(node.name))
  }
}
