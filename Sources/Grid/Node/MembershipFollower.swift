internal import GridCluster
internal import GridCore

/// Hears what becomes of the node's membership, and who comes and goes.
final class MembershipFollower: Membership.Observer {
  private static let grace = Duration.seconds(2)

  private let node: NodeSelf
  private let peers: PeerTable
  private let leaders: LeaderOffice
  private let news: LeaderNews
  private let stopper: Stopper
  private let health: Health
  private let events: EventLog

  init(
    node: NodeSelf, peers: PeerTable, leaders: LeaderOffice, news: LeaderNews, stopper: Stopper, health: Health,
    events: EventLog
  ) {
    self.node = node
    self.peers = peers
    self.leaders = leaders
    self.news = news
    self.stopper = stopper
    self.health = health
    self.events = events
  }

  func joined(_ record: NodeRecord) {
    node.joined(record)
    health.mended(.membership, "is a member again")
    events.record(
      .nodeJoined(namespace: node.namespace, incarnation: record.incarnation), record.name, node: record.name)
  }

  func lostMembership(_ reason: GridError) async {
    health.lostMembership()
    health.stands(.membership, reason, "lost its membership: stops its actors, and joins again")
    events.record(.nodeLostMembership(reason), node.name, node: node.name)
    leaders.endAll(GridError(.leaseLost, "node \(node.name) lost its lease", cause: reason))
    await stopper.stopAll(.leaseLost, .named, grace: Self.grace)
  }

  func rejoinFailed(_ error: GridError) {
    health.stands(.membership, error, "cannot join again yet: hosts no actors")
  }

  func watchFailed(_ what: String, _ error: GridError) {
    health.stands(.watch(what), error, "hears no news from the coordination store")
  }

  func watchWorks(_ what: String) { health.mended(.watch(what), "hears news from the coordination store again") }

  func peerJoined(_ peer: NodeRecord) { peers.appeared(peer) }

  func peerLeft(_ peer: NodeRecord) { peers.disappeared(peer) }

  func leaderChanged(_ change: ClaimChange<LeaderRecord>) { news.changed(change) }
}
