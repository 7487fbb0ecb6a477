internal import Foundation
internal import GRDB
internal import GridActors
internal import GridCore
internal import GridSystem
internal import GridTestKit
internal import Testing

@testable internal import Grid
@testable internal import GridStoreSQLite

@Suite("The embedded store and a second process", .timeLimit(.minutes(5)))
struct SecondProcessTests {
  /// Far longer than any test waits, so that only the death of the holder can end the lease.
  private static let longLease = "600000"

  @Test("a killed process: its entries go although its lease has not run out, and watchers are told")
  func killedHolder() async throws {
    try await withStore { store, path in
      try await withProcesses { start in
        let holder = try await start("hold", path, Self.longLease, "name")
        let held = try #require(try await holder.line()?.split(separator: " ").last.flatMap { Int64($0) })
        #expect(try await store.get("name")?.createRevision == held)
        let recorder = WatchRecorder()
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await store.watch(prefix: "name", after: held) { recorder.record($0) } }
          holder.send(SIGKILL)
          try await wait(for: "the watch to tell of the end") { recorder.changes.count == 1 }
          group.cancelAll()
        }
        guard case .delete("name", let revision)? = recorder.changes.first else {
          Issue.record("the watch told of \(recorder.changes)")
          return
        }
        #expect(revision > held)
        #expect(try await store.get("name") == nil)
        let claim = try await store.commit(
          StoreTransaction(when: [.isAbsent("name")], then: [.put(key: "name", value: [], lease: 0)]))
        #expect(claim.succeeded && claim.revision > held)
      }
    }
  }

  @Test("a process that is stopped longer than its lease lives: it loses all, and knows when it goes on")
  func stoppedHolder() async throws {
    try await withStore { store, path in
      try await withProcesses { start in
        let holder = try await start("hold", path, "500", "name")
        #expect(try await holder.line()?.hasPrefix("held ") == true)
        holder.send(SIGSTOP)
        try await wait(for: "the end of the lease") { try await store.get("name") == nil }
        let claim = try await store.commit(
          StoreTransaction(when: [.isAbsent("name")], then: [.put(key: "name", value: [1], lease: 0)]))
        #expect(claim.succeeded)
        holder.send(SIGCONT)
        #expect(try await holder.line() == "lost lease-lost")
        #expect(try await holder.line() == "put lease-lost")
        #expect(try await store.get("name")?.value == [1])
      }
    }
  }

  @Test("two processes that contend for one key 1 000 times miss no step")
  func contention() async throws {
    try await withStore { store, path in
      try await withProcesses { start in
        let children = [
          try await start("contend", path, "counter", "500"), try await start("contend", path, "counter", "500"),
        ]
        var numbers: [Int] = []
        for child in children {
          while let line = try await child.line() { numbers.append(try #require(Int(line), "\(line)")) }
          #expect(try await child.exit == .exited(0))
        }
        #expect(numbers.sorted() == Array(1...1000))
        #expect(try await store.get("counter").map { String(decoding: $0.value, as: UTF8.self) } == "1000")
      }
    }
  }

  @Test("processes that start at once where there is no file yet share one", arguments: 1...5)
  func firstStart(round: Int) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      try await withProcesses { start in
        var children: [ChildProcess] = []
        for _ in 0..<4 { children.append(try await start("contend", path, "counter", "25")) }
        var numbers: [Int] = []
        for child in children {
          while let line = try await child.line() { numbers.append(try #require(Int(line), "\(line)")) }
        }
        #expect(numbers.sorted() == Array(1...100))
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: directory)
      #expect(!files.contains { $0.contains(".new-") })
    }
  }

  @Test("a process killed in the midst of transactions loses none that it was told of")
  func killedWriter() async throws {
    try await withStore { store, path in
      try await withProcesses { start in
        var known = 0
        for round in 1...5 {
          let child = try await start("contend", path, "counter", "1000000")
          for _ in 0..<(20 * round) { known = try #require(try await child.line().flatMap { Int($0) }) }
          child.send(SIGKILL)
          while let line = try await child.line() { known = Int(line) ?? known }
          let value = try await store.get("counter").flatMap { Int(String(decoding: $0.value, as: UTF8.self)) }
          // The last one may have been carried out before its answer could be given.
          #expect(value == known || value == known + 1)
        }
      }
      let checked = try await DatabaseQueue(path: path).read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
      #expect(checked == "ok")
    }
  }

  @Test("a process that sits on the file's lock: writes fail with a reason, reads go on, and all is well afterwards")
  func lockedFile() async throws {
    try await withStore { store, path in
      let recorder = LeaseRecorder()
      let lease = try await store.grantLease(timeToLive: .seconds(600), observer: recorder)
      try await withProcesses { start in
        let child = try await start("lock", path)
        #expect(try await child.line() == "locked")
        let put = StoreTransaction(then: [.put(key: "key", value: [1], lease: lease.identifier)])
        do throws(GridError) {
          _ = try await store.commit(put)
          Issue.record("the commit should have failed")
        } catch {
          #expect(error.code == .unavailable)
          #expect(error.message.contains("locked by another process"))
        }
        #expect(try await store.get("key") == nil)
        child.send(SIGKILL)
        _ = try await child.exit
        _ = try await store.commit(put)
        #expect(try await store.get("key")?.value == [1])
        #expect(recorder.losses.isEmpty)
      }
    }
  }

  @Test("dead letters survive kill -9 of the process that kept them")
  func killedLog() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/letters.sqlite"
      var kept: [String] = []
      try await withProcesses { start in
        for _ in 0..<3 {
          let child = try await start("append", path)
          for _ in 0..<50 { kept.append(try #require(try await child.line())) }
          child.send(SIGKILL)
          while let line = try await child.line(), line.utf8.count == 26 { kept.append(line) }
        }
      }
      let log = try await SQLiteDeadLetterLog(path: path)
      let found = Set(try await log.list(DeadLetterFilter()).map(\.identifier))
      #expect(Set(kept).subtracting(found).isEmpty)
      // Of each process the last one may have been kept before it could say so.
      #expect(found.subtracting(kept).count <= 3)
      #expect(try await log.counts().kept == found.count)
      await log.close()
    }
  }

  /// Runs `body` with one store in a directory of its own.
  private func withStore(_ body: (_ store: SQLiteCoordinationStore, _ path: String) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      let store = try await SQLiteCoordinationStore(path: path, clock: SystemClock())
      do {
        try await body(store, path)
      } catch {
        await store.close()
        throw error
      }
      await store.close()
    }
  }
}
