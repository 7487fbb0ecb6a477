internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import Logging
internal import NIOCore
internal import Synchronization

/// One connection to each peer. Of two nodes the one whose name sorts first dials, so that a pair has one connection;
/// a broken one is dialled again, with back-off, for as long as the peer is a member.
final class PeerLinks: Sendable {
  private struct State {
    var links: [String: Link] = [:]
    /// Peers that are being kept connected, with the incarnation that is meant.
    var wanted: [String: Int64] = [:]
    var departed: [Departure] = []
  }

  /// A peer that was a member.
  struct Departure: Sendable {
    var record: NodeRecord
    var status: PeerReport.Status
    var at: MonotonicTime
  }

  private let state = Mutex(State())
  private let dials = BoundedQueue<NodeRecord>(capacity: 10_000)
  private let clock: any GridClock
  private let logger: Logger

  init(clock: any GridClock, logger: Logger) {
    self.clock = clock
    self.logger = logger
  }

  /// The open connection to a peer, nil when there is none.
  func link(to name: String) -> Link? { state.withLock { $0.links[name] } }

  var open: [(name: String, link: Link)] { state.withLock { state in state.links.map { ($0.key, $0.value) } } }

  /// Peers that left or died in the last minutes.
  var departures: [Departure] {
    let now = clock.now()
    return state.withLock { state in
      state.departed.removeAll { now - $0.at > .seconds(300) || state.wanted[$0.record.name] != nil }
      return state.departed
    }
  }

  /// Takes a connection into use, in place of the one that there was: but for an older incarnation nobody gives up the
  /// connection to a newer one.
  func opened(_ link: Link) {
    let surplus = state.withLock { state -> Link? in
      if let present = state.links[link.remote.name], present.remote.incarnation > link.remote.incarnation {
        return link
      }
      return state.links.updateValue(link, forKey: link.remote.name)
    }
    surplus?.close(GridError(.nodeLost, "replaced by a newer connection"))
  }

  /// - Returns: whether it was the connection in use.
  func closed(_ link: Link) -> Bool {
    state.withLock { state in
      guard state.links[link.remote.name] === link else { return false }
      state.links[link.remote.name] = nil
      return true
    }
  }

  func appeared(_ peer: NodeRecord, ownName: String) {
    state.withLock { state in
      state.wanted[peer.name] = peer.incarnation
      state.departed.removeAll { $0.record.name == peer.name }
    }
    guard ownName < peer.name else { return }
    if !dials.push(peer) { logger.error("too many peers at once", metadata: ["peer": "\(peer.name)"]) }
  }

  func disappeared(_ peer: NodeRecord, saidGoodbye: Bool) {
    let link = state.withLock { state -> Link? in
      guard state.wanted[peer.name] == peer.incarnation else { return nil }
      state.wanted[peer.name] = nil
      state.departed.append(Departure(record: peer, status: saidGoodbye ? .left : .dead, at: clock.now()))
      if state.departed.count > 100 { state.departed.removeFirst() }
      return state.links[peer.name]
    }
    // A peer without a lease may be paused rather than gone; its connection is of no use either way.
    link?.close(GridError(.nodeLost, "\(peer.name) is no longer a member"))
  }

  /// Keeps the connections up until the task is cancelled.
  func run(dial: @escaping @Sendable (NodeRecord) async throws(GridError) -> Link) async {
    await withDiscardingTaskGroup { group in
      while let peer = await dials.next() {
        group.addTask { await self.maintain(peer, dial) }
      }
      group.cancelAll()
    }
  }

  func close(_ reason: String) {
    for (_, link) in open { link.closeGracefully(reason) }
  }

  private func maintain(_ peer: NodeRecord, _ dial: @Sendable (NodeRecord) async throws(GridError) -> Link) async {
    let backoff = Backoff(first: .milliseconds(20), limit: .seconds(2), jitter: 0.5)
    var generator = SystemRandomNumberGenerator()
    var attempt = 0
    var hasWarned = false
    while !Task.isCancelled, state.withLock({ $0.wanted[peer.name] == peer.incarnation }) {
      do {
        let link = try await dial(peer)
        attempt = 0
        await link.untilClosed()
      } catch {
        // Secrets that differ do not mend themselves: somebody has to copy a file.
        let level: Logger.Level = error.code == .refused && !hasWarned ? .warning : .debug
        hasWarned = hasWarned || error.code == .refused
        logger.log(
          level: level, "peer cannot be reached",
          metadata: ["peer": "\(peer.name)", "error": "\(error)", "hint": "\(error.hint ?? "")"])
        // One that has only just joined is not kept waiting.
        attempt = error.code == .retryLater ? min(attempt + 1, 2) : attempt + 1
      }
      try? await Task.sleep(for: backoff.pause(before: attempt, using: &generator))
    }
  }
}
