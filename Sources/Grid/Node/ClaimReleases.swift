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

  /// Releases what was added, and what audits find, until the task is cancelled.
  func run(_ node: NodeRuntime) async {
    let backoff = Backoff(first: .milliseconds(50), limit: .seconds(2))
    var failures = 0
    var nextAudit = node.clock.now() + Self.auditInterval
    while !Task.isCancelled {
      let bell = state.withLock { state in
        if state.bell.isOpen { state.bell = Latch() }
        return state.bell
      }
      let wasQuiet = failures < Self.quietFailures
      failures = await releaseAll(node) ? 0 : failures + 1
      if failures == Self.quietFailures {
        node.logger.warning("names of stopped actors cannot be freed yet, tries again")
      } else if failures == 0, !wasQuiet {
        node.logger.notice("names of stopped actors are freed again")
      }
      if node.clock.now() >= nextAudit {
        audit(node)
        nextAudit = node.clock.now() + Self.auditInterval
      }
      if failures > 0 {
        try? await Task.sleep(for: backoff.pause(before: failures))
      } else {
        _ = await bell.wait(atMost: Self.auditInterval)
      }
    }
  }

  /// Whether every release that waits has succeeded.
  private func releaseAll(_ node: NodeRuntime) async -> Bool {
    let batch = state.withLock { Array($0.waiting) }
    return await withTaskGroup(of: Bool.self) { group in
      var succeeded = true
      for (index, (claim, tried)) in batch.enumerated() {
        if index >= Self.width, await group.next() == false { succeeded = false }
        group.addTask { await self.release(claim, tried, node) }
      }
      for await result in group where !result { succeeded = false }
      return succeeded
    }
  }

  private func release(_ claim: Claim, _ tried: Latch, _ node: NodeRuntime) async -> Bool {
    defer { tried.open() }
    do {
      switch claim {
      case .actor(let name, let epoch): try await node.membership.directory.release(name, epoch: epoch)
      case .leader(let name, let token): try await node.membership.leaders.release(name, token: token)
      }
    } catch {
      node.logger.debug("claim not released yet", metadata: ["name": "\(claim.name)", "error": "\(error)"])
      return false
    }
    state.withLock { _ = $0.waiting.removeValue(forKey: claim) }
    return true
  }

  /// Releases what the store says is ours and nothing here stands behind, at two audits in a row: the answer to a
  /// claim was lost, and whoever made it was told that it failed.
  private func audit(_ node: NodeRuntime) {
    let orphans = node.claimsWithoutHolder()
    let toRelease = state.withLock { state in
      let idle = orphans.filter { state.claiming[$0.name] == nil && state.waiting[$0] == nil }
      defer { state.suspects = idle }
      return idle.intersection(state.suspects)
    }
    for claim in toRelease {
      node.logger.warning("frees a name that nothing stands behind", metadata: ["name": "\(claim.name)"])
      add(claim)
    }
  }
}

extension NodeRuntime {
  /// The claims that the store has for this incarnation of this node, without those that something here stands behind.
  func claimsWithoutHolder() -> Set<Claim> {
    let own = identity.withLock { ($0.name, $0.incarnation) }
    let actors = membership.directory.claims(ofNode: own.0, incarnation: own.1)
      .filter { cells[$0.key]?.epoch != $0.value }.map { Claim.actor($0.key, epoch: $0.value) }
    let leaderships = membership.leaders.all
      .filter { $0.record.node == own.0 && $0.record.incarnation == own.1 }
      .filter { leaders[$0.record.name]?.token != $0.token }
      .map { Claim.leader($0.record.name, token: $0.token) }
    return Set(actors).union(leaderships)
  }
}
