internal import GridCluster
internal import GridCore
internal import GridLink
internal import Logging
internal import Synchronization

extension NodeRuntime {
  /// How long a node may take to say that it is there.
  private static let connectPatience = Duration.milliseconds(500)

  /// Joins under the first of the names that is free.
  ///
  /// The one name that was asked for may still be that of a predecessor which has just died: where nothing listens at
  /// its address, the end of its lease is waited for.
  func join(names: [String]) async throws(GridError) -> NodeRecord {
    let limit = clock.now() + configuration.leaseTimeToLive + .seconds(2)
    let backoff = Backoff(first: .milliseconds(20), limit: .milliseconds(500))
    var attempt = 0
    while !Task.isCancelled {
      do throws(GridError) {
        return try await membership.join(names: names) { name in
          // Peers dial as soon as the record is there: by then the greeting must have the name.
          identity.withLock { $0.name = name }
          return record(name)
        }
      } catch {
        guard error.code == .nameTaken, names.count == 1, clock.now() < limit, await presence(of: names[0]) != .listens
        else {
          throw error
        }
        if attempt == 0 { logger.notice("waits for the lease of an earlier \(names[0]) to end") }
      }
      try? await Task.sleep(for: backoff.pause(before: attempt))
      attempt += 1
    }
    throw GridError(.cancelled, "cancelled before the node had joined")
  }

  /// Looks whether the node that has registered under a name is there.
  func presence(of name: String) async -> LinkPresence {
    let found: NodeRecord?
    do throws(GridError) { found = try await membership.lookUp(name) } catch { return .silent }
    guard let record = found else { return .gone }
    guard let address = try? LinkAddress(parsing: record.address) else { return .silent }
    // It is us who listen there now.
    if record.address == identity.withLock({ $0.address }) { return .gone }
    return await transport.presence(at: address, within: Self.connectPatience)
  }
}
