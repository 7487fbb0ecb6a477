internal import GridConcurrency
public import GridCore

extension ActorContext {
  /// Sends a message to many actors at once and gathers their replies, in the name of this one; what an actor
  /// that has failed answers is in the result.
  ///
  /// - Throws: ``GridError/Code/usage`` when a text is no address, or there is none.
  public func broadcast(
    _ message: Message, to addresses: [String], _ options: BroadcastOptions = BroadcastOptions()
  ) async throws(GridError) -> BroadcastResult {
    let run = BroadcastRun(options, timers: cell.host.timers)
    return await run(try BroadcastRun.distinct(addresses), told: { _ in }) { address throws(GridError) in
      try await ask(address, message, timeout: options.timeout)
    }
  }
}
