internal import Foundation
internal import GRDB
internal import Glibc
internal import GridActors
internal import GridCore
internal import GridSystem
internal import GridTestKit
internal import Testing

@testable internal import Grid
@testable internal import GridStoreSQLite

@Suite("Files that are no good", .timeLimit(.minutes(5)))
struct DamagedFileTests {
  @Test("a file that is no database is refused with its path and what to try", arguments: [100, 4096, 100_000])
  func garbage(size: Int) async throws {
    try await withTemporaryDirectory { directory in
      let bytes = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) })
      for name in ["store.sqlite", "letters.sqlite"] {
        _ = FileManager.default.createFile(atPath: "\(directory)/\(name)", contents: bytes)
      }
      let error = try #require(await storeError(directory + "/store.sqlite"))
      #expect(error.code == .unavailable)
      #expect(error.message.contains(directory) && error.hint != nil)
      #expect(error.cause?.contains("damaged") == true, "\(error)")
      let letters = try #require(await letterError(directory + "/letters.sqlite"))
      #expect(letters.code == .inputOutput)
      #expect(letters.cause?.contains("damaged") == true, "\(letters)")
    }
  }

  @Test("a store of a newer gridctl is refused, and left as it is")
  func newerSchema() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      try await open(path).close()
      try write(path, "UPDATE meta SET value = 999 WHERE name = 'schema'")
      let error = try #require(await storeError(path))
      #expect(error.code == .configuration)
      #expect(error.message.contains("999") && error.hint != nil)
      let kept = try await DatabaseQueue(path: path).read {
        try Int.fetchOne($0, sql: "SELECT value FROM meta WHERE name = 'schema'")
      }
      #expect(kept == 999)
    }
  }

  @Test("keys that are no text hide no others, and are no other keys", arguments: [1, 2, 3, 1000])
  func keysThatAreNoText(limit: Int) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      let store = try await open(path)
      _ = try await store.commit(StoreTransaction(then: [.put(key: "a", value: [1], lease: 0)]))
      _ = try await store.commit(StoreTransaction(then: [.put(key: "\u{10FFFF}", value: [2], lease: 0)]))
      try write(
        path, "INSERT INTO entries SELECT column1, x'', 1, 1, 0 FROM (VALUES (x'61C3'), (x'61FE'), (x'80'), (x'81'))")
      var keys: [String] = []
      try await store.pages(of: StoreRange(prefix: "", limit: limit)) { keys += $0.entries.map(\.key) }
      #expect(keys == ["a", "\u{10FFFF}"])
      await store.close()
    }
  }

  @Test("a store of the first schema is read, with its keys")
  func olderSchema() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      let queue = try DatabaseQueue(path: path)
      try await queue.write { database in
        try database.execute(
          sql: """
            CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE entries (
              key TEXT PRIMARY KEY, value BLOB NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
              lease INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE changes (
              number INTEGER PRIMARY KEY, revision INTEGER NOT NULL, key TEXT NOT NULL, value BLOB,
              created INTEGER NOT NULL, lease INTEGER NOT NULL);
            INSERT INTO meta VALUES ('schema', 1), ('revision', 7), ('trimmed', 0);
            INSERT INTO entries VALUES ('old', x'01', 7, 7, 0);
            INSERT INTO changes VALUES (1, 7, 'old', x'01', 7, 0);
            """)
      }
      try queue.close()
      let store = try await open(path)
      #expect(try await store.get("old")?.value == [1])
      let outcome = try await store.commit(StoreTransaction(then: [.put(key: "old", value: [2], lease: 0)]))
      #expect(outcome.revision == 8)
      let entries = try await store.range(prefix: "o").entries
      #expect(entries.map(\.createRevision) == [7])
      await store.close()
    }
  }

  @Test(
    "somebody else's tables under our names: errors, never a trap",
    arguments: [
      "CREATE TABLE entries (key TEXT)", "CREATE TABLE meta (name TEXT, value TEXT)",
      "CREATE TABLE leases (id TEXT)", "CREATE TABLE changes (revision TEXT)",
    ])
  func foreignTables(sql: String) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      try write(path, sql)
      do throws(GridError) {
        let store = try await open(path)
        await exercise(store)
        await store.close()
      } catch {
        #expect(error.code == .unavailable || error.code == .configuration)
      }
    }
  }

  @Test(
    "values of the wrong type in our tables: errors, never a trap",
    arguments: [
      "INSERT INTO entries VALUES (x'6B', 'text', 'created', 'modified', 'lease')",
      "INSERT INTO entries VALUES (17, 17, 1.5, -1, 9e99)", "INSERT INTO entries VALUES (x'FF', x'', 1, 1, 1)",
      "INSERT INTO changes VALUES (1, 'x', x'6B', 'v', 'c', 'l')", "INSERT INTO changes VALUES (1, 99, 'k', 5, 5, 5)",
      "UPDATE meta SET value = 'text'", "UPDATE meta SET value = 9223372036854775807 WHERE name = 'revision'",
      "UPDATE meta SET value = -9223372036854775807 - 1", "DELETE FROM meta",
      "INSERT INTO leases VALUES (1, 5, 'soon')", "INSERT INTO leases VALUES (-1, 'boot', 9223372036854775807)",
      "DROP TABLE entries", "DROP TABLE changes", "DROP TABLE leases", "DROP TABLE meta",
    ])
  func wrongTypes(sql: String) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      let running = try await open(path)
      try write(path, "PRAGMA ignore_check_constraints = 1; \(sql)")
      await exercise(running)
      await running.close()
      do throws(GridError) {
        let store = try await open(path)
        await exercise(store)
        await store.close()
      } catch {
        #expect(error.code == .unavailable || error.code == .configuration)
      }
    }
  }

  @Test("bytes of the file that change while it is in use: errors, never a trap", arguments: 1...20)
  func changedBytes(seed: Int) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/store.sqlite"
      let store = try await open(path)
      await exercise(store)
      var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
      func random(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(max(1, bound)))
      }
      for name in [path, path + "-wal"] {
        let file = try #require(FileHandle(forUpdatingAtPath: name))
        let size = Int(try file.seekToEnd())
        for _ in 0..<20 {
          try file.seek(toOffset: UInt64(random(size)))
          try file.write(contentsOf: (0..<8).map { _ in UInt8(random(256)) })
        }
        try file.close()
      }
      await exercise(store)
      await store.close()
      _ = await storeError(path)
    }
  }

  @Test(
    "a file that is taken away: leases are lost, watches start afresh, and all meet in a new one", arguments: [0, 50])
  func removedFile(revisions: Int) async throws {
    try await withTemporaryDirectory { directory in
      let folder = directory + "/state"
      let store = try await open(folder + "/store.sqlite")
      let recorder = LeaseRecorder()
      let watch = WatchRecorder()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await store.watch(prefix: "", after: 1) { watch.record($0) } }
        let lease = try await store.grantLease(timeToLive: .seconds(30), observer: recorder)
        for _ in 0..<20 { try await put(store, "old", lease) }
        let revision = try #require(try await store.get("old")).modifyRevision
        try await wait(for: "the old key") { watch.changes.last?.key == "old" }
        try FileManager.default.removeItem(atPath: folder)
        // Whoever comes first makes the new one; its revisions may be beyond those that were seen.
        let other = revisions > 0 ? try await open(folder + "/store.sqlite") : nil
        for number in 0..<revisions { if let other { try await put(other, "\(number)") } }
        try await wait(for: "the loss of the lease") { !recorder.losses.isEmpty }
        #expect(recorder.losses.map(\.code) == [.leaseLost])
        let later = try await store.grantLease(timeToLive: .seconds(30), observer: LeaseRecorder())
        try await put(store, "new", later)
        #expect(try await store.get("old") == nil)
        #expect(try #require(try await store.get("new")).createRevision > revision, "no token comes twice")
        try await wait(for: "the gap") { !watch.gaps.isEmpty }
        // Written before the gap or told after it.
        let entry = try #require(try await store.get("new"))
        try await wait(for: "the new key") {
          watch.changes.last?.key == "new" || (watch.gaps.last ?? 0) >= entry.modifyRevision
        }
        if let other { #expect(try await other.get("new") != nil) }
        group.cancelAll()
        await other?.close()
      }
      await store.close()
    }
  }

  @Test(
    "totals of dead letters that nobody has counted: letters are dropped or not, never a trap",
    arguments: [
      ("-9223372036854775807 - 1", "9223372036854775807"), ("9223372036854775807", "-9223372036854775807 - 1"),
    ])
  func wrongTotals(kept: String, bytes: String) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/letters.sqlite"
      let log = try await SQLiteDeadLetterLog(path: path, capacity: DeadLetterCapacity(letters: 3, bytes: 2000))
      func letters(_ identifiers: [String]) -> [DeadLetter] {
        identifiers.map { identifier in
          DeadLetter(
            identifier: identifier, at: CalendarTime(millisecondsSince1970: 1), reason: .stopped, target: "t",
            sender: "", node: "n1", message: Message("x"))
        }
      }
      try await log.append(letters(["1", "2", "3"]))
      try write(path, "UPDATE totals SET value = \(kept) WHERE name = 'kept'")
      try write(path, "UPDATE totals SET value = \(bytes) WHERE name = 'bytes'")
      _ = try? await log.append(letters(["4", "5"]))
      _ = try? await log.counts()
      await log.close()
    }
  }

  @Test("dead letters whose file is taken away are kept in a new one")
  func removedLetters() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/letters.sqlite"
      let log = try await SQLiteDeadLetterLog(path: path)
      func letter(_ identifier: String) -> DeadLetter {
        DeadLetter(
          identifier: identifier, at: CalendarTime(millisecondsSince1970: 1), reason: .stopped, target: "t",
          sender: "", node: "n1", message: Message("x"))
      }
      try await log.append([letter("01")])
      for name in ["", "-wal", "-shm"] { try FileManager.default.removeItem(atPath: path + name) }
      try await log.append([letter("02")])
      #expect(try await log.list(DeadLetterFilter()).map(\.identifier) == ["02"])
      await log.close()
      let again = try await SQLiteDeadLetterLog(path: path)
      #expect(try await again.list(DeadLetterFilter()).map(\.identifier) == ["02"])
      await again.close()
    }
  }

  @Test("a directory where the file should be, a file where the directory should be")
  func wrongPlaces() async throws {
    try await withTemporaryDirectory { directory in
      let inner = directory + "/inner"
      try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
      #expect(await storeError(inner)?.code == .unavailable)
      #expect(await letterError(inner)?.code == .inputOutput)
      _ = FileManager.default.createFile(atPath: directory + "/file", contents: nil)
      #expect(await storeError(directory + "/file/store.sqlite")?.code == .unavailable)
      #expect(await letterError(directory + "/file/letters.sqlite")?.code == .inputOutput)
    }
  }

  @Test("a directory without permission to write, and a file without permission to read")
  func permissions() async throws {
    try await withTemporaryDirectory { directory in
      try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: directory)
      defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory) }
      try await withProcesses { start in
        let child = try await start("open", directory + "/store.sqlite", directory + "/letters.sqlite")
        let store = try #require(try await child.line())
        #expect(store.hasPrefix("store unavailable cannot open the coordination store \(directory)"), "\(store)")
        let letters = try #require(try await child.line())
        #expect(letters.hasPrefix("letters input-output cannot open the dead letters \(directory)"), "\(letters)")
      }
    }
  }

  @Test("letters that an older gridctl kept are taken over; one that cannot be read is shown as what is there")
  func formerLetters() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/letters.sqlite"
      await (try await SQLiteDeadLetterLog(path: path)).close()
      let kept = DeadLetter(
        identifier: "02", at: CalendarTime(millisecondsSince1970: 2), reason: .deadline, target: "other", sender: "a",
        node: "n1", message: Message("body"), count: 3, replayedAs: "03")
      try write(
        path,
        """
        CREATE TABLE letters (
          id TEXT PRIMARY KEY, at INTEGER NOT NULL, reason TEXT NOT NULL, target TEXT NOT NULL, count INTEGER NOT NULL,
          document BLOB NOT NULL) WITHOUT ROWID;
        INSERT INTO letters VALUES ('01', 1, 'stopped', 'target', 1, x'00FF');
        INSERT INTO letters VALUES ('02', 2, 'deadline', 'other', 3, '\(kept.json.text)');
        """)
      let log = try await SQLiteDeadLetterLog(path: path)
      for letter in [try await log.list(DeadLetterFilter()).first, try await log.letter("01")] {
        #expect(letter?.identifier == "01" && letter?.target == "target" && letter?.reason == .stopped)
        #expect(letter?.message.body == [0x00, 0xFF])
        #expect(letter?.detail == "the record of this letter cannot be read")
      }
      #expect(try await log.letter("02") == kept)
      let counts = try await log.counts()
      #expect(counts.kept == 2 && counts.folded == 2 && counts.bytes > 0)
      #expect(try await log.purge(DeadLetterFilter(target: "target")) == 1)
      #expect(try await log.counts().kept == 1)
      await log.close()
    }
  }

  @Test("a letter whose columns hold what they should not is shown all the same")
  func foreignLetter() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/letters.sqlite"
      let log = try await SQLiteDeadLetterLog(path: path)
      try write(
        path,
        """
        INSERT INTO messages (
          id, at, reason, target, count, replay, bytes, bodyBytes, sender, node, detail, type, contentType, headers,
          body)
        VALUES ('02', 'when', 5, x'FF', 'many', '', 7.5, 'x', x'FF', 2, 3, 4, 5, '[', 7.5)
        """)
      let letter = try #require(try await log.letter("02"))
      #expect(letter.reason == .undecodable && letter.target.isEmpty && letter.count == 1)
      #expect(try await log.list(DeadLetterFilter()).count == 1)
      #expect(try await log.purge(DeadLetterFilter()) == 1)
      await log.close()
    }
  }

  // MARK: Help

  private func open(_ path: String) async throws(GridError) -> SQLiteCoordinationStore {
    try await SQLiteCoordinationStore(path: path, clock: SystemClock())
  }

  private func storeError(_ path: String) async -> GridError? {
    do throws(GridError) {
      await (try await open(path)).close()
      return nil
    } catch {
      return error
    }
  }

  private func letterError(_ path: String) async -> GridError? {
    do throws(GridError) {
      await (try await SQLiteDeadLetterLog(path: path)).close()
      return nil
    } catch {
      return error
    }
  }

  private func write(_ path: String, _ sql: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.write { try $0.execute(sql: sql) }
    try queue.close()
  }

  private func put(_ store: SQLiteCoordinationStore, _ key: String, _ lease: StoreLease? = nil) async throws {
    _ = try await store.commit(
      StoreTransaction(then: [.put(key: key, value: [1], lease: lease?.identifier ?? 0)]))
  }

  /// Does everything that a store can do, for what happens; errors are as good as results.
  private func exercise(_ store: SQLiteCoordinationStore) async {
    _ = try? await store.describe()
    let recorder = LeaseRecorder()
    let lease = try? await store.grantLease(timeToLive: .milliseconds(300), observer: recorder)
    for key in ["k", "key", "other"] {
      _ = try? await store.commit(
        StoreTransaction(
          when: [.isAbsent("absent")], then: [.put(key: key, value: [1, 2], lease: lease?.identifier ?? 0)]))
      _ = try? await store.commit(StoreTransaction(then: [.delete(key: "k"), .get(key: key)]))
      _ = try? await store.get(key)
    }
    _ = try? await store.range(prefix: "")
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await store.watch(prefix: "", after: 0) { _ in } }
      try? await Task.sleep(for: .milliseconds(50))
      group.cancelAll()
    }
    if let lease { try? await store.revoke(lease) }
  }
}
