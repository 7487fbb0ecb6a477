internal import GridConcurrency
package import GridCore
internal import GridRequests

/// Staying in a cluster: for whoever is there for long, as an interactive session.
extension ClusterClient {
  /// News of the connection, told once.
  package enum News: Sendable, Equatable {
    case attached(node: String)
    case lost(node: String)
    /// No node answers; told once per loss.
    case alone(GridError)
  }

  /// How long to wait between two tries while nobody answers.
  private static let pause = Duration.milliseconds(500)

  /// Moves to the node of that name.
  ///
  /// - Throws: ``GridError/Code/noSuchNode``, or ``GridError/Code/unavailable`` when it does not answer.
  package func attach(to node: String, timeout: Duration) async throws(GridError) {
    let peers = try await list(PeersRequest(), timeout: timeout).items()
    guard let peer = peers.first(where: { $0.name == node }) else {
      let names = peers.map(\.name)
      let similar = NameSimilarity.similar(to: node, in: names)
      throw GridError(
        .noSuchNode, "there is no node \(node)",
        hint: similar.isEmpty
          ? "nodes: \(names.joined(separator: ", "))" : "similar: \(similar.joined(separator: ", "))")
    }
    let places = places
    let local = places.local.filter { $0.node == node }.map(\.endpoint)
    let endpoints = local + [peer.address].filter { !$0.isEmpty }
    replace(with: try await places.connect(to: endpoints, timeout: min(timeout, Self.connectPatience)))
  }

  /// Stays attached until the task is cancelled.
  ///
  /// - Parameters:
  ///   - isEager: whether to connect before somebody asks for the connection.
  ///   - news: hears of what changes.
  ///   - follow: runs beside each connection, and is cancelled when it is left.
  package func stay(
    isEager: Bool, news: @escaping @Sendable (News) -> Void,
    follow: @escaping @Sendable (NodeConnection) async -> Void
  ) async {
    // Each connection is watched until it is closed, which ``close()`` does at the latest.
    await withDiscardingTaskGroup { watchers in
      var isAlone = false
      while !Task.isCancelled, !isClosed {
        guard let connection = current else {
          guard isEager || wasConnected else {
            await changed.wait()
            continue
          }
          do throws(GridError) {
            _ = try await self.connection(timeout: .zero)
            isAlone = false
          } catch {
            if !isAlone { news(.alone(error)) }
            isAlone = true
            await timers.sleep(for: Self.pause)
          }
          continue
        }
        news(.attached(node: connection.nodeName))
        let closed = Latch()
        watchers.addTask {
          await connection.untilClosed()
          closed.open()
        }
        let isLost = await stays(connection, closed, follow)
        if isLost, !Task.isCancelled { news(.lost(node: connection.nodeName)) }
      }
    }
  }

  /// Returns true when the connection was lost, false when it was left.
  private func stays(
    _ connection: NodeConnection, _ closed: Latch, _ follow: @escaping @Sendable (NodeConnection) async -> Void
  ) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await closed.wait()
        return true
      }
      group.addTask { [self] in
        while !Task.isCancelled, current === connection { await changed.wait() }
        return true
      }
      group.addTask {
        await follow(connection)
        return false
      }
      defer { group.cancelAll() }
      while let isOver = await group.next(), !isOver {}
      return closed.isOpen && forget(connection)
    }
  }
}
