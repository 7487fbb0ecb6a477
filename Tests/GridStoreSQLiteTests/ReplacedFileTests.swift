internal import Foundation
internal import GRDB
internal import Glibc
internal import GridActors
internal import GridCore
internal import Synchronization
internal import Testing

@testable internal import GridStoreSQLite

/// Two processes that claim the same names all the while, whatever is done to the file under them.
@Suite("A store that is damaged, removed or put back while nodes use it", .serialized, .timeLimit(.minutes(5)))
struct ReplacedFileTests {
  enum Damage: String, CaseIterable, Sendable {
    case removed, folderRemoved, olderCopyMovedThere, olderCopyWrittenOver, truncated, garbage, unreadable, directory,
      logRemoved, indexRemoved, logAndIndexRemoved
  }

  @Test(
    "never two holders of a name, no token twice, and it goes on by itself or says what to do",
    arguments: Damage.allCases)
  func damage(_ damage: Damage) async throws {
    try await withTemporaryDirectory { directory in
      let folder = directory + "/state"
      let evidence = directory + "/evidence"
      for path in [folder, evidence] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      let path = folder + "/store.sqlite"
      try await withProcesses { start in
        let reports = [Report(), Report()]
        try await withThrowingTaskGroup(of: Void.self) { group in
          for report in reports {
            let child = try await start("claim", path, evidence, "5")
            group.addTask { while let line = try await child.line() { report.add(line) } }
          }
          try await progress(reports, "names held before")
          try copy(path, to: directory + "/older")
          try await progress(reports, "names held after the copy")
          try inflict(damage, path, older: directory + "/older")
          try await recovery(reports, damage, path)
          for report in reports { #expect(report.violations == []) }
          group.cancelAll()
        }
      }
    }
  }

  // MARK: Help

  /// What one process has said.
  private final class Report: Sendable {
    private struct State {
      var held = 0
      var failures: [String] = []
      var violations: [String] = []
    }

    private let state = Mutex(State())

    func add(_ line: String) {
      state.withLock { state in
        switch line.split(separator: " ").first {
        case "holds": state.held += 1
        case "failed": state.failures = state.failures.suffix(50) + [line]
        default: state.violations.append(line)
        }
      }
    }

    var held: Int { state.withLock { $0.held } }
    var failures: [String] { state.withLock { $0.failures } }
    var violations: [String] { state.withLock { $0.violations } }
  }

  /// Waits until each process has held ten names more.
  private func progress(_ reports: [Report], _ what: String) async throws {
    let before = reports.map(\.held)
    try await wait(for: what) { zip(reports, before).allSatisfy { $0.held >= $1 + 10 } }
  }

  /// It goes on by itself; or the processes say what to do, and go on once it is done.
  private func recovery(_ reports: [Report], _ damage: Damage, _ path: String) async throws {
    let before = reports.map(\.held)
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
      if zip(reports, before).allSatisfy({ $0.held >= $1 + 200 }) { return try await meet(reports, path) }
      let advice = reports.allSatisfy { $0.failures.last?.contains("move it away") ?? false }
      if advice {
        #expect(
          [.garbage, .olderCopyWrittenOver, .directory, .truncated].contains(damage), "\(reports[0].failures.suffix(3))"
        )
        try FileManager.default.moveItem(atPath: path, toPath: path + ".damaged")
        return try await meet(reports, path)
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("neither goes on nor says what to do: \(reports.map { $0.failures.suffix(3) })")
  }

  /// Both go on, in one file: each sees what the other holds.
  private func meet(_ reports: [Report], _ path: String) async throws {
    try await progress(reports, "names held afterwards")
    let leases = try await DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM leases") }
    #expect(leases == 2)
  }

  private func copy(_ path: String, to older: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [older]) }
    try queue.close()
  }

  private func inflict(_ damage: Damage, _ path: String, older: String) throws {
    // Who writes notices at once, and makes or takes away files of its own meanwhile.
    func remove(_ suffixes: String...) {
      for suffix in suffixes { #expect(unlink(path + suffix) == 0 || errno == ENOENT) }
    }
    switch damage {
    case .removed: remove("", "-wal", "-shm")
    case .folderRemoved:
      // At once: they make files in it while it is emptied.
      let folder = (path as NSString).deletingLastPathComponent
      #expect(rename(folder, older + "-folder") == 0)
    case .olderCopyMovedThere: #expect(rename(older, path) == 0)
    case .olderCopyWrittenOver: try write(try Data(contentsOf: URL(fileURLWithPath: older)), over: path)
    case .truncated: try write(Data(), over: path)
    case .garbage: try write(Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }), over: path)
    case .unreadable: chmod(path, 0)
    case .directory:
      repeat { remove("", "-wal", "-shm") } while mkdir(path, 0o700) != 0
    case .logRemoved: remove("-wal")
    case .indexRemoved: remove("-shm")
    case .logAndIndexRemoved: remove("-wal", "-shm")
    }
  }

  /// As a shell's `cat … > file` does: the file stays the same.
  private func write(_ bytes: Data, over path: String) throws {
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.truncate(atOffset: 0)
    try file.write(contentsOf: bytes)
    try file.close()
  }
}
