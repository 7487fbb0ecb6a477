internal import GridActors
internal import GridConcurrency
public import GridCore

extension GridNode {
  /// Sends a message to many actors at once, wherever they run, and gathers their replies.
  ///
  /// ```swift
  /// var options = BroadcastOptions()
  /// options.requirement = .quorum
  /// let result = try await node.broadcast(Message("reload"), to: ["web-1", "web-2", "web-3"], options)
  /// for (name, error) in result.failures { print(name, error) }
  /// ```
  ///
  /// An actor's failure is its own, and is in the result. An address that is there twice counts once.
  ///
  /// - Throws: ``GridError/Code/usage`` when a text is no address, or there is none; ``GridError/Code/notServing``.
  public func broadcast(
    _ message: Message, to addresses: [String], _ options: BroadcastOptions = BroadcastOptions()
  ) async throws -> BroadcastResult {
    let wires = try await running()
    let (router, sender) = (wires.traffic.router, wires.node.name)
    let run = BroadcastRun(options, timers: wires.timers)
    return await run(try BroadcastRun.distinct(addresses), told: { _ in }) { address throws(GridError) in
      try await router.send(
        Envelope(target: address, message: message, sender: sender), .reply, timeout: options.timeout)
    }
  }
}
