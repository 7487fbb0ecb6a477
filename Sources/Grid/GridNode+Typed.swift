public import GridActors
public import GridCore

extension GridNode {
  /// Makes an actor of the kind that was registered with that type, here or on the node that is named.
  ///
  /// - Parameter name: unique in the namespace; nil lets the node make one.
  /// - Returns: a way to it, that knows its messages.
  /// - Throws: ``GridError/Code/noSuchKind`` when no kind of this node makes such actors;
  ///   ``GridError/Code/nameTaken``, ``GridError/Code/noSuchNode``, ….
  public func spawn<Target: TypedMessages>(
    _ type: Target.Type, _ name: String? = nil, on node: String? = nil, argument: Message? = nil
  ) async throws -> ActorRef<Target> {
    let kind = try kinds.kind(of: type)
    let report = try await spawn(SpawnRequest(kind: kind, name: name, node: node, argument: argument))
    return try await reference(to: report.name)
  }

  /// A way to an actor that is there, or will be, wherever it runs.
  ///
  /// - Throws: ``GridError/Code/usage`` when it is no address.
  public func reference<Target: TypedMessages>(
    to address: String, as type: Target.Type = Target.self
  ) async throws -> ActorRef<Target> {
    let wires = try await running()
    return ActorRef(try ActorAddress(parsing: address), host: wires.actors.host, sender: wires.node.name)
  }
}

/// Runs a node for as long as `body` runs: it has joined when `body` begins, and has left in good order when this
/// returns.
///
/// ```swift
/// let total = try await withGridNode(.init(namespace: "shop")) { kinds in
///   kinds.register("counter") { _ in Counter() }
/// } _: { node in
///   try await node.spawn(Counter.self, "hits").ask(5)
/// }
/// ```
///
/// - Throws: what `body` throws; ``GridError`` when the node cannot start, or fails meanwhile.
public func withGridNode<Result: Sendable>(
  _ configuration: NodeConfiguration = NodeConfiguration(), kinds: (inout KindRegistry) -> Void = { _ in },
  _ body: (GridNode) async throws -> Result
) async throws -> Result {
  let node = GridNode(configuration, kinds: kinds)
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await node.run() }
    let result: Swift.Result<Result, any Error>
    do {
      try await node.waitUntilReady()
      result = .success(try await body(node))
    } catch {
      result = .failure(error)
    }
    node.beginGracefulShutdown()
    let ended = await group.nextResult()
    let value = try result.get()
    try ended?.get()
    return value
  }
}
