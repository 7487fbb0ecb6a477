internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import Logging

/// Makes a node a member: under the name it was given, or the first free one.
struct Joining: Sendable {
  /// How long peers that are there may take to be connected before the node counts as ready.
  private static let peerPatience = Duration.milliseconds(300)

  let node: NodeSelf
  let membership: Membership
  let probe: PeerProbe
  let peers: PeerTable
  let timers: any Timers
  let logger: Logger

  /// Waits for the lease of an earlier process of the same name to end, when nobody listens there any more.
  func join(names: [String], leaseTimeToLive: Duration) async throws(GridError) -> NodeRecord {
    let limit = timers.now() + leaseTimeToLive + .seconds(2)
    let backoff = Backoff(first: .milliseconds(20), limit: .milliseconds(500))
    var attempt = 0
    while !Task.isCancelled {
      do throws(GridError) {
        return try await membership.join(names: names) { name in
          node.isAboutToJoin(as: name)
          return node.record(name)
        }
      } catch {
        guard error.code == .nameTaken, names.count == 1, timers.now() < limit,
          await probe.presence(of: names[0]) != .listens
        else { throw error }
        if attempt == 0 { logger.notice("waits for the lease of an earlier \(names[0]) to end") }
      }
      await timers.sleep(for: backoff.pause(before: attempt))
      attempt += 1
    }
    throw GridError(.cancelled, "cancelled before the node had joined")
  }

  /// A node is of more use once it is connected to those that are there.
  func waitForPeers() async {
    let until = timers.now() + Self.peerPatience
    let expected = ((try? await membership.lookUpAll())?.count ?? 1) - 1
    while peers.open.count < expected, timers.now() < until, !Task.isCancelled {
      _ = await peers.change().wait(atMost: until - timers.now(), on: timers)
    }
  }
}
