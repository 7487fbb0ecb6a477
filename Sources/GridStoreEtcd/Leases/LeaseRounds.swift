internal import FoundationEssentials
internal import GridCore
internal import SwiftProtobuf

/// Renews leases round by round: one stream of keep-alives for all of them, then one reading of what they own.
///
/// 3.4 confirms leases that are gone, so a keep-alive counts only once something that the lease owns was seen after it.
struct LeaseRounds: Sendable {
  let channel: EtcdChannel
  let clock: any GridClock

  /// Leases of one stream, and keys of one reading: etcd takes 128 operations in a transaction.
  private static let portion = 64
  /// Keys of one lease that may turn out to be gone before etcd is asked about the lease itself.
  private static let witnesses = 4

  /// What a portion of a round came to.
  private struct Findings: Sendable {
    var renewed: [HeldLease] = []
    var lost: [(HeldLease, GridError)] = []
  }

  /// Waits until it is time, and renews once.
  ///
  /// - Returns: the leases that are lost, with the reason.
  func next(_ leases: [HeldLease]) async -> [(HeldLease, GridError)] {
    let shortest = leases.map(\.lease.timeToLive).min() ?? .seconds(1)
    let interval = min(shortest / 4, .seconds(1))
    let now = clock.now()
    // Those that were renewed in time can wait; one that was not is tried again soon.
    let due = leases.map { min($0.renewedAt + interval, $0.validUntil) }.min() ?? now
    await channel.thread.sleep(max(due - now, .milliseconds(100)))
    if Task.isCancelled { return [] }
    let alone = channel.configuration.endpoints.count == 1
    let timeout = min(channel.configuration.attemptTimeout, alone ? shortest / 2 : shortest / 4)
    let lost = await renew(leases.filter { !$0.isEnded }, within: timeout)
    let late = clock.now()
    let expired = leases.filter { late >= $0.validUntil }.map { lease in
      (lease, GridError(.leaseLost, "the lease could not be renewed for \(lease.lease.timeToLive.inSeconds) s"))
    }
    return lost + expired
  }

  private func renew(_ leases: [HeldLease], within timeout: Duration) async -> [(HeldLease, GridError)] {
    let sentAt = clock.now()
    return await withTaskGroup(of: Findings.self) { group in
      for start in stride(from: 0, to: leases.count, by: Self.portion) {
        let portion = Array(leases[start..<min(start + Self.portion, leases.count)])
        group.addTask {
          (try? await self.findings(portion, within: timeout)) ?? Findings()
        }
      }
      var lost: [(HeldLease, GridError)] = []
      for await findings in group {
        for lease in findings.renewed { lease.renewed(sentAt: sentAt) }
        lost += findings.lost
      }
      return lost
    }
  }

  private func findings(_ leases: [HeldLease], within timeout: Duration) async throws(EtcdFailure) -> Findings {
    let requests = leases.map { lease in
      Etcdserverpb_LeaseKeepAliveRequest.with { $0.id = lease.lease.identifier }
    }
    let answers = try await channel.exchange(.keepAlive, requests, within: timeout)
    let lives = Dictionary(answers.map { ($0.id, $0.ttl) }) { $1 }
    var findings = Findings()
    var confirmed: [HeldLease] = []
    for lease in leases {
      guard let life = lives[lease.lease.identifier] else { continue }
      if life > 0 {
        confirmed.append(lease)
      } else {
        findings.lost.append((lease, GridError(.leaseLost, "etcd has ended the lease")))
      }
    }
    guard let suspicious = try? await suspicious(confirmed, within: timeout) else { return findings }
    for lease in confirmed {
      // What cannot be found out now is tried again in the next round.
      var isAlive: Bool? = true
      if suspicious.contains(lease.lease.identifier) { isAlive = try? await self.isAlive(lease, within: timeout) }
      if isAlive == true { findings.renewed.append(lease) }
      if isAlive == false {
        let reason = GridError(.leaseLost, "etcd has ended the lease and removed what it owned")
        findings.lost.append((lease, reason))
      }
    }
    return findings
  }

  /// Those of whose keys the first one asked for is gone.
  private func suspicious(_ leases: [HeldLease], within timeout: Duration) async throws(EtcdFailure) -> Set<Int64> {
    let watched = leases.compactMap { lease in lease.witness.map { (lease, $0) } }
    if watched.isEmpty { return [] }
    var request = Etcdserverpb_TxnRequest()
    request.success = watched.map { _, witness in
      .with {
        $0.requestRange = .with {
          $0.key = witness.key
          $0.keysOnly = true
        }
      }
    }
    let answer = try await channel.attempt(.reading, request, within: timeout)
    var suspicious: Set<Int64> = []
    for ((lease, witness), response) in zip(watched, answer.responses) {
      let identifier = lease.lease.identifier
      if response.responseRange.kvs.first?.lease == identifier { continue }
      try Self.demand(answer.header.revision, atLeast: witness.revision)
      lease.forget(witness.key, upTo: answer.header.revision)
      suspicious.insert(identifier)
    }
    return suspicious
  }

  /// Whether the lease is alive by the word of the cluster, not of one member.
  private func isAlive(_ held: HeldLease, within timeout: Duration) async throws(EtcdFailure) -> Bool {
    for _ in 0..<Self.witnesses {
      guard let witness = held.witness else { break }
      let answer = try await channel.attempt(
        .range,
        .with {
          $0.key = witness.key
          $0.keysOnly = true
        }, within: timeout)
      if answer.kvs.first?.lease == held.lease.identifier { return true }
      try Self.demand(answer.header.revision, atLeast: witness.revision)
      held.forget(witness.key, upTo: answer.header.revision)
    }
    return try await exists(held.lease, within: timeout)
  }

  /// A member that answers from before the put knows nothing of its end.
  private static func demand(_ revision: Int64, atLeast known: Int64) throws(EtcdFailure) {
    guard revision < known else { return }
    throw EtcdFailure(
      .notReady, mayBeApplied: false, GridError(.unavailable, "a member of etcd answers from the past"))
  }

  /// Asks for a lease of the same number: that goes through the log, and is refused only while ours is there.
  private func exists(_ lease: StoreLease, within timeout: Duration) async throws(EtcdFailure) -> Bool {
    do throws(EtcdFailure) {
      _ = try await channel.attempt(
        .grant,
        .with {
          $0.id = lease.identifier
          $0.ttl = lease.timeToLive.components.seconds
        }, within: timeout)
      return false
    } catch {
      if error.reason == .leaseExists { return true }
      throw error
    }
  }
}
