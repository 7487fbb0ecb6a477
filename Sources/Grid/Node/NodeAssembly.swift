internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridSecurity
internal import GridStoreSQLite
internal import GridSystem
internal import Logging

/// Puts a node together, in order, and takes it apart in the reverse order.
struct NodeAssembly: Sendable {
  let wires: NodeWires
  private let listener: any LinkListener
  /// For clients of its machine; nil where there are none.
  private let socket: LocalSocket?
  private let deadLetterLog: any DeadLetterLog

  /// The port that is tried first when none was given.
  static let standardPort = 4743

  // MARK: Starting

  /// Store, listener, membership, dead letters, local socket: each needs the one before.
  static func start(
    _ configuration: NodeConfiguration, _ surroundings: NodeSurroundings, kinds: KindRegistry, leave: LeaveRequest
  ) async throws -> NodeAssembly {
    if surroundings.memory == nil { try makeDirectories(configuration) }
    let certificate = try NodeCertificate(configuration, clock: surroundings.timers)
    let configuration = certificate?.named(configuration) ?? configuration
    let secret = try surroundings.memory?.secret ?? secret(configuration)
    let store =
      if let given = configuration.store {
        given
      } else {
        try await CoordinationStoreFactory.make(configuration, clock: surroundings.timers)
      }
    let wires = NodeWires(
      NodeGround(
        configuration, surroundings, secret: secret, certificate: certificate, kinds: kinds, store: store, leave: leave)
    )
    do {
      return try await start(wires)
    } catch {
      await wires.traffic.membership.leave()
      await wires.ground.processes.shutdown()
      await store.close()
      await surroundings.end()
      throw error
    }
  }

  private static func makeDirectories(_ configuration: NodeConfiguration) throws(GridError) {
    try PrivateDirectory.makeOwned(configuration.stateDirectory, for: .state)
    try GridDirectories.checkRoom(forSocketsIn: configuration.runtimeDirectory)
    try PrivateDirectory.makeOwned(configuration.runtimeDirectory, for: .sockets)
  }

  /// The secret that every TCP connection proves: the file that was named, else the one in the state directory.
  private static func secret(_ configuration: NodeConfiguration) throws(GridError) -> NamespaceSecret {
    guard let path = configuration.secretFile else {
      return try SecretFile.readOrMake("\(configuration.stateDirectory)/\(SecretFile.name)")
    }
    if let secret = try SecretFile.read(path) { return secret }
    throw GridError(
      .noInput, "there is no secret \(path)",
      hint: "copy the one of another node there; for the first: (umask 077; head -c 32 /dev/urandom >\(path))")
  }

  private static func start(_ wires: NodeWires) async throws -> NodeAssembly {
    // Early: the guard is a copy of the process as it is now.
    let configuration = wires.ground.configuration
    if configuration.runsPrograms { try wires.ground.processes.start() }
    let listener = try await listen(wires)
    do {
      wires.node.listens(at: configuration.advertise ?? listener.address.description)
      let names = configuration.name.map { [$0] } ?? (1...1000).map { "n\($0)" }
      let record = try await wires.joining.join(names: names, leaseTimeToLive: configuration.leaseTimeToLive)
      wires.actors.follower.joined(record)
      openAuditLog(of: record.name, wires)
      let log = try await deadLetterLog(of: record.name, wires.ground)
      let (notes, work) = (wires.desks.letters.notes, wires.traffic.work)
      wires.traffic.letters.open(log, node: record.name) { work.add({ await notes.write() }, refused: { _ in }) }
      await notes.write()
      let socket = try await openSocket(of: record.name, wires)
      return NodeAssembly(wires: wires, listener: listener, socket: socket, deadLetterLog: log)
    } catch {
      await listener.close()
      throw error
    }
  }

  private static func deadLetterLog(of name: String, _ ground: NodeGround) async throws -> any DeadLetterLog {
    if let memory = ground.surroundings.memory { return memory.deadLetters }
    return try await SQLiteDeadLetterLog(
      path: DeadLetterFiles(directory: ground.configuration.stateDirectory).path(of: name),
      capacity: ground.configuration.deadLetterLimits)
  }

  /// A log that cannot be written stops no node: changes are refused until it can.
  private static func openAuditLog(of name: String, _ wires: NodeWires) {
    guard wires.ground.surroundings.memory == nil else { return }
    wires.traffic.audit.open(
      AuditLog(
        stateDirectory: wires.ground.configuration.stateDirectory, node: name, clock: wires.timers))
  }

  private static func openSocket(of name: String, _ wires: NodeWires) async throws -> LocalSocket? {
    guard wires.ground.surroundings.memory == nil else { return nil }
    let directory = wires.ground.configuration.runtimeDirectory
    let path = GridDirectories.socket(of: name, in: directory)
    let socket = LocalSocket(
      path: path, directory: directory, endpoint: wires.endpoint, timers: wires.timers, logger: wires.ground.logger)
    try await socket.open()
    wires.ground.endpointForPrograms.set("unix:" + path)
    return socket
  }

  private static func listen(_ wires: NodeWires) async throws -> any LinkListener {
    let (configuration, endpoint) = (wires.ground.configuration, wires.endpoint)
    guard let text = configuration.listen else {
      do {
        return try await endpoint.listen(on: .tcp(host: "127.0.0.1", port: standardPort))
      } catch {
        // Nobody asked for this very port: the next node on a machine takes any other.
        return try await endpoint.listen(on: .tcp(host: "127.0.0.1", port: 0))
      }
    }
    let address = try LinkAddress(parsing: text)
    guard address.isLocal || configuration.tls != nil || configuration.allowsInsecureListening else {
      throw GridError(
        .refused, "listening on \(address) would send all messages through the network in clear text",
        hint: NodeCertificate.threeCommands(configuration, listen: text))
    }
    if configuration.tls == nil, !address.isLocal {
      wires.ground.logger.warning("listening without encryption", metadata: ["address": "\(address)"])
    }
    return try await endpoint.listen(on: address)
  }

  // MARK: Running

  /// How long requests that are under way may hold up a node that leaves.
  private static let requestPatience = Duration.seconds(2)
  /// The same for one that ends at once: whoever has asked for that is answered.
  private static let hurriedRequestPatience = Duration.milliseconds(200)
  private static let grace = Duration.seconds(5)
  /// How long the tokens of the namespace may take to be read before the node counts as ready.
  private static let tokenPatience = Duration.seconds(1)

  /// Runs the parts until the node is asked to stop or the task is cancelled.
  func serve(ready: Latch) async throws {
    let (wires, socket) = (wires, socket)
    let node = wires.node
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await wires.traffic.membership.run(wires.actors.follower) { node.record($0) } }
      group.addTask { await wires.traffic.peers.run { peer throws(GridError) in try await Self.dial(peer, wires) } }
      group.addTask { await wires.traffic.work.run() }
      if let certificate = wires.ground.certificate {
        group.addTask { await certificate.watch(node.name, wires.traffic.events, wires.timers, wires.ground.logger) }
      }
      group.addTask { await wires.tokens.run() }
      group.addTask { await wires.actors.releases.run() }
      group.addTask { await wires.actors.singletons.run() }
      if let socket { group.addTask { await socket.keep { Self.restoreSecret(wires) } } }
      group.addTask { await wires.traffic.letters.run() }
      group.addTask { await wires.traffic.refused.run() }
      await wires.joining.waitForPeers()
      // Whoever shows a token is known from the first moment on.
      await wires.traffic.membership.tokens.waitUntilRead(atMost: Self.tokenPatience, on: wires.timers)
      ready.open()
      await node.leave.requested.wait()
      wires.traffic.events.record(.nodeLeaves, node.name, node: node.name)
      await wires.actors.leaderships.resignAll(grace: Self.grace)
      await wires.actors.stopper.stopAll(.nodeLeaves, .all, grace: Self.grace)
      // Who has asked for something is told what became of it; what takes longer is broken off.
      await wires.book.waitForChanges(
        atMost: node.leave.hurry.isOpen ? Self.hurriedRequestPatience : Self.requestPatience)
      group.cancelAll()
    }
  }

  private static func dial(_ peer: NodeRecord, _ wires: NodeWires) async throws(GridError) -> Link {
    try await wires.endpoint.dial(try LinkAddress(parsing: peer.address)) { answer in
      PeerGreeting.objection(to: answer, meant: peer)
    }
  }

  /// The next node to start on this state directory must find the secret of those that run.
  private static func restoreSecret(_ wires: NodeWires) {
    guard wires.ground.configuration.secretFile == nil else { return }
    do throws(GridError) {
      try SecretFile.restore(wires.ground.secret, at: "\(wires.ground.configuration.stateDirectory)/\(SecretFile.name)")
    } catch {
      wires.ground.logger.debug("the secret cannot be put back", metadata: ["error": "\(error)"])
    }
  }

  // MARK: Ending

  /// Gives back what was taken. Runs to its end even when the task is cancelled.
  func stop() async {
    let reason = "node \(wires.node.name) leaves"
    await listener.close()
    await socket?.close()
    // Before the record goes: peers are to know that it left, and did not die.
    wires.traffic.peers.close(reason)
    wires.clients.close(reason)
    // The names are nobody else's before the programs behind them are gone.
    await wires.ground.processes.shutdown()
    await wires.traffic.membership.leave()
    // Last: what ends with the programs and connections leaves letters too.
    await wires.traffic.letters.close()
    await wires.desks.letters.notes.write()
    await deadLetterLog.close()
    await wires.ground.store.close()
    wires.traffic.audit.close()
    wires.traffic.deadlines.close()
    await wires.ground.surroundings.end()
  }
}
