internal import GRDB
internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import Grid
@testable internal import GridStoreSQLite

@Suite("Watches of the embedded store at their limits", .timeLimit(.minutes(5)))
struct WatchLimitTests {
  @Test("a watcher too slow for 10 000 changes has a gap, and goes on from there")
  func overrun() async throws {
    try await withStores(1) { stores in
      let store = stores[0]
      let recorder = WatchRecorder()
      let gate = WatchRecorder()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await store.watch(prefix: "", after: 1) { event in
            recorder.record(event)
            while gate.events.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
          }
        }
        try await put(store, 0..<100)
        try await wait(for: "the first event") { !recorder.events.isEmpty }
        for start in stride(from: 0, to: 12_000, by: 100) { try await put(store, start..<start + 100) }
        gate.record(.changes([], revision: 0))
        try await wait(for: "the gap") { recorder.gaps.count == 1 }
        try await put(store, 20_000..<20_001)
        try await wait(for: "the change after it") { recorder.changes.last?.key == "20000" }
        group.cancelAll()
      }
      let snapshot = try await store.range(prefix: "1")
      #expect(snapshot.entries.allSatisfy { $0.modifyRevision <= recorder.gaps[0] })
      #expect(try await store.range(prefix: "").entries.count == 12_001)
      guard case .changes(let after, _)? = recorder.events.last else {
        Issue.record("the last event is \(String(describing: recorder.events.last))")
        return
      }
      #expect(after.map(\.key) == ["20000"])
    }
  }

  @Test("a watch from a revision that is no longer kept begins with a gap")
  func trimmed() async throws {
    try await withStores(1) { stores in
      let store = stores[0]
      // Transactions that wait together are one of SQLite's, each with a revision of its own.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<64 {
          group.addTask {
            for step in 0..<(StoreDatabase.keptRevisions / 64 + 40) {
              _ = try await store.commit(
                StoreTransaction(then: [.put(key: "\(writer)", value: Array("\(step)".utf8), lease: 0)]))
            }
          }
        }
        try await group.waitForAll()
      }
      let recorder = WatchRecorder()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await store.watch(prefix: "", after: 1) { recorder.record($0) } }
        try await wait(for: "an event") { !recorder.events.isEmpty }
        group.cancelAll()
      }
      #expect(recorder.gaps == [try await store.range(prefix: "").revision])
    }
  }

  @Test("a watch from a revision that was never reached begins with a gap")
  func rewound() async throws {
    try await withStores(1) { stores in
      try await put(stores[0], 0..<3)
      let revision = try await stores[0].range(prefix: "").revision
      let recorder = WatchRecorder()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await stores[0].watch(prefix: "", after: 1_000_000) { recorder.record($0) } }
        try await wait(for: "the gap") { recorder.events.count == 1 }
        try await put(stores[0], 3..<4)
        try await wait(for: "the next change") { recorder.events.count == 2 }
        group.cancelAll()
      }
      #expect(recorder.gaps == [revision])
      #expect(recorder.changes.map(\.key) == ["3"])
    }
  }

  @Test("closing under load answers every call and ends every watch")
  func closeUnderLoad() async throws {
    try await withStores(1) { stores in
      let store = stores[0]
      let done = WatchRecorder()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<50 {
          group.addTask {
            while true {
              let transaction = StoreTransaction(then: [.put(key: "\(number)", value: [], lease: 0)])
              guard (try? await store.commit(transaction)) != nil else { return }
              done.record(.changes([], revision: 0))
            }
          }
          group.addTask {
            let ending = try await code { try await store.watch(prefix: "", after: 1) { _ in } }
            #expect(ending == .unavailable)
          }
        }
        try await wait(for: "some work") { done.events.count > 200 }
        await store.close()
        try await group.waitForAll()
      }
    }
  }

  private func put(_ store: any CoordinationStore, _ numbers: Range<Int>) async throws {
    _ = try await store.commit(
      StoreTransaction(then: numbers.map { .put(key: "\($0)", value: Array("\($0)".utf8), lease: 0) }))
  }
}
