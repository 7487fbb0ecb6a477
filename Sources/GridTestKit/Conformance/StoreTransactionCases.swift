internal import GridCore

extension CoordinationStoreConformance {
  static let transactionCases: [Case] = [
    Case("a transaction whose comparisons hold does the first list", comparisonsHold),
    Case("a transaction of which one comparison fails does the second list", comparisonsFail),
    Case("reads stand in the order of the gets", readsInOrder),
    Case("a transaction that changes nothing does not raise the revisions of entries") { trial in
      try await trial.put("key", "1")
      let before = try await trial.get("key")
      let outcome = try await trial.store.commit(
        StoreTransaction(
          when: [.isAbsent(trial.root + "key")], then: [.put(key: trial.root + "key", value: [], lease: 0)]))
      try expectEqual(outcome.succeeded, false, "whether the comparison held")
      try expectEqual(outcome.reads, [], "the reads")
      try await trial.delete("absent")
      try expectEqual(try await trial.get("key"), before, "the entry")
    },
    Case("all writes of a transaction have one revision", oneRevision),
    Case("an entry that was put without a lease is no longer the lease's") { trial in
      let lease = try await trial.lease()
      try await trial.put("key", "1", lease: lease)
      try expectEqual(try await trial.get("key")?.lease, lease.identifier, "the lease")
      try await trial.put("key", "2")
      try expectEqual(try await trial.get("key")?.lease, 0, "the lease after a put without one")
      try await trial.store.revoke(lease)
      try expectEqual(try await trial.get("key")?.text, "2", "the value after the lease's end")
    },
    Case("of 32 that claim a key at once exactly one wins, round after round", clients: 8, contention),
    Case("a counter that 32 raise by compare-and-swap misses no step", clients: 8, counter),
    Case("readers never see half of a transaction", clients: 3, atomicity),
  ]

  @Sendable private static func comparisonsHold(_ trial: Trial) async throws {
    let put = try await trial.put("key", "1")
    let outcome = try await trial.store.commit(
      StoreTransaction(
        when: [
          .isAbsent(trial.root + "absent"), .createRevision(trial.root + "key", equals: put.revision),
          .modifyRevision(trial.root + "key", equals: put.revision),
        ],
        then: [
          .put(key: trial.root + "key", value: [2], lease: 0), .get(key: trial.root + "key"),
        ],
        otherwise: [.delete(key: trial.root + "key")]))
    try expectEqual(outcome.succeeded, true, "whether the comparisons held")
    let entry = try unwrap(try await trial.get("key"), "the entry")
    try expectEqual(entry.value, [2], "the value")
    try expectEqual(entry.modifyRevision, outcome.revision, "the modify revision")
    try expectEqual(outcome.reads, [entry], "what the transaction read after its own write")
  }

  @Sendable private static func comparisonsFail(_ trial: Trial) async throws {
    let first = try await trial.put("key", "1")
    let second = try await trial.put("key", "2")
    let key = trial.root + "key"
    let failing: [[StoreComparison]] = [
      [.isAbsent(key)], [.createRevision(key, equals: second.revision)], [.modifyRevision(key, equals: first.revision)],
      [.createRevision(key, equals: first.revision), .isAbsent(key)],
      [.createRevision(trial.root + "absent", equals: first.revision)],
      [.modifyRevision(trial.root + "absent", equals: first.revision)],
    ]
    for comparisons in failing {
      let outcome = try await trial.store.commit(
        StoreTransaction(when: comparisons, then: [.delete(key: key)], otherwise: [.get(key: key)]))
      try expectEqual(outcome.succeeded, false, "whether \(comparisons) held")
      try expectEqual(outcome.reads.map { $0?.text }, ["2"], "what the second list read for \(comparisons)")
    }
    let outcome = try await trial.store.commit(
      StoreTransaction(
        when: [.isAbsent(key)], then: [], otherwise: [.put(key: key, value: Array("3".utf8), lease: 0)]))
    try expectEqual(outcome.succeeded, false, "whether the key was absent")
    try expectEqual(try await trial.get("key")?.text, "3", "the value written by the second list")
  }

  @Sendable private static func readsInOrder(_ trial: Trial) async throws {
    for key in ["a", "b", "c"] { try await trial.put(key, key) }
    let keys = ["c", "absent", "a", "b", "a"]
    let outcome = try await trial.store.commit(
      StoreTransaction(then: keys.map { .get(key: trial.root + $0) }))
    try expectEqual(outcome.reads.map { $0?.text }, ["c", nil, "a", "b", "a"], "the reads")
    let mixed = try await trial.store.commit(
      StoreTransaction(then: [
        .get(key: trial.root + "a"), .put(key: trial.root + "a", value: [9], lease: 0), .get(key: trial.root + "a"),
        .delete(key: trial.root + "b"), .get(key: trial.root + "b"),
      ]))
    try expectEqual(
      mixed.reads.map { $0?.value }, [Array("a".utf8), [9], nil], "reads before and after the transaction's own writes")
  }

  @Sendable private static func oneRevision(_ trial: Trial) async throws {
    try await trial.put("old")
    let outcome = try await trial.store.commit(
      StoreTransaction(then: [
        .put(key: trial.root + "a", value: [1], lease: 0), .delete(key: trial.root + "old"),
        .put(key: trial.root + "b", value: [2], lease: 0),
      ]))
    let snapshot = try await trial.store.range(prefix: trial.root)
    try expectEqual(snapshot.entries.map(\.value), [[1], [2]], "the values")
    try expectEqual(
      snapshot.entries.map(\.modifyRevision), [outcome.revision, outcome.revision], "the modify revisions")
  }

  @Sendable private static func contention(_ trial: Trial) async throws {
    var lastRevision: Int64 = 0
    for round in 0..<6 {
      let key = trial.root + "name"
      let winners = try await withThrowingTaskGroup(of: (Int, StoreOutcome).self) { group in
        for contender in 0..<32 {
          let client = trial.client(contender % trial.clients.count)
          group.addTask {
            let outcome = try await client.commit(
              StoreTransaction(
                when: [.isAbsent(key)], then: [.put(key: key, value: Array("\(contender)".utf8), lease: 0)],
                otherwise: [.get(key: key)]))
            return (contender, outcome)
          }
        }
        return try await group.reduce(into: [(Int, StoreOutcome)]()) { $0.append($1) }
      }
      let won = winners.filter(\.1.succeeded)
      try expectEqual(won.count, 1, "the winners of round \(round)")
      let holder = try unwrap(try await trial.get("name"), "the entry of round \(round)")
      try expectEqual(holder.text, won.first.map { "\($0.0)" } ?? "", "the holder of round \(round)")
      for (contender, outcome) in winners where !outcome.succeeded {
        try expectEqual(outcome.reads, [holder], "the holder as loser \(contender) read it")
      }
      try expect(holder.createRevision > lastRevision, "the fencing token must grow with every hand-over")
      lastRevision = holder.createRevision
      try await trial.delete("name")
    }
  }

  @Sendable private static func counter(_ trial: Trial) async throws {
    try await trial.put("counter", "0")
    let key = trial.root + "counter"
    try await withThrowingTaskGroup(of: Void.self) { group in
      for contender in 0..<32 {
        let client = trial.client(contender % trial.clients.count)
        group.addTask {
          for _ in 0..<5 { try await raise(key, client) }
        }
      }
      try await group.waitForAll()
    }
    try expectEqual(try await trial.get("counter")?.text, "160", "the counter")
  }

  private static func raise(_ key: String, _ client: any CoordinationStore) async throws {
    while true {
      let entry = try unwrap(try await client.get(key), "the counter")
      let next = (Int(entry.text) ?? 0) + 1
      let outcome = try await client.commit(
        StoreTransaction(
          when: [.modifyRevision(key, equals: entry.modifyRevision)],
          then: [.put(key: key, value: Array("\(next)".utf8), lease: 0)]))
      if outcome.succeeded { return }
    }
  }

  @Sendable private static func atomicity(_ trial: Trial) async throws {
    let (left, right) = (trial.root + "left", trial.root + "right")
    func both(_ value: UInt8) -> StoreTransaction {
      StoreTransaction(then: [.put(key: left, value: [value], lease: 0), .put(key: right, value: [value], lease: 0)])
    }
    _ = try await trial.store.commit(both(0))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for value in 1...100 as ClosedRange<UInt8> { _ = try await trial.store.commit(both(value)) }
      }
      for reader in 1...2 {
        group.addTask {
          for _ in 0..<100 {
            let values = try await trial.client(reader).range(prefix: trial.root).entries.map(\.value)
            try expect(values.count == 2 && values.first == values.last, "half of a transaction: \(values)")
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
