internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridRequests
internal import Logging
internal import Synchronization

/// The peers of a node: one link for each, who of them has gone, and how.
///
/// Of two nodes the one with the smaller name dials; with a hundred peers each dials about half of them.
final class PeerTable: Sendable {
  private struct State {
    var links: [String: Link] = [:]
    /// Incarnations of the peers that are members.
    var wanted: [String: Int64] = [:]
    var departed: [Departure] = []
    /// Peers that said goodbye over a link that is closed.
    var goodbyes: Set<String> = []
    /// Peers whose record is gone, of which it is not known yet whether they said goodbye.
    var leaving: [String: NodeRecord] = [:]
  }

  struct Departure: Sendable {
    var record: NodeRecord
    var status: PeerReport.Status
    var at: MonotonicTime
  }

  private static let goodbyePatience = Duration.milliseconds(100)
  /// How long those that have gone are shown, and how many.
  private static let memory = Duration.seconds(300)
  private static let mostDepartures = 100

  private let state = Mutex(State())
  /// Whoever waits for a link to open.
  private let waiting = Mutex<[Latch]>([])
  /// Overflow: the peer is not dialled, and said in the log; it dials us when its name is smaller.
  private let dials = BoundedQueue<NodeRecord>(capacity: 10_000)
  private let node: NodeSelf
  private let events: EventLog
  private let timers: any Timers
  private let logger: Logger

  /// Makes the dice of the pauses between two dials.
  private let makeGenerator: @Sendable () -> any RandomNumberGenerator & Sendable

  init(
    node: NodeSelf, events: EventLog, timers: any Timers, logger: Logger,
    generator makeGenerator: @escaping @Sendable () -> any RandomNumberGenerator & Sendable
  ) {
    self.makeGenerator = makeGenerator
    self.node = node
    self.events = events
    self.timers = timers
    self.logger = logger
  }

  func link(to name: String) -> Link? { state.withLock { $0.links[name] } }

  /// Whether a peer of that name is a member, or linked.
  func knows(_ name: String) -> Bool { state.withLock { $0.wanted[name] != nil || $0.links[name] != nil } }

  /// Sorted by name.
  var open: [(name: String, link: Link)] {
    state.withLock { state in state.links.map { ($0.key, $0.value) } }.sorted { $0.0 < $1.0 }
  }

  /// Those that have gone in the last minutes, and are not back.
  var departures: [Departure] {
    let now = timers.now()
    return state.withLock { state in
      state.departed.removeAll { now - $0.at > Self.memory || state.wanted[$0.record.name] != nil }
      return state.departed
    }
  }

  /// Opens when the next link does.
  func change() -> Latch {
    let latch = Latch()
    waiting.withLock { $0.append(latch) }
    return latch
  }

  // MARK: Links

  func opened(_ link: Link) {
    let surplus = state.withLock { state -> Link? in
      if let present = state.links[link.remote.name], present.remote.incarnation > link.remote.incarnation {
        return link
      }
      return state.links.updateValue(link, forKey: link.remote.name)
    }
    surplus?.close(GridError(.nodeLost, "replaced by a newer connection"))
    let waiting = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for latch in waiting { latch.open() }
    events.record(.linkOpened, link.remote.name, node: node.name)
  }

  func closed(_ link: Link, _ error: GridError) {
    let wasPresent = state.withLock { state in
      guard state.links[link.remote.name] === link else { return false }
      state.links[link.remote.name] = nil
      if link.saidGoodbye { state.goodbyes.insert(link.remote.name) }
      return true
    }
    if wasPresent { events.record(.linkClosed(error), link.remote.name, node: node.name) }
  }

  /// Says goodbye to all of them.
  func close(_ reason: String) {
    for (_, link) in open { link.closeGracefully(reason) }
  }

  // MARK: Members

  func appeared(_ peer: NodeRecord) {
    // One that went and is here again has gone first.
    if let former = state.withLock({ $0.leaving[peer.name] }) { concludeLeaving(former) }
    state.withLock { state in
      state.goodbyes.remove(peer.name)
      state.wanted[peer.name] = peer.incarnation
      state.departed.removeAll { $0.record.name == peer.name }
    }
    if node.name < peer.name, !dials.push(peer) {
      logger.error("too many peers at once", metadata: ["peer": "\(peer.name)"])
    }
    events.record(.peerJoined(address: peer.address), peer.name, node: node.name)
  }

  func disappeared(_ peer: NodeRecord) {
    state.withLock { $0.leaving[peer.name] = peer }
    guard let link = link(to: peer.name), !link.saidGoodbye else { return concludeLeaving(peer) }
    // Its goodbye may be on the way still.
    timers.schedule(after: Self.goodbyePatience) { self.concludeLeaving(peer) }
  }

  private func concludeLeaving(_ peer: NodeRecord) {
    let now = timers.now()
    let saidGoodbyeNow = link(to: peer.name)?.saidGoodbye ?? false
    let conclusion = state.withLock { state -> (saidGoodbye: Bool, link: Link?)? in
      guard state.leaving[peer.name]?.incarnation == peer.incarnation else { return nil }
      state.leaving[peer.name] = nil
      let saidGoodbye = saidGoodbyeNow || state.goodbyes.contains(peer.name)
      guard state.wanted[peer.name] == peer.incarnation else { return (saidGoodbye, nil) }
      state.wanted[peer.name] = nil
      state.departed.append(Departure(record: peer, status: saidGoodbye ? .left : .dead, at: now))
      if state.departed.count > Self.mostDepartures { state.departed.removeFirst() }
      return (saidGoodbye, state.links[peer.name])
    }
    guard let conclusion else { return }
    // A peer without a lease may be paused rather than gone; its connection is of no use either way.
    conclusion.link?.close(GridError(.nodeLost, "\(peer.name) is no longer a member"))
    events.record(conclusion.saidGoodbye ? .peerLeft : .peerDied, peer.name, node: node.name)
  }

  // MARK: Dialling

  func run(dial: @escaping @Sendable (NodeRecord) async throws(GridError) -> Link) async {
    await withDiscardingTaskGroup { group in
      while let peer = await dials.next() {
        group.addTask { await self.maintain(peer, dial) }
      }
      group.cancelAll()
    }
  }

  /// Keeps a link to the peer as long as this incarnation of it is a member.
  private func maintain(_ peer: NodeRecord, _ dial: @Sendable (NodeRecord) async throws(GridError) -> Link) async {
    let backoff = Backoff(first: .milliseconds(20), limit: .seconds(2), jitter: 0.5)
    var generator = makeGenerator()
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
      await timers.sleep(for: backoff.pause(before: attempt, using: &generator))
    }
  }
}
