internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import Grid
@testable internal import GridStoreEtcd

@Suite("Transactions whose answers are lost on the way", .timeLimit(.minutes(5)))
struct OutcomeTests {
  /// Runs `transaction` so that the first answer to it is lost, after `prepare`.
  private func losingTheAnswer(
    _ transaction: @escaping @Sendable (_ lease: Int64, EtcdCoordinationStore) async throws -> StoreTransaction,
    _ check: (Result<StoreOutcome, GridError>, EtcdCoordinationStore) async throws -> Void
  ) async throws {
    try await EtcdServers.with { servers in
      try await CutProxy.with(servers.members[0].clientPort) { proxy in
        try await withStore(EtcdConfiguration(endpoints: [proxy.endpoint])) { store in
          let lease = try await retry {
            try await store.grantLease(timeToLive: .seconds(30), observer: LeaseRecorder())
          }
          // A connection has begun with an answer: that one must not be lost.
          _ = try await store.get("/connected")
          let transaction = try await transaction(lease.identifier, store)
          try await withThrowingTaskGroup(of: Result<StoreOutcome, GridError>.self) { group in
            proxy.loseAnswers()
            group.addTask {
              do throws(GridError) { return .success(try await store.commit(transaction)) } catch {
                return .failure(error)
              }
            }
            // Etcd has answered, and carried it out: its word is lost.
            let written = transaction.success[0].key
            try await wait("the transaction is carried out, unseen") {
              let found = try await servers.control("get", "--print-value-only", written)
              return found.contains("new") && proxy.lost > 0
            }
            await proxy.cut()
            let result = try #require(try await group.next())
            try await check(result, store)
          }
        }
      }
    }
  }

  @Test("a claim under our own lease is known to have succeeded, at its own revision")
  func claimIsFound() async throws {
    try await losingTheAnswer { lease, _ in
      claim("/name", "new", lease: lease)
    } _: { result, store in
      let outcome = try result.get()
      let entry = try #require(try await store.get("/name"))
      #expect(outcome.succeeded)
      #expect(outcome.revision == entry.createRevision)
      #expect(entry.createRevision == entry.modifyRevision, "it was carried out twice")
    }
  }

  @Test("a write without comparisons is found under our lease, and not made twice")
  func writeIsFound() async throws {
    try await losingTheAnswer { lease, _ in
      put("/name", "new", lease: lease)
    } _: { result, store in
      let outcome = try result.get()
      let entry = try #require(try await store.get("/name"))
      #expect(outcome.succeeded && outcome.revision == entry.modifyRevision)
      #expect(entry.createRevision == entry.modifyRevision, "it was carried out twice")
    }
  }

  @Test("a step of a counter is not repeated, and its outcome is called unknown")
  func stepIsUnknown() async throws {
    try await losingTheAnswer { _, store in
      let first = try await store.commit(put("/counter", "old"))
      return StoreTransaction(
        when: [.modifyRevision("/counter", equals: first.revision)],
        then: [.put(key: "/counter", value: Array("new".utf8), lease: 0)])
    } _: { result, store in
      guard case .failure(let error) = result else {
        Issue.record("the outcome was guessed: \(result)")
        return
      }
      #expect(error.code == .unavailable)
      #expect(error.message.contains("not known"))
      let entry = try await store.get("/counter")
      #expect(entry?.value == Array("new".utf8))
    }
  }

  @Test("what was certainly not sent is tried again without ado")
  func notSent() async throws {
    try await EtcdServers.with { servers in
      let nobody = try EtcdServers.freePorts(1)[0]
      var configuration = servers.configuration
      configuration.endpoints.append(.init(host: "127.0.0.1", port: nobody))
      for _ in 0..<8 {
        try await withStore(configuration) { store in
          let outcome = try await store.commit(put("/counter", "1"))
          #expect(outcome.succeeded)
        }
      }
    }
  }

  @Test("on a line that is cut again and again no claim is lost, doubled or wrongly refused")
  func cutAgainAndAgain() async throws {
    try await EtcdServers.with { servers in
      try await CutProxy.with(servers.members[0].clientPort) { proxy in
        try await withStore(EtcdConfiguration(endpoints: [proxy.endpoint])) { store in
          let recorder = LeaseRecorder()
          let lease = try await retry {
            try await store.grantLease(timeToLive: .seconds(60), observer: recorder)
          }
          let start = try await retry { try await store.range(prefix: "/c/") }
          try await withWatch(store, prefix: "/c/", after: start.revision) { watch in
            let outcomes = try await claimsUnderCuts(store, lease.identifier, proxy)
            let entries = try await retry { try await store.range(prefix: "/c/") }.entries
            let revisions = Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.createRevision) })
            #expect(entries.allSatisfy { $0.createRevision == $0.modifyRevision }, "a claim was carried out twice")
            for (key, outcome) in outcomes {
              // Nobody else claims: a refusal is as wrong as a success that left nothing.
              if let outcome { #expect(outcome.succeeded && revisions[key] == outcome.revision, "\(key)") }
            }
            #expect(outcomes.count { $0.1 != nil } > outcomes.count / 2)
            try await wait("the watch has told of every entry") { watch.changes.count >= entries.count }
            #expect(watch.changes.map(\.key).sorted() == entries.map(\.key).sorted())
          }
          #expect(recorder.losses.isEmpty)
        }
      }
    }
  }

  /// Claims 400 keys, eight at a time, while the line is cut after every few of them.
  ///
  /// - Returns: the outcomes; nil where it is not known.
  private func claimsUnderCuts(
    _ store: EtcdCoordinationStore, _ lease: Int64, _ proxy: CutProxy
  ) async throws -> [(String, StoreOutcome?)] {
    try await withThrowingTaskGroup(of: [(String, StoreOutcome?)].self) { group in
      for worker in 0..<8 {
        group.addTask {
          var outcomes: [(String, StoreOutcome?)] = []
          for number in 0..<50 {
            let key = "/c/\(worker)-\(number)"
            outcomes.append((key, try? await store.commit(claim(key, lease: lease))))
            if number % 8 == worker {
              proxy.loseAnswers()
              await proxy.cut()
            }
          }
          return outcomes
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }
}
