internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import GridTestKit
internal import Synchronization
internal import Testing

@testable internal import Grid
@testable internal import GridStoreEtcd

@Suite("A cluster of three that misbehaves", .serialized, .timeLimit(.minutes(10)))
struct ClusterTests {
  @Test("no lease goes unnoticed when a paused leader comes back")
  func leaderPaused() async throws {
    try await EtcdServers.with(3) { servers in
      let leader = try await servers.leader()
      // Through the followers: 3.4 then deletes live leases when the old leader resumes.
      var configuration = servers.configuration
      configuration.endpoints.remove(at: leader)
      try await withStore(configuration) { store in
        var held: [(key: String, revision: Int64, recorder: LeaseRecorder)] = []
        for number in 0..<20 {
          let recorder = LeaseRecorder()
          let lease = try await store.grantLease(timeToLive: .seconds(4), observer: recorder)
          let outcome = try await store.commit(claim("/held/\(number)", lease: lease.identifier))
          held.append(("/held/\(number)", outcome.revision, recorder))
        }
        await servers.pause(leader, true)
        try await Task.sleep(for: .seconds(8))
        await servers.pause(leader, false)
        try await retry { try await servers.control("endpoint", "health") }
        try await wait("every holder whose entry is gone is told so, and no other") {
          var isSettled = true
          for (key, revision, recorder) in held {
            let isThere = try await store.get(key)?.createRevision == revision
            if isThere == recorder.losses.isEmpty { continue }
            isSettled = false
          }
          return isSettled
        }
      }
    }
  }

  @Test("all members away: calls fail in time, leases are lost, and all works when they return")
  func allAway() async throws {
    try await EtcdServers.with(3) { servers in
      try await withStore(servers.configuration) { store in
        let recorder = LeaseRecorder()
        let lease = try await store.grantLease(timeToLive: .seconds(3), observer: recorder)
        let outcome = try await retry { try await store.commit(claim("/held", lease: lease.identifier)) }
        #expect(outcome.succeeded)
        try await withWatch(store, prefix: "/w/", after: outcome.revision) { watch in
          for number in 0..<3 { await servers.kill(number) }
          await #expect(throws: GridError(.unavailable, "")) { try await store.get("/held") }
          await #expect(throws: GridError(.unavailable, "")) { try await store.commit(claim("/other")) }
          try await wait("the lease is lost") { !recorder.losses.isEmpty }
          for number in 0..<3 { try await servers.start(number) }
          try await wait("what the lost lease owned is removed") { (try? await store.get("/held")) == .some(nil) }
          try await retry { try await store.commit(put("/w/a", "1")) }
          try await wait("the watch goes on") { watch.changes.map(\.key).contains("/w/a") }
          #expect(recorder.losses.map(\.code) == [.leaseLost])
        }
      }
    }
  }

  @Test("a watch whose changes were compacted away while it was cut off has a gap")
  func compactedMeanwhile() async throws {
    try await EtcdServers.with { servers in
      try await CutProxy.with(servers.members[0].clientPort) { proxy in
        try await withStore(EtcdConfiguration(endpoints: [proxy.endpoint])) { store in
          let start = try await store.commit(put("/w/first", "1"))
          try await withWatch(store, prefix: "/w/", after: start.revision) { watch in
            _ = try await store.commit(put("/w/second", "1"))
            try await wait("the watch runs") { watch.changes.map(\.key) == ["/w/second"] }
            proxy.loseAnswers()
            for number in 0..<5 { try await servers.control("put", "/w/\(number)", "1") }
            try await servers.control("del", "/w/first")
            let revision = try await servers.control("get", "/w/second", "--write-out", "fields")
              .split(separator: "\n").first { $0.contains("\"Revision\"") }?.split(separator: " ").last
            try await servers.control("compact", "\(try #require(revision))")
            await proxy.cut()
            try await wait("a gap") { !watch.gaps.isEmpty }
            let snapshot = try await retry { try await store.range(prefix: "/w/") }
            #expect(snapshot.entries.map(\.key) == (0..<5).map { "/w/\($0)" } + ["/w/second"])
            _ = try await retry { try await store.commit(put("/w/last", "1")) }
            try await wait("the watch goes on") { watch.changes.map(\.key).last == "/w/last" }
            #expect(watch.changes.map(\.key) == ["/w/second", "/w/last"])
          }
        }
      }
    }
  }

  @Test("a receiver that takes longer than a silent member is given gets every change once")
  func slowReceiver() async throws {
    try await EtcdServers.with { servers in
      try await withStore(servers.configuration) { store in
        let start = try await retry { try await store.range(prefix: "/s/") }
        let recorder = WatchRecorder()
        try await withThrowingTaskGroup(of: Void.self) { group in
          let isFirst = Atomic(true)
          group.addTask {
            try await store.watch(prefix: "/s/", after: start.revision) { event in
              if isFirst.exchange(false, ordering: .relaxed) { try await Task.sleep(for: .seconds(6)) }
              recorder.record(event)
            }
          }
          for number in 0..<300 { _ = try await store.commit(put("/s/\(number)", "1")) }
          try await wait("all changes") { recorder.changes.count >= 300 }
          group.cancelAll()
        }
        #expect(recorder.changes.map(\.key) == (0..<300).map { "/s/\($0)" })
        #expect(recorder.gaps.isEmpty)
      }
    }
  }

  @Test("a receiver that never comes back does not keep the store from closing")
  func stuckReceiver() async throws {
    try await EtcdServers.with { servers in
      let store = try EtcdCoordinationStore(servers.configuration, clock: SystemClock())
      let start = try await retry { try await store.range(prefix: "/s/") }
      let began = Latch()
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          try? await store.watch(prefix: "/s/", after: start.revision) { _ in
            began.open()
            while true { try await Task.sleep(for: .seconds(60)) }
          }
        }
        _ = try? await store.commit(put("/s/a", "1"))
        await began.wait()
        await store.close()
        group.cancelAll()
      }
    }
  }

  @Test("comparing a watch with complete readings under load repairs nothing that is whole")
  func verification() async throws {
    try await EtcdServers.with { servers in
      var configuration = servers.configuration
      configuration.verificationInterval = .milliseconds(10)
      try await withStore(configuration) { store in
        let start = try await retry { try await store.range(prefix: "/v/") }
        try await withWatch(store, prefix: "/v/", after: start.revision) { watch in
          let end = ContinuousClock.now + .seconds(8)
          var written: [String] = []
          while ContinuousClock.now < end {
            let key = "/v/\(written.count)"
            _ = try await store.commit(put(key, "1"))
            written.append(key)
            if written.count.isMultiple(of: 3) {
              _ = try await store.commit(StoreTransaction(then: [.delete(key: key)]))
              written.append(key)
            }
          }
          try await wait("all changes") { watch.changes.count >= written.count }
          #expect(watch.changes.map(\.key) == written)
          #expect(watch.gaps.isEmpty)
        }
      }
    }
  }

  @Test("a full database is named, at once, and reads go on")
  func noSpace() async throws {
    try await EtcdServers.with(options: { _ in ["--quota-backend-bytes", "1048576"] }) { servers in
      try await withStore(servers.configuration) { store in
        _ = try await retry { try await store.commit(put("/small", "1")) }
        let value = String(repeating: "x", count: 200_000)
        var failure: GridError?
        for number in 0..<50 where failure == nil {
          do throws(GridError) { _ = try await store.commit(put("/large/\(number)", value)) } catch { failure = error }
        }
        #expect(failure?.code == .unavailable)
        #expect(failure?.message.contains("NOSPACE") == true, "\(String(describing: failure))")
        #expect(try await store.get("/small")?.value == Array("1".utf8))
      }
    }
  }
}
