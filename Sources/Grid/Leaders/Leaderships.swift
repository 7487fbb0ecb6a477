internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import Logging

/// Stands for leaderships, and gives them up.
final class Leaderships: Sendable {
  /// How long a candidate waits for news before it looks itself.
  private static let candidatePatience = Duration.seconds(2)
  /// Failures in a row that are no news: what mends itself at once.
  private static let quietFailures = 3

  private let office: LeaderOffice
  private let node: NodeSelf
  private let membership: Membership
  private let releases: ClaimReleases
  private let timers: any Timers
  private let logger: Logger

  init(
    office: LeaderOffice, node: NodeSelf, membership: Membership, releases: ClaimReleases, timers: any Timers,
    logger: Logger
  ) {
    self.office = office
    self.node = node
    self.membership = membership
    self.releases = releases
    self.timers = timers
    self.logger = logger
  }

  subscript(name: String) -> Leadership? { office[name] }

  /// Whether the leadership is still this one, and certainly nobody else's.
  func isValid(_ name: String, token: Int64) -> Bool {
    office[name]?.token == token && membership.isValid(at: timers.now())
  }

  /// How long it certainly lasts when its lease is not renewed.
  var remaining: Duration { membership.remainingValidity(at: timers.now()) }

  // MARK: Standing

  /// Waits until the leadership is won; when not `waiting`, fails where somebody else has it.
  func campaign(_ name: String, holder: String, waiting: Bool = true) async throws(GridError) -> Leadership {
    let backoff = Backoff(first: .milliseconds(50), limit: .seconds(2))
    var failures = 0
    while !Task.isCancelled {
      let ring = membership.leaders.listen(for: name)
      do throws(GridError) {
        if let leadership = try await stand(name, holder) { return leadership }
        if failures >= Self.quietFailures {
          logger.notice("stands for a leadership again", metadata: ["leader": "\(name)"])
        }
        failures = 0
        if !waiting, let other = try await otherLeader(name) { throw other }
        await ring.wait(atMost: Self.candidatePatience, on: timers)
      } catch {
        if error.code == .retryLater, !waiting { throw error }
        // The store is away, or this node is between two memberships: it is a candidate all the same.
        // Not the first few times: what mends itself at once is no news.
        logger.log(
          level: failures == Self.quietFailures ? .warning : .debug, "cannot stand for a leadership, tries again",
          metadata: ["leader": "\(name)", "error": "\(error)"])
        await ring.wait(atMost: backoff.pause(before: failures), on: timers)
        failures += 1
      }
    }
    throw GridError(.cancelled, "no longer a candidate for \(name)")
  }

  private func otherLeader(_ name: String) async throws(GridError) -> GridError? {
    guard let leader = try await membership.leaders.lookUp(name)?.holder else { return nil }
    // One of our own that has been given up is free in a moment.
    if leader.node == node.name, office[name] == nil { return nil }
    return GridError(.retryLater, "\(name) is led by \(leader.holder) under node \(leader.node)")
  }

  private func stand(_ name: String, _ holder: String) async throws(GridError) -> Leadership? {
    let lease = try membership.currentLease()
    let own = node.presence
    let record = LeaderRecord(
      name: name, node: own.name, incarnation: own.incarnation, holder: holder, since: timers.date())
    let claim = try await releases.claiming(name) { () throws(GridError) in
      try await membership.leaders.claim(record, lease: lease.identifier)
    }
    guard case .won(let token) = claim else { return nil }
    let leadership = Leadership(name: name, token: token, holder: holder)
    office.add(leadership)
    // The lease may have gone between the claim and now.
    guard let current = try? membership.currentLease(), current == lease, membership.isValid(at: timers.now()) else {
      office.remove(leadership, nil)
      return nil
    }
    return leadership
  }

  // MARK: Ending

  func giveUp(_ leadership: Leadership) {
    office.remove(leadership, nil)
    releases.add(.leader(leadership.name, token: leadership.token))
  }

  /// Asks all leaders of this node to give up, and ends what they keep after `grace`.
  func resignAll(grace: Duration) async {
    let limit = timers.now() + grace
    for leadership in office.all { leadership.resignRequested.open() }
    for leadership in office.all { _ = await leadership.ended.wait(atMost: limit - timers.now(), on: timers) }
    office.endAll(GridError(.leaseLost, "node \(node.name) leaves"))
  }

  /// Returns when the leadership is not certainly this node's any more, or is to be given up.
  func watchValidity(of leadership: Leadership) async {
    let news = Latch()
    leadership.ended.whenOpen { news.open() }
    leadership.resignRequested.whenOpen { news.open() }
    while !Task.isCancelled, !news.isOpen {
      let remaining = remaining
      if remaining <= .zero { return }
      // It is renewed several times while that lasts.
      _ = await news.wait(atMost: remaining, on: timers)
    }
  }
}
