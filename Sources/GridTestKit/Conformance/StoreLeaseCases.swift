internal import GridCore

extension CoordinationStoreConformance {
  static let leaseCases: [Case] = [
    Case("a lease is granted, lives as long as it says, and its observer hears of the grant") { trial in
      let recorder = LeaseRecorder()
      let lease = try await trial.lease(recorder)
      try expect(lease.identifier != 0, "a lease must have an identifier")
      try expect(lease.timeToLive >= trial.engine.timeToLive, "the lease lives shorter than was asked")
      try await eventually(within: trial.patience, "the observer hears of the grant") { !recorder.renewals.isEmpty }
      let other = try await trial.lease()
      try expect(other.identifier != lease.identifier, "two leases with one identifier")
    },
    Case("entries go when their lease is revoked, and only they", clients: 2, revocation),
    Case("a lease that has ended takes no more entries: the whole transaction fails", clients: 2, endedLease),
    Case("a lease revoked by another client is lost once, and its entries are gone", clients: 2, revokedByAnother),
    Case("revoking a lease that has ended is no error", clients: 2) { trial in
      let lease = try await trial.lease()
      try await trial.store.revoke(lease)
      try await trial.store.revoke(lease)
      try await trial.client(1).revoke(lease)
    },
    Case("revoking one's own lease is told as a loss at most once") { trial in
      let recorder = LeaseRecorder()
      let lease = try await trial.lease(recorder)
      try await trial.store.revoke(lease)
      let later = LeaseRecorder()
      _ = try await trial.lease(later)
      try await eventually(within: trial.patience, "a later lease is renewed") { later.renewals.count >= 3 }
      try expect(recorder.losses.count <= 1, "told \(recorder.losses.count) times")
    },
    Case("a lease is kept alive far beyond its time to live", clients: 2, keepAlive),
    Case("create revisions fence: they grow with every hand-over of a name", clients: 3, fencing),
    Case("closing a client ends its leases at once, and nobody else's", clients: 2, closing),
    Case("100 leases of one client live side by side", clients: 2, manyLeases),
  ]

  @Sendable private static func revocation(_ trial: Trial) async throws {
    let lease = try await trial.lease()
    let other = try await trial.lease()
    for key in ["a", "b"] { try await trial.put(key, "", lease: lease) }
    try await trial.put("other", "", lease: other)
    try await trial.put("free")
    try await trial.store.revoke(lease)
    let left = try await trial.client(1).range(prefix: trial.root).entries.map(\.key)
    try expectEqual(left, [trial.root + "free", trial.root + "other"], "what is left")
  }

  @Sendable private static func endedLease(_ trial: Trial) async throws {
    let lease = try await trial.lease()
    try await trial.store.revoke(lease)
    for client in trial.clients {
      try await trial.expectError(.leaseLost, "a put with a lease that has ended") {
        _ = try await client.commit(
          StoreTransaction(then: [
            .put(key: trial.root + "first", value: [], lease: 0),
            .put(key: trial.root + "second", value: [], lease: lease.identifier),
          ]))
      }
    }
    try expectEqual(try await trial.store.range(prefix: trial.root).entries, [], "what the transactions wrote")
    let skipped = try await trial.store.commit(
      StoreTransaction(
        when: [.createRevision(trial.root + "first", equals: 1)],
        then: [.put(key: trial.root + "first", value: [], lease: lease.identifier)]))
    try expectEqual(skipped.succeeded, false, "a put that is not carried out needs no lease")
  }

  @Sendable private static func revokedByAnother(_ trial: Trial) async throws {
    let recorder = LeaseRecorder()
    let lease = try await trial.lease(recorder)
    try await trial.put("key", "", lease: lease)
    try await trial.client(1).revoke(lease)
    try expectEqual(try await trial.client(1).get(trial.root + "key"), nil, "the entry")
    try await eventually(within: trial.patience, "the observer is told of the loss") { !recorder.losses.isEmpty }
    let renewals = recorder.renewals.count
    // A lease granted afterwards shows that the engine goes on, and gives a second loss time to come.
    let later = LeaseRecorder()
    _ = try await trial.lease(later)
    try await eventually(within: trial.patience, "a later lease is renewed") { later.renewals.count >= 4 }
    try expectEqual(recorder.losses.map(\.code), [.leaseLost], "the losses")
    try expectEqual(recorder.renewals.count, renewals, "renewals of a lease that was lost")
    try expectEqual(later.losses, [], "the losses of the later lease")
    try await trial.expectError(.leaseLost, "a put with a lease that was revoked") {
      try await trial.put("key", "", lease: lease)
    }
  }

  @Sendable private static func keepAlive(_ trial: Trial) async throws {
    let recorder = LeaseRecorder()
    let lease = try await trial.lease(recorder)
    let put = try await trial.put("key", "", lease: lease)
    try await eventually(within: trial.patience, "renewals over three lives of the lease, with no loss between") {
      try expectEqual(recorder.losses, [], "the losses")
      guard let first = recorder.renewals.first, let last = recorder.renewals.last else { return false }
      return last - first > lease.timeToLive * 3
    }
    try expectEqual(
      try await trial.client(1).get(trial.root + "key")?.createRevision, put.revision, "the entry's create revision")
    let renewals = recorder.renewals
    try expectEqual(renewals, renewals.sorted(), "the send times of the renewals")
    try expect(renewals.count >= 3, "a lease must be renewed before its time is up: \(renewals)")
  }

  @Sendable private static func fencing(_ trial: Trial) async throws {
    let key = trial.root + "name"
    var tokens: [Int64] = []
    for round in 0..<9 {
      let client = trial.client(round % 3)
      let lease = try await trial.lease(of: client)
      let claim = StoreTransaction(
        when: [.isAbsent(key)], then: [.put(key: key, value: [UInt8(round)], lease: lease.identifier)])
      let outcome = try await client.commit(claim)
      try expectEqual(outcome.succeeded, true, "the claim of round \(round)")
      let holder = try unwrap(try await trial.client((round + 1) % 3).get(key), "the holder of round \(round)")
      tokens.append(holder.createRevision)
      try expectEqual(try await trial.client((round + 1) % 3).commit(claim).succeeded, false, "a second claim")
      switch round % 3 {
      case 0: try await client.revoke(lease)
      case 1: try await trial.client((round + 1) % 3).revoke(lease)
      default:
        // Only the holder's own token lets it go.
        let stale = StoreTransaction(
          when: [.createRevision(key, equals: tokens[round - 1])], then: [.delete(key: key)])
        try expectEqual(try await client.commit(stale).succeeded, false, "a release with an old token")
        let own = StoreTransaction(
          when: [.createRevision(key, equals: holder.createRevision)], then: [.delete(key: key)])
        try expectEqual(try await client.commit(own).succeeded, true, "a release with the holder's token")
      }
    }
    try expect(zip(tokens, tokens.dropFirst()).allSatisfy { $0 < $1 }, "the tokens must grow: \(tokens)")
  }

  @Sendable private static func closing(_ trial: Trial) async throws {
    let recorder = LeaseRecorder()
    let lease = try await trial.lease()
    let other = try await trial.lease(recorder, of: trial.client(1))
    try await trial.put("mine", "", lease: lease)
    try await trial.put("theirs", "", lease: other)
    await trial.store.close()
    let left = try await trial.client(1).range(prefix: trial.root).entries.map(\.key)
    try expectEqual(left, [trial.root + "theirs"], "what is left")
    try expectEqual(recorder.losses, [], "the losses of the other client")
  }

  @Sendable private static func manyLeases(_ trial: Trial) async throws {
    var leases: [(StoreLease, LeaseRecorder)] = []
    for number in 0..<100 {
      let recorder = LeaseRecorder()
      let lease = try await trial.lease(recorder)
      try await trial.put("\(1000 + number)", "", lease: lease)
      leases.append((lease, recorder))
    }
    try expectEqual(Set(leases.map(\.0.identifier)).count, 100, "the different identifiers")
    for (lease, _) in leases.prefix(50) { try await trial.store.revoke(lease) }
    try await eventually(within: trial.patience, "the other 50 leases are renewed three times") {
      leases.suffix(50).allSatisfy { $0.1.renewals.count >= 3 }
    }
    try expect(leases.suffix(50).allSatisfy { $0.1.losses.isEmpty }, "a lease was lost with those that were revoked")
    try expectEqual(try await trial.client(1).range(prefix: trial.root).entries.count, 50, "the entries that are left")
  }
}
