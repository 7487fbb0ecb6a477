internal import GridCluster
internal import GridCore
internal import GridLink
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension NodeRuntime {
  /// How long a node may take to say that it is there.
  private static let connectPatience = TimeAmount.milliseconds(500)

  /// Joins under the first of the names that is free.
  ///
  /// The one name that was asked for may still be that of a predecessor which has just died: where nothing listens at
  /// its address, the end of its lease is waited for.
  func join(names: [String]) async throws(GridError) -> NodeRecord {
    let limit = clock.now() + configuration.leaseTimeToLive + .seconds(2)
    let backoff = Backoff(first: .milliseconds(20), limit: .milliseconds(500))
    for attempt in 0... {
      do throws(GridError) {
        return try await membership.join(names: names) { name in
          // Peers dial as soon as the record is there: by then the greeting must have the name.
          identity.withLock { $0.name = name }
          return record(name)
        }
      } catch {
        guard error.code == .nameTaken, names.count == 1, clock.now() < limit, await !isThere(names[0]) else {
          throw error
        }
        if attempt == 0 { logger.notice("waits for the lease of an earlier \(names[0]) to end") }
      }
      try? await Task.sleep(for: backoff.pause(before: attempt))
    }
    throw GridError(.cancelled, "cancelled before the node had joined")
  }

  /// Whether something listens where the node of that name says it does.
  private func isThere(_ name: String) async -> Bool {
    let holder = try? await store.get(StoreKeys(namespace: namespace).node(name)).flatMap { entry in
      (try? JSONValue(parsing: entry.value)).flatMap { try? NodeRecord(json: $0) }
    }
    guard let holder, let address = try? LinkAddress(parsing: holder.address) else { return false }
    // It is us who listen there now.
    if holder.address == identity.withLock({ $0.address }) { return false }
    let bootstrap = ClientBootstrap(group: group).connectTimeout(Self.connectPatience)
    let connecting =
      switch address {
      case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
      case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
      }
    guard let channel = try? await connecting.get() else { return false }
    try? await channel.close()
    return true
  }
}
