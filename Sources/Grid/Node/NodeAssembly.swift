internal import Glibc
internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridStoreSQLite
internal import Logging
internal import NIOCore
internal import Synchronization

/// Puts a node together, in order, and takes it apart in the reverse order.
struct NodeAssembly: Sendable {
  let runtime: NodeRuntime
  private let listener: any Channel
  private let socket: any Channel
  private let socketFile: SocketFile
  private let deadLetterLog: any DeadLetterLog

  /// The port that is tried first when none was given.
  static let standardPort = 4743

  /// Store, listener, membership, dead letters, local socket: each needs the one before.
  static func start(
    _ configuration: NodeConfiguration, kinds: KindRegistry, stopRequested: Latch
  ) async throws -> NodeAssembly {
    try PrivateDirectory.make(configuration.stateDirectory)
    try GridDirectories.checkRoom(forSocketsIn: configuration.runtimeDirectory)
    try PrivateDirectory.makeOwned(configuration.runtimeDirectory)
    let store =
      if let given = configuration.store {
        given
      } else {
        try await CoordinationStoreFactory.make(
          configuration.coordination, prefix: configuration.storePrefix, stateDirectory: configuration.stateDirectory)
      }
    let runtime = NodeRuntime(
      configuration: configuration, kinds: kinds, store: store, stopRequested: stopRequested)
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

  private static func start(_ runtime: NodeRuntime) async throws -> NodeAssembly {
    // Early: the guard is a copy of the process as it is now.
    let configuration = runtime.configuration
    if configuration.runsPrograms { try runtime.processes.start() }
    let endpoint = runtime.endpoint
    let (listener, bound) = try await listen(configuration, endpoint, runtime)
    do {
      let address = configuration.advertise ?? bound.description
      runtime.identity.withLock { $0.address = address }
      let names = configuration.name.map { [$0] } ?? (1...1000).map { "n\($0)" }
      let record = try await runtime.join(names: names)
      runtime.joined(record)
      let log = try await SQLiteDeadLetterLog(
        path: DeadLetterFiles(directory: configuration.stateDirectory).path(of: record.name),
        capacity: configuration.deadLetterLimits)
      runtime.deadLetterOffice.open(log, node: record.name) { [weak runtime] in runtime?.enqueue(.noteLetters) }
      await runtime.noteLetters()
      let (socket, file) = try await serveLocally(runtime)
      return NodeAssembly(
        runtime: runtime, listener: listener, socket: socket, socketFile: file, deadLetterLog: log)
    } catch {
      try? await listener.close()
      throw error
    }
  }

  /// Makes the socket for local clients.
  private static func serveLocally(_ runtime: NodeRuntime) async throws -> (any Channel, SocketFile) {
    let path = runtime.socketPath
    let directory = runtime.configuration.runtimeDirectory
    let lock = try await SocketDirectoryLock(directory)
    try await StaleSocket.remove(path, in: directory, runtime.endpoint, runtime.group)
    let (socket, _) = try await runtime.endpoint.listen(on: .unix(path: path), group: runtime.group)
    chmod(path, 0o600)
    runtime.endpointForPrograms.set("unix:" + path)
    _ = consume lock
    return (socket, SocketFile(path))
  }

  private static func listen(
    _ configuration: NodeConfiguration, _ endpoint: LinkEndpoint, _ runtime: NodeRuntime
  ) async throws -> (any Channel, LinkAddress) {
    guard let text = configuration.listen else {
      do {
        return try await endpoint.listen(on: .tcp(host: "127.0.0.1", port: standardPort), group: runtime.group)
      } catch {
        // Nobody asked for this very port: the next node on a machine takes any other.
        return try await endpoint.listen(on: .tcp(host: "127.0.0.1", port: 0), group: runtime.group)
      }
    }
    let address = try LinkAddress(parsing: text)
    guard address.isLocal || configuration.allowsInsecureListening else {
      throw GridError(
        .refused, "listening on \(address) would let anybody who can reach it run programs here",
        hint: "listen on a loopback address, or pass --insecure in a network you trust")
    }
    if !address.isLocal {
      runtime.logger.warning("listening without encryption or authentication", metadata: ["address": "\(address)"])
    }
    return try await endpoint.listen(on: address, group: runtime.group)
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
      group.addTask { await runtime.keepSingleton() }
      group.addTask { await runtime.deadLetterOffice.run() }
      await runtime.waitForPeers(atMost: .milliseconds(300))
      ready.open()
      await runtime.stopRequested.wait()
      runtime.happened(.node, runtime.nodeName, "leaves")
      await runtime.resignAll(grace: .seconds(5))
      await runtime.stopAllCells(reason: "stopped: the node leaves", grace: .seconds(5))
      group.cancelAll()
    }
  }

  /// Gives back what was taken. Runs to its end even when the task is cancelled.
  func stop() async {
    try? await listener.close()
    try? await socket.close()
    socketFile.remove()
    // Before the record goes: peers are to know that it left, and did not die.
    runtime.peerLinks.close("node \(runtime.nodeName) leaves")
    await runtime.membership.leave()
    await runtime.processes.shutdown()
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
    LinkEndpoint(greeting: { self.greeting() }, receiver: self, clock: clock) { other in
      guard other.role == .node, other.name == self.nodeName else { return nil }
      return GridError(.nameTaken, "a node named \(other.name) is a member already")
    } rejected: { error in
      self.logger.debug("connection refused", metadata: ["error": "\(error)"])
    }
  }

  func dial(_ peer: NodeRecord) async throws(GridError) -> Link {
    try await endpoint.dial(try LinkAddress(parsing: peer.address), on: group)
  }

  /// A node is of more use once it is connected to those that are there.
  func waitForPeers(atMost limit: Duration) async {
    let until = clock.now() + limit
    let expected = (try? await store.range(prefix: StoreKeys(namespace: namespace).nodes).entries.count - 1) ?? 0
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
