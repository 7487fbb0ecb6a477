internal import Foundation
internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import GridStoreEtcd

@Suite("The era of an etcd: revisions that outlive its memory", .serialized, .timeLimit(.minutes(5)))
struct EraTests {
  private let era = Era(base: 1000, beginning: 2)

  @Test(
    "revisions cross the border in both directions", arguments: [(1 as Int64, 1001 as Int64), (2, 1002), (999, 1999)])
  func translation(_ inner: Int64, _ outer: Int64) {
    #expect(era.outer(inner) == outer && era.inner(outer) == inner)
  }

  @Test("a revision of another era is one that etcd never has", arguments: [1, 2, 1000] as [Int64])
  func foreign(_ revision: Int64) {
    #expect(era.inner(revision) > Int64.max / 2)
    #expect(era.outer(.max) == .max && era.inner(0) == 0)
  }

  @Test("its own keys are nobody's business")
  func ownKeys() {
    func entry(_ key: String) -> StoreEntry {
      StoreEntry(key: key, value: [], createRevision: 1, modifyRevision: 1, lease: 0)
    }
    let keys = [Era.Key.present, era.proof, "/gridctl/shop/nodes/n1"].map(entry)
    let page = era.outer(StorePage(entries: keys, revision: 3, hasMore: false))
    #expect(page.entries.map(\.key) == ["/gridctl/shop/nodes/n1"])
    #expect(era.outer(keys.map { .put($0) }).map(\.key) == ["/gridctl/shop/nodes/n1"])
  }

  /// What is there after the events, by key: all of the last reading, and what has changed since. A reading is recorded
  /// as a gap and the puts of what was read.
  private static func picture(_ events: [WatchEvent]) -> [String: StoreEntry] {
    events.reduce(into: [:]) { entries, event in
      switch event {
      case .gap: entries = [:]
      case .changes(let changes, _):
        for change in changes {
          if case .put(let entry) = change { entries[entry.key] = entry } else { entries[change.key] = nil }
        }
      }
    }
  }

  @Test("an etcd that is restarted empty: tokens grow, leases are lost, watches begin anew")
  func emptied() async throws {
    try await EtcdServers.with { servers in
      try await withStore(servers.configuration) { store in
        let lost = LeaseRecorder()
        let lease = try await retry { try await store.grantLease(timeToLive: .seconds(60), observer: lost) }
        var tokens: [Int64] = []
        for number in 0..<20 {
          tokens.append(try await store.commit(claim("k\(number)", lease: lease.identifier)).revision)
        }
        let watch = WatchRecorder()
        try await withThrowingTaskGroup(of: Void.self) { group in
          // As whoever follows does: from the beginning again after every end.
          group.addTask {
            while !Task.isCancelled {
              guard let snapshot = try? await store.range(prefix: "k") else { continue }
              watch.record(.gap(after: snapshot.revision))
              watch.record(.changes(snapshot.entries.map { .put($0) }, revision: snapshot.revision))
              try? await store.watch(prefix: "k", after: snapshot.revision) { watch.record($0) }
            }
          }
          try await wait("the first picture") { !watch.events.isEmpty }
          await servers.kill(0)
          try FileManager.default.removeItem(atPath: servers.members[0].directory)
          try await servers.start(0)
          let outcome = try await retry { try await store.commit(claim("k0")) }
          #expect(outcome.succeeded && outcome.revision > tokens.max() ?? .max)
          try await wait("the loss of the lease") { !lost.losses.isEmpty }
          #expect(lost.losses.map(\.code) == [.leaseLost])
          try await wait("a picture without what is gone") {
            Self.picture(watch.events).map(\.value.createRevision) == [outcome.revision]
          }
          group.cancelAll()
        }
        // A node that remembers nothing gives larger ones, too.
        try await withStore(servers.configuration) { fresh in
          let later = try await fresh.commit(claim("k1"))
          #expect(later.succeeded && later.revision > tokens.max() ?? .max)
          let (seen, known) = (try await fresh.get("k0"), try await store.get("k0"))
          #expect(seen != nil && seen?.createRevision == known?.createRevision)
          // What was freed with an old token is not what stands there now.
          let stale = try await fresh.commit(
            StoreTransaction(when: [.createRevision("k0", equals: tokens[0])], then: [.delete(key: "k0")]))
          #expect(!stale.succeeded)
        }
      }
    }
  }

  @Test("an etcd that was emptied while all nodes were away: tokens grow all the same")
  func emptiedMeanwhile() async throws {
    try await EtcdServers.with { servers in
      var before: Int64 = 0
      try await withStore(servers.configuration) { store in
        for number in 0..<50 { before = try await retry { try await store.commit(put("k\(number)", "1")) }.revision }
      }
      await servers.kill(0)
      try FileManager.default.removeItem(atPath: servers.members[0].directory)
      try await servers.start(0)
      try await withStore(servers.configuration) { store in
        let later = try await retry { try await store.commit(claim("k")) }
        #expect(later.revision > before)
      }
    }
  }

  @Test("an etcd that is put back to an older copy: no token comes twice")
  func putBack() async throws {
    try await EtcdServers.with { servers in
      let (place, copy) = (servers.members[0].directory, servers.directory + "/copy")
      try await withStore(servers.configuration) { store in
        try await withStore(servers.configuration) { other in
          let early = try await retry { try await store.commit(put("early", "1")) }
          await servers.kill(0)
          try FileManager.default.copyItem(atPath: place, toPath: copy)
          try await servers.start(0)
          var last = early.revision
          for number in 0..<20 { last = try await retry { try await store.commit(put("k\(number)", "1")) }.revision }
          #expect(try await other.get("k19") != nil)
          await servers.kill(0)
          try FileManager.default.removeItem(atPath: place)
          try FileManager.default.copyItem(atPath: copy, toPath: place)
          try await servers.start(0)
          let first = try await retry { try await store.commit(put("again", "1")) }
          let second = try await retry { try await other.commit(put("again", "2")) }
          #expect(first.revision > last && second.revision > first.revision)
          let known = try await [store.get("early"), other.get("early")].map { $0?.createRevision }
          #expect(known[0] == known[1] && known[0] != nil)
        }
      }
    }
  }
}
