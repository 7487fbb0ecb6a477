internal import Foundation
internal import Glibc
internal import GridCore
internal import GridSystem
internal import GridTestKit
internal import Testing

@testable internal import GridStoreSQLite

/// What the processes that share a store hear of each other.
@Suite("The bell of a store", .timeLimit(.minutes(5)))
struct BellTests {
  @Test("a change is heard of; a lease that is renewed is not")
  func changes() async throws {
    try await withBell { bell, path, store in
      let lease = try await store.grantLease(timeToLive: .seconds(3), observer: LeaseRecorder())
      try await hear(.leaseMade, bell)
      _ = bell.takeNews()
      let renewed = LeaseRecorder()
      let other = try await store.grantLease(timeToLive: .seconds(3), observer: renewed)
      try await wait(for: "renewals") { renewed.renewals.count > 2 }
      #expect(!bell.takeNews().contains(.changed))
      try await put(store, "key", lease)
      try await hear(.changed, bell)
      try await store.revoke(lease)
      try await hear([.changed, .leaseClosed], bell)
      try await store.revoke(other)
    }
  }

  enum Move: String, CaseIterable, Sendable {
    case removed, replaced, folderMoved, folderAboveMoved, linkTurned, logRemoved, bellRemoved, writtenOver
  }

  @Test(
    "whatever becomes of the file is heard of, and what stands in its place is listened to", arguments: Move.allCases)
  func moves(_ move: Move) async throws {
    try await withTemporaryDirectory { directory in
      let folder = directory + "/above/state"
      let files = FileManager.default
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try files.createSymbolicLink(atPath: directory + "/link", withDestinationPath: directory + "/above")
      let path = (move == .linkTurned ? directory + "/link/state" : folder) + "/store.sqlite"
      let store = try await SQLiteCoordinationStore(path: path, clock: SystemClock())
      try await put(store, "before")
      let bell = StoreBell(path: path)
      bell.listen()
      #expect(bell.isHearing)
      _ = bell.takeNews()
      switch move {
      case .removed: unlink(path)
      case .replaced:
        _ = files.createFile(atPath: directory + "/other", contents: nil)
        #expect(rename(directory + "/other", path) == 0)
      case .folderMoved: #expect(rename(folder, directory + "/elsewhere") == 0)
      case .folderAboveMoved: #expect(rename(directory + "/above", directory + "/elsewhere") == 0)
      case .linkTurned:
        try files.removeItem(atPath: directory + "/link")
        try files.createSymbolicLink(atPath: directory + "/link", withDestinationPath: directory)
      case .logRemoved: unlink(path + "-wal")
      case .bellRemoved: unlink(path + ".bell")
      case .writtenOver:
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.write(contentsOf: [UInt8](repeating: 7, count: 100))
        try file.close()
      }
      try await hear(move == .writtenOver ? .overwritten : .moved, bell)
      await store.close()
      guard move != .writtenOver, move != .replaced else { return }
      // Made anew, it is heard of again.
      let again = try await SQLiteCoordinationStore(path: path, clock: SystemClock())
      bell.listen()
      #expect(bell.isHearing)
      _ = bell.takeNews()
      try await put(again, "after")
      try await hear(.changed, bell)
      await again.close()
    }
  }

  @Test("other files of the folder are nobody's news")
  func others() async throws {
    try await withBell { bell, path, _ in
      let folder = (path as NSString).deletingLastPathComponent
      for name in ["letters.sqlite", "notes"] {
        #expect(FileManager.default.createFile(atPath: folder + "/" + name, contents: nil))
      }
      #expect(bell.takeNews() == [])
    }
  }

  @Test("a store without ears still sees what others write, and ends their leases")
  func deaf() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      // Nothing can be listened to where the bell cannot be made.
      try FileManager.default.createSymbolicLink(
        atPath: path + ".bell", withDestinationPath: directory + "/nowhere/bell")
      let stores = [
        try await SQLiteCoordinationStore(path: path, clock: SystemClock()),
        try await SQLiteCoordinationStore(path: path, clock: SystemClock()),
      ]
      let bell = StoreBell(path: path)
      bell.listen()
      #expect(!bell.isHearing)
      let watch = WatchRecorder()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await stores[1].watch(prefix: "", after: 1) { watch.record($0) } }
        try await put(stores[0], "key")
        try await wait(for: "the change") { watch.changes.map(\.key) == ["key"] }
        group.cancelAll()
      }
      for store in stores { await store.close() }
    }
  }

  // MARK: Help

  private func withBell(
    _ body: (StoreBell, String, SQLiteCoordinationStore) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      let store = try await SQLiteCoordinationStore(path: path, clock: SystemClock())
      try await put(store, "first")
      let bell = StoreBell(path: path)
      bell.listen()
      #expect(bell.isHearing)
      _ = bell.takeNews()
      try await body(bell, path, store)
      await store.close()
    }
  }

  private func hear(_ news: StoreNews, _ bell: StoreBell) async throws {
    var heard: StoreNews = []
    try await wait(for: "news \(news.rawValue)") {
      heard.formUnion(bell.takeNews())
      return heard.isSuperset(of: news)
    }
  }

  private func put(_ store: SQLiteCoordinationStore, _ key: String, _ lease: StoreLease? = nil) async throws {
    _ = try await store.commit(
      StoreTransaction(then: [.put(key: key, value: [1], lease: lease?.identifier ?? 0)]))
  }
}
