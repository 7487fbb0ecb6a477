internal import Glibc
internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridStoreSQLite
internal import GridSystem
internal import Logging
internal import NIOCore
internal import Synchronization

/// Puts a node together, in order, and takes it apart in the reverse order.
struct NodeAssembly: Sendable {
  let runtime: NodeRuntime
  private let listener: any LinkListener
  private let socket: LocalSocket
  private let deadLetterLog: any DeadLetterLog

  /// The port that is tried first when none was given.
  static let standardPort = 4743

  /// Store, listener, membership, dead letters, local socket: each needs the one before.
  static func start(
    _ configuration: NodeConfiguration, kinds: KindRegistry, stopRequested: Latch
  ) async throws -> NodeAssembly {
    try PrivateDirectory.makeOwned(configuration.stateDirectory, for: .state)
    try GridDirectories.checkRoom(forSocketsIn: configuration.runtimeDirectory)
    try PrivateDirectory.makeOwned(configuration.runtimeDirectory, for: .sockets)
    let secret = try secret(configuration)
    let store =
      if let given = configuration.store {
        given
      } else {
        try await CoordinationStoreFactory.make(
          configuration.coordination, prefix: configuration.storePrefix, stateDirectory: configuration.stateDirectory)
      }
    let runtime = NodeRuntime(
      configuration: configuration, secret: secret, kinds: kinds, store: store, stopRequested: stopRequested)
    do {
      return try await start(runtime)
    } catch {
      await runtime.membership.leave()
      await runtime.processes.shutdown()
      await store.close()
      try? await runtime.group.shutdownGracefully()
      throw error
    }
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

  private static func start(_ runtime: NodeRuntime) async throws -> NodeAssembly {
    // Early: the guard is a copy of the process as it is now.
    let configuration = runtime.configuration
    if configuration.runsPrograms { try runtime.processes.start() }
    let endpoint = runtime.endpoint
    let listener = try await listen(configuration, endpoint, runtime)
    do {
      let address = configuration.advertise ?? listener.address.description
      runtime.identity.withLock { $0.address = address }
      let names = configuration.name.map { [$0] } ?? (1...1000).map { "n\($0)" }
      let record = try await runtime.join(names: names)
      runtime.joined(record)
      let log = try await SQLiteDeadLetterLog(
        path: DeadLetterFiles(directory: configuration.stateDirectory).path(of: record.name),
        capacity: configuration.deadLetterLimits)
      runtime.deadLetterOffice.open(log, node: record.name) { [weak runtime] in runtime?.enqueue(.noteLetters) }
      await runtime.noteLetters()
      let socket = LocalSocket(path: runtime.socketPath, directory: configuration.runtimeDirectory)
      try await socket.open(runtime)
      runtime.endpointForPrograms.set("unix:" + runtime.socketPath)
      return NodeAssembly(runtime: runtime, listener: listener, socket: socket, deadLetterLog: log)
    } catch {
      await listener.close()
      throw error
    }
  }

  private static func listen(
    _ configuration: NodeConfiguration, _ endpoint: LinkEndpoint, _ runtime: NodeRuntime
  ) async throws -> any LinkListener {
    guard let text = configuration.listen else {
      do {
        return try await endpoint.listen(on: .tcp(host: "127.0.0.1", port: standardPort))
      } catch {
        // Nobody asked for this very port: the next node on a machine takes any other.
        return try await endpoint.listen(on: .tcp(host: "127.0.0.1", port: 0))
      }
    }
    let address = try LinkAddress(parsing: text)
    guard address.isLocal || configuration.allowsInsecureListening else {
      throw GridError(
        .refused, "listening on \(address) would send all messages through the network in clear text",
        hint: "listen on a loopback address, or pass --insecure in a network you trust")
    }
    if !address.isLocal {
      runtime.logger.warning("listening without encryption", metadata: ["address": "\(address)"])
    }
    return try await endpoint.listen(on: address)
  }

  /// Runs the parts until the node is asked to stop or the task is cancelled.
  func serve(ready: Latch) async throws {
    let runtime = runtime
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await runtime.membership.run(runtime) { runtime.record($0) } }
      group.addTask {
        await runtime.peerLinks.run { peer throws(GridError) in try await runtime.dial(peer) }
      }
      group.addTask { await runtime.runWork() }
      group.addTask { await runtime.releases.run(runtime) }
      group.addTask { await runtime.keepSingletons() }
      group.addTask { await socket.keep(runtime) }
      group.addTask { await runtime.deadLetterOffice.run() }
      await runtime.waitForPeers(atMost: .milliseconds(300))
      ready.open()
      await runtime.stopRequested.wait()
      runtime.happened(.nodeLeaves, runtime.nodeName)
      await runtime.resignAll(grace: .seconds(5))
      await runtime.stopAllCells(.nodeLeaves, grace: .seconds(5))
      // Who has asked for something is told what became of it; what takes longer is broken off.
      let patience = runtime.hurry.isOpen ? Self.hurriedRequestPatience : Self.requestPatience
      await runtime.requestsUnderWay.wait(atMost: patience)
      group.cancelAll()
    }
  }

  /// How long requests that are under way may hold up a node that leaves.
  private static let requestPatience = Duration.seconds(2)
  /// The same for one that ends at once: whoever has asked for that is answered.
  private static let hurriedRequestPatience = Duration.milliseconds(200)

  /// Gives back what was taken. Runs to its end even when the task is cancelled.
  func stop() async {
    await listener.close()
    await socket.close()
    // Before the record goes: peers are to know that it left, and did not die.
    runtime.peerLinks.close("node \(runtime.nodeName) leaves")
    runtime.clientLinks.close("node \(runtime.nodeName) leaves")
    // The names are nobody else's before the programs behind them are gone.
    await runtime.processes.shutdown()
    await runtime.membership.leave()
    // Last: what ends with the programs and connections leaves letters too.
    await runtime.deadLetterOffice.close()
    await runtime.noteLetters()
    await deadLetterLog.close()
    await runtime.store.close()
    runtime.deadlines.close()
    try? await runtime.group.shutdownGracefully()
  }
}

extension NodeRuntime {
  /// Our side of every link of this node.
  var endpoint: LinkEndpoint {
    LinkEndpoint(
      greeting: { self.greeting() }, receiver: self, timers: clock, transport: transport,
      secret: { [secret] () throws(GridError) in secret }
    ) { other in
      PeerGreeting.objection(to: other, own: self.nodeName, known: self.membership.peer(other.name))
    } rejected: { error in
      self.logger.debug("connection refused", metadata: ["error": "\(error)"])
    }
  }

  /// The next node to start on this state directory must find the secret of those that run.
  func restoreSecret() {
    guard configuration.secretFile == nil else { return }
    do throws(GridError) {
      try SecretFile.restore(secret, at: "\(configuration.stateDirectory)/\(SecretFile.name)")
    } catch {
      logger.debug("the secret cannot be put back", metadata: ["error": "\(error)"])
    }
  }

  func dial(_ peer: NodeRecord) async throws(GridError) -> Link {
    try await endpoint.dial(try LinkAddress(parsing: peer.address)) { answer in
      PeerGreeting.objection(to: answer, meant: peer)
    }
  }

  /// A node is of more use once it is connected to those that are there.
  func waitForPeers(atMost limit: Duration) async {
    let until = clock.now() + limit
    let nodes = try? await Membership.nodes(in: store, keys: StoreKeys(namespace: namespace))
    let expected = (nodes?.count ?? 1) - 1
    while peerLinks.open.count < expected, clock.now() < until, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(2))
    }
  }

  func spawnAnonymous(_ kind: String, _ argument: Message?) throws -> ActorReference {
    guard let definition = kinds[kind] else { throw GridError(.noSuchKind, "no kind \(kind)") }
    let request = SpawnRequest(kind: kind, argument: argument)
    let cell = ActorCell(
      name: kind, epoch: 0, kind: definition, request: request, behavior: try definition.make(request), host: self)
    return ActorReference(cell: cell, runtime: self)
  }
}
