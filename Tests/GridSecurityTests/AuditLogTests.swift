import Foundation
import Glibc
import GridCore
import GridRequests
import GridTestKit
import Testing

@testable import GridSecurity

/// The log on a real disk.
@Suite struct AuditLogTests {
  private func withState(_ body: (String) async throws -> Void) async throws {
    let path = "/tmp/gridctl-audit-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  private static func record(_ verb: String) -> AuditRecord {
    AuditRecord(verb, [:], Caller(name: "kim", role: .operator, source: .socket), .done)
  }

  private func log(_ state: String, bytes: Int = AuditLog.standardFileBytes, clock: ManualClock = ManualClock())
    -> AuditLog
  {
    AuditLog(stateDirectory: state, node: "n1", clock: clock, fileBytes: bytes)
  }

  private func verdict(_ log: AuditLog) async throws -> AuditVerdict {
    await (try #require(log.snapshots(without: []).first)).verdict()
  }

  private func verbs(_ log: AuditLog) -> [String] {
    log.snapshots(without: []).flatMap { AuditRecords($0).map(\.verb) }
  }

  private func file(_ state: String, _ name: String = "n1.jsonl") -> String { "\(state)/audit/\(name)" }

  private func change(_ path: String, _ body: (inout [Substring]) -> Void) throws {
    var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    body(&lines)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: 0)
    handle.write(Data((lines.joined(separator: "\n") + "\n").utf8))
  }

  @Test func `records are for the node's user alone, in order, and told the newest first`() async throws {
    try await withState { state in
      let log = log(state)
      for verb in ["a", "b", "c"] { #expect(try log.append(Self.record(verb)).count == 1) }
      var status = stat()
      #expect(stat(file(state), &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
      #expect(stat("\(state)/audit", &status) == 0)
      #expect(status.st_mode & 0o777 == 0o700)
      #expect(verbs(log) == ["c", "b", "a"])
      let verdict = try await verdict(log)
      #expect(verdict.isWhole && verdict.records == 3 && verdict.files == 1)
    }
  }

  @Test func `the chain goes on over files, and the oldest of them go`() async throws {
    try await withState { state in
      let log = log(state, bytes: 2000)
      for number in 0..<200 { _ = try log.append(Self.record("v\(number)")) }
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(state)/audit").sorted()
      #expect(names.count == AuditFolder.keptFiles + 1 && names.last == "n1.jsonl")
      let whole = try await verdict(log)
      #expect(whole.isWhole && whole.files == 9, "\(whole)")
      #expect(verbs(log).first == "v199")
      #expect(verbs(log) == verbs(log).indices.map { "v\(199 - $0)" })
      // A file in the midst is missing.
      unlink(file(state, names[3]))
      let broken = try await verdict(log)
      #expect(broken.file == names[4] && broken.line == 1, "\(broken)")
    }
  }

  @Test func `the first file is missed where it was not deleted for room`() async throws {
    try await withState { state in
      let log = log(state, bytes: 1000)
      for number in 0..<9 { _ = try log.append(Self.record("v\(number)")) }
      #expect(try await verdict(log).isWhole)
      unlink(file(state, "n1.000001.jsonl"))
      #expect(try await verdict(log).file == "n1.000002.jsonl")
    }
  }

  @Test func `after a restart the chain goes on, and a torn line is cut off and said`() async throws {
    try await withState { state in
      let first = log(state)
      for verb in ["a", "b"] { _ = try first.append(Self.record(verb)) }
      first.close()
      let handle = try #require(FileHandle(forWritingAtPath: file(state)))
      try handle.seekToEnd()
      handle.write(Data(#"{"at":"2026"#.utf8))
      try handle.close()
      let second = log(state)
      let written = try second.append(Self.record("c"))
      #expect(written.map(\.sequence) == [3, 4] && written[0].result == .noted)
      #expect(written[0].subject == ["file": "n1.jsonl", "tornBytes": 11])
      let verdict = try await verdict(second)
      #expect(verdict.isWhole && verdict.records == 4, "\(verdict)")
    }
  }

  @Test func `after a restart behind a file that was put aside the chain goes on`() async throws {
    try await withState { state in
      let first = log(state)
      _ = try first.append(Self.record("a"))
      first.close()
      #expect(rename(file(state), file(state, "n1.000001.jsonl")) == 0)
      let second = log(state)
      #expect(try second.append(Self.record("b")).last?.sequence == 2)
      #expect(try await verdict(second).isWhole)
    }
  }

  @Test(arguments: [1, 2, 3, 4])
  func `a deleted line is found where it was`(line: Int) async throws {
    try await withState { state in
      let log = log(state)
      for verb in ["a", "b", "c", "d"] { _ = try log.append(Self.record(verb)) }
      try change(file(state)) { $0.remove(at: line - 1) }
      let verdict = try await verdict(log)
      #expect(verdict.file == "n1.jsonl" && verdict.line == line, "\(verdict)")
      // It stays so, whatever is written behind it.
      _ = try log.append(Self.record("e"))
      #expect(try await self.verdict(log).line == line)
    }
  }

  @Test func `a file that was removed or replaced is not written to unseen`() async throws {
    try await withState { state in
      let log = log(state)
      for verb in ["a", "b"] { _ = try log.append(Self.record(verb)) }
      unlink(file(state))
      #expect(try await !self.verdict(log).isWhole)
      let written = try log.append(Self.record("c"))
      #expect(written.first?.subject == ["replaced": "n1.jsonl"])
      #expect(access(file(state), F_OK) == 0)
      let verdict = try await verdict(log)
      #expect(verdict.line == 1 && verdict.file == "n1.jsonl", "\(verdict)")
    }
  }

  @Test func `a second process of the name begins a file of its own`() async throws {
    try await withState { state in
      let paused = log(state)
      _ = try paused.append(Self.record("a"))
      let next = log(state)
      #expect(try next.append(Self.record("b")).last?.sequence == 2)
      #expect(try await verdict(next).isWhole)
      // The first one has lost its file, and takes nobody else's.
      let error = #expect(throws: GridError.self) { try paused.append(Self.record("late")) }
      #expect(error?.code == .inputOutput, "\(String(describing: error))")
      _ = try next.append(Self.record("c"))
      #expect(try await verdict(next).isWhole)
    }
  }

  @Test func `the order stays when the clock is set back, and times are told as they were`() async throws {
    try await withState { state in
      let log = log(state)
      let first = try #require(try log.append(Self.record("a")).last)
      log.close()
      let earlier = ManualClock(date: CalendarTime(millisecondsSince1970: 1000))
      let second = AuditLog(stateDirectory: state, node: "n1", clock: earlier)
      let record = try #require(try second.append(Self.record("b")).last)
      #expect(record.at.millisecondsSince1970 == 1000 && record.order == first.order)
      #expect(AuditRecord.key(of: record.json) > AuditRecord.key(of: first.json))
    }
  }

  @Test func `logs of nodes that are gone are told by those that are there`() async throws {
    try await withState { state in
      _ = try log(state).append(Self.record("a"))
      let other = AuditLog(stateDirectory: state, node: "n2", clock: ManualClock())
      _ = try other.append(Self.record("b"))
      #expect(other.snapshots(without: []).map(\.node) == ["n2", "n1"])
      #expect(other.snapshots(without: ["n1"]).map(\.node) == ["n2"])
    }
  }

  @Test func `what is too long is left out, and the chain stays whole`() async throws {
    try await withState { state in
      let log = log(state)
      var record = Self.record("a")
      record.subject = ["name": .string(String(repeating: "x", count: 100_000))]
      record.message = String(repeating: "y", count: 100_000)
      _ = try log.append(record)
      let size = try FileManager.default.attributesOfItem(atPath: file(state))[.size] as? Int
      #expect((size ?? .max) < 3000)
      log.close()
      let next = self.log(state)
      #expect(try next.append(Self.record("b")).last?.sequence == 2)
      #expect(try await verdict(next).isWhole)
    }
  }

  private static let canMount = geteuid() == 0

  @Test(.enabled(if: AuditLogTests.canMount, "only root mounts"))
  func `a full disk refuses records, leaves none half written, and mends`() async throws {
    try await withState { state in
      guard mount("tmpfs", state, "tmpfs", 0, "size=64k,mode=700") == 0 else { return }
      defer { umount2(state, Int32(MNT_DETACH)) }
      let log = log(state)
      _ = try log.append(Self.record("a"))
      let fill = open("\(state)/fill", O_WRONLY | O_CREAT, 0o600)
      let page = [UInt8](repeating: 0, count: 4096)
      while write(fill, page, page.count) > 0 {}
      close(fill)
      var written = 1
      let error = #expect(throws: GridError.self) {
        for _ in 0..<1000 {
          _ = try log.append(Self.record("more"))
          written += 1
        }
      }
      #expect(error?.code == .inputOutput && error?.message.contains("no space left on the disk") == true)
      #expect(error?.hint == "make room under \(state)/audit")
      #expect(log.failure?.code == .inputOutput)
      #expect(try await self.verdict(log).records == written)
      #expect(log.retry().isEmpty)
      unlink("\(state)/fill")
      #expect(log.retry().count == 1 && log.failure == nil)
      _ = try log.append(Self.record("again"))
      let verdict = try await verdict(log)
      #expect(verdict.isWhole && verdict.records == written + 2, "\(verdict)")
    }
  }

  @Test func `a folder that others may write to refuses records`() async throws {
    try await withState { state in
      #expect(mkdir("\(state)/audit", 0o700) == 0 && chmod("\(state)/audit", 0o777) == 0)
      let log = log(state)
      let error = #expect(throws: GridError.self) { try log.append(Self.record("a")) }
      #expect(
        error?.code == .inputOutput && error?.hint?.contains("chmod go-w") == true, "\(String(describing: error))")
      #expect(chmod("\(state)/audit", 0o700) == 0)
      _ = try log.append(Self.record("a"))
    }
  }
}
