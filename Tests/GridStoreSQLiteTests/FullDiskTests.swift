internal import Foundation
internal import Glibc
internal import GridCore
internal import GridSystem
internal import GridTestKit
internal import Testing

@testable internal import Grid
@testable internal import GridStoreSQLite

/// A disk of a test's own.
enum SmallDisk {
  /// Whether this process may have one.
  static let canMount: Bool = {
    let path = FileManager.default.temporaryDirectory.path + "/gridctl-mount-\(UInt64.random(in: 0...UInt64.max))"
    guard mkdir(path, 0o700) == 0 else { return false }
    defer { rmdir(path) }
    guard mount("none", path, "tmpfs", 0, "size=64k") == 0 else { return false }
    return umount2(path, Int32(MNT_DETACH)) == 0
  }()
}

@Suite("A full disk", .enabled(if: SmallDisk.canMount, "needs the right to mount"), .timeLimit(.minutes(5)))
struct FullDiskTests {
  @Test("writes of the store fail with a reason, what was written stays, and with space all is well again")
  func store() async throws {
    try await withSmallDisk { directory in
      let store = try await SQLiteCoordinationStore(path: directory + "/store.sqlite", clock: SystemClock())
      let recorder = LeaseRecorder()
      let lease = try await store.grantLease(timeToLive: .seconds(600), observer: recorder)
      var written: [String] = []
      func put(_ key: String) async throws(GridError) {
        let value = [UInt8](repeating: 7, count: 16 << 10)
        _ = try await store.commit(
          StoreTransaction(then: [.put(key: key, value: value, lease: lease.identifier)]))
      }
      try await put("before")
      try fill(directory)
      var failure: GridError?
      for number in 0..<10_000 where failure == nil {
        do throws(GridError) {
          try await put("key\(number)")
          written.append("key\(number)")
        } catch {
          failure = error
        }
      }
      #expect(failure?.code == .unavailable)
      #expect(failure?.message.contains("no space left") == true, "\(String(describing: failure))")
      let kept = try await store.range(prefix: "").entries
      #expect(Set(kept.map(\.key)) == Set(written + ["before"]))
      #expect(kept.allSatisfy { $0.value.count == 16 << 10 })
      try FileManager.default.removeItem(atPath: directory + "/filler")
      try await put("after")
      #expect(try await store.get("after") != nil)
      #expect(recorder.losses.isEmpty)
      await store.close()
    }
  }

  @Test("a lease lives on while its renewals find room, and is lost once when they do not")
  func lease() async throws {
    try await withSmallDisk { directory in
      let store = try await SQLiteCoordinationStore(path: directory + "/store.sqlite", clock: SystemClock())
      let recorder = LeaseRecorder()
      let lease = try await store.grantLease(timeToLive: .seconds(1), observer: recorder)
      try fill(directory)
      var number = 0
      var renewalsBefore: Int?
      try await wait(for: "the loss of the lease, or renewals on a full disk") {
        number += 1
        let value = [UInt8](repeating: 7, count: 16 << 10)
        let put = StoreTransaction(then: [.put(key: "key\(number)", value: value, lease: 0)])
        if (try? await store.commit(put)) == nil, renewalsBefore == nil { renewalsBefore = recorder.renewals.count }
        return !recorder.losses.isEmpty || recorder.renewals.count > (renewalsBefore ?? .max - 3) + 3
      }
      try FileManager.default.removeItem(atPath: directory + "/filler")
      let put = StoreTransaction(then: [.put(key: "leased", value: [], lease: lease.identifier)])
      let failure = try await code { _ = try await store.commit(put) }
      #expect(failure == (recorder.losses.isEmpty ? nil : .leaseLost))
      let later = LeaseRecorder()
      _ = try await store.grantLease(timeToLive: .seconds(3), observer: later)
      try await wait(for: "renewals") { later.renewals.count > 2 }
      #expect(recorder.losses.count <= 1)
      await store.close()
    }
  }

  @Test("a letter that finds no room is refused as a whole, and the next one is kept when there is space")
  func letters() async throws {
    try await withSmallDisk { directory in
      let log = try await SQLiteDeadLetterLog(path: directory + "/letters.sqlite")
      try await log.append([letter(0)])
      try fill(directory)
      var failure: GridError?
      var kept = 1
      for number in 1..<10_000 where failure == nil {
        do throws(GridError) {
          try await log.append([letter(2 * number), letter(2 * number + 1)])
          kept += 2
        } catch {
          failure = error
        }
      }
      #expect(failure?.code == .inputOutput)
      #expect(failure?.cause?.contains("no space left") == true, "\(String(describing: failure))")
      #expect(try await log.counts().kept == kept)
      #expect(try await log.list(DeadLetterFilter()).count == kept)
      try FileManager.default.removeItem(atPath: directory + "/filler")
      try await log.append([letter(100_000)])
      #expect(try await log.counts().kept == kept + 1)
      await log.close()
    }
  }

  private func letter(_ number: Int) -> DeadLetter {
    DeadLetter(
      identifier: "letter\(1_000_000 + number)", at: CalendarTime(millisecondsSince1970: Int64(number)),
      reason: .stopped, target: "target", sender: "", node: "n1",
      message: Message(body: [UInt8](repeating: 65, count: 8 << 10)))
  }

  // MARK: The disk

  /// Runs `body` with a disk of 2 MiB.
  private func withSmallDisk(_ body: (_ directory: String) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
      try #require(mount("none", directory, "tmpfs", 0, "size=2m") == 0)
      defer { umount2(directory, Int32(MNT_DETACH)) }
      try await body(directory)
    }
  }

  /// Takes all the space that is left.
  private func fill(_ directory: String) throws {
    let file = Glibc.open(directory + "/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try #require(file >= 0)
    defer { Glibc.close(file) }
    let chunk = [UInt8](repeating: 0, count: 4096)
    while Glibc.write(file, chunk, chunk.count) > 0 {}
    #expect(errno == ENOSPC)
  }
}
