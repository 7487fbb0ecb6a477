internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import Logging
internal import Synchronization

/// A name that this node claimed in the store, with the revision of the claim.
enum Claim: Hashable, Sendable {
  case actor(String, epoch: Int64)
  case leader(String, token: Int64)

  var name: String {
    switch self {
    case .actor(let name, _), .leader(let name, _): name
    }
  }
}

/// Frees the claims of this node that nothing stands behind any more, until the store has taken every release.
///
/// The node's lease lives as long as the node: a claim whose release the store did not hear of would stand for as
/// long. What waits is bounded by what the node has claimed.
final class ClaimReleases: Sendable {
  private struct State {
    /// Opened when the release was tried for the first time.
    var waiting: [Claim: Latch] = [:]
    /// Claims that the store may know of before we do, by the number of attempts under way.
    var claiming: [String: Int] = [:]
    /// What nothing stood behind at the last audit.
    var suspects: Set<Claim> = []
    var bell = Latch()
  }

  /// How often the claims are compared with what the node runs.
  private static let auditInterval = Duration.seconds(2)
  /// Rounds that may fail before it is told.
  private static let quietFailures = 4
  /// How many releases are under way at once.
  private static let width = 64

  private let state = Mutex(State())
  private let node: NodeSelf
  private let membership: Membership
  private let cells: CellTable
  private let leaders: LeaderOffice
  private let timers: any Timers
  private let logger: Logger

  init(
    node: NodeSelf, membership: Membership, cells: CellTable, leaders: LeaderOffice, timers: any Timers, logger: Logger
  ) {
    self.node = node
    self.membership = membership
    self.cells = cells
    self.leaders = leaders
    self.timers = timers
    self.logger = logger
  }

  /// Frees a claim, soon.
  ///
  /// - Returns: opens once that was tried; it is tried again until it has succeeded.
  @discardableResult
  func add(_ claim: Claim) -> Latch {
    let (tried, bell) = state.withLock { state in
      if let tried = state.waiting[claim] { return (tried, state.bell) }
      let tried = Latch()
      state.waiting[claim] = tried
      return (tried, state.bell)
    }
    bell.open()
    return tried
  }

  /// Runs an attempt to claim `name`; the audit lets the name alone meanwhile.
  func claiming<Result>(
    _ name: String, _ attempt: () async throws(GridError) -> Result
  ) async throws(GridError) -> Result {
    state.withLock { $0.claiming[name, default: 0] += 1 }
    defer {
      state.withLock { state in
        let rest = state.claiming[name, default: 1] - 1
        state.claiming[name] = rest == 0 ? nil : rest
      }
    }
    return try await attempt()
  }

  // MARK: Releasing

  /// Releases what was added, and what audits find, until the task is cancelled.
  func run() async {
    let backoff = Backoff(first: .milliseconds(50), limit: .seconds(2))
    var failures = 0
    var nextAudit = timers.now() + Self.auditInterval
    while !Task.isCancelled {
      let bell = state.withLock { state in
        if state.bell.isOpen { state.bell = Latch() }
        return state.bell
      }
      let wasQuiet = failures < Self.quietFailures
      failures = await releaseAll() ? 0 : failures + 1
      if failures == Self.quietFailures {
        logger.warning("names of stopped actors cannot be freed yet, tries again")
      } else if failures == 0, !wasQuiet {
        logger.notice("names of stopped actors are freed again")
      }
      if timers.now() >= nextAudit {
        await audit()
        nextAudit = timers.now() + Self.auditInterval
      }
      if failures > 0 {
        await timers.sleep(for: backoff.pause(before: failures))
      } else {
        _ = await bell.wait(atMost: Self.auditInterval, on: timers)
      }
    }
  }

  /// Whether every release that waits has succeeded.
  private func releaseAll() async -> Bool {
    let batch = state.withLock { Array($0.waiting) }
    return await withTaskGroup(of: Bool.self) { group in
      var succeeded = true
      for (index, (claim, tried)) in batch.enumerated() {
        if index >= Self.width, await group.next() == false { succeeded = false }
        group.addTask { await self.release(claim, tried) }
      }
      for await result in group where !result { succeeded = false }
      return succeeded
    }
  }

  private func release(_ claim: Claim, _ tried: Latch) async -> Bool {
    defer { tried.open() }
    do {
      switch claim {
      case .actor(let name, let epoch): try await membership.locator.release(name, epoch: epoch)
      case .leader(let name, let token): try await membership.leaders.release(name, token: token)
      }
    } catch {
      logger.debug("claim not released yet", metadata: ["name": "\(claim.name)", "error": "\(error)"])
      return false
    }
    state.withLock { _ = $0.waiting.removeValue(forKey: claim) }
    return true
  }

  // MARK: Audit

  /// Releases what the store says is ours and nothing here stands behind, at two audits in a row: the answer to a
  /// claim was lost, and whoever made it was told that it failed.
  private func audit() async {
    let orphans = await claimsWithoutHolder()
    let toRelease = state.withLock { state in
      let idle = orphans.filter { state.claiming[$0.name] == nil && state.waiting[$0] == nil }
      defer { state.suspects = idle }
      return idle.intersection(state.suspects)
    }
    for claim in toRelease {
      logger.warning("frees a name that nothing stands behind", metadata: ["name": "\(claim.name)"])
      add(claim)
    }
  }

  /// The claims that the store has for this incarnation of this node, without those that something here stands behind:
  /// leaderships, and names whose claim was not known to have been made.
  private func claimsWithoutHolder() async -> Set<Claim> {
    let own = node.presence
    var names: [String: Int64] = [:]
    if let lease = try? membership.currentLease() {
      names = (try? await membership.locator.doubtfulClaims(lease: lease.identifier)) ?? [:]
    }
    let actors = names.filter { cells[$0.key]?.epoch != $0.value }.map { Claim.actor($0.key, epoch: $0.value) }
    let leaderships = membership.leaders.all
      .filter { $0.holder.node == own.name && $0.holder.incarnation == own.incarnation }
      .filter { leaders[$0.holder.name]?.token != $0.token }
      .map { Claim.leader($0.holder.name, token: $0.token) }
    return Set(actors).union(leaderships)
  }
}
