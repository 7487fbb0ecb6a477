internal import Foundation
internal import Glibc
internal import GridCore
internal import GridSystem
internal import Testing

@testable internal import GridLink

@Suite("The file with the secret", .timeLimit(.minutes(5)))
struct SecretFileTests {
  private func withDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = "/tmp/gridctl-secret-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try await body(directory)
  }

  @Test("of many that make it at once all get the same, and nothing else stays")
  func together() async throws {
    try await withDirectory { directory in
      let path = directory + "/secret"
      let secrets = try await withThrowingTaskGroup(of: [UInt8].self) { group in
        for _ in 0..<32 { group.addTask { try SecretFile.readOrMake(path).bytes } }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(secrets.count == 1 && secrets.first?.count == 32)
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["secret"])
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      #expect(try SecretFile.read(path)?.bytes == secrets.first)
      #expect(try SecretFile.read(directory + "/another") == nil)
      #expect(throws: GridError(.refused, "")) {
        try SecretFile.readForClient(directory + "/another", namespace: "shop")
      }
      unlink(path)
      if let secret = secrets.first.flatMap(NamespaceSecret.init) {
        try SecretFile.restore(secret, at: path)
        try SecretFile.restore(.example, at: path)
      }
      #expect(try SecretFile.read(path)?.bytes == secrets.first)
    }
  }

  @Test("what others may read, and what is no secret, is refused with what to do")
  func refused() async throws {
    try await withDirectory { directory in
      let path = directory + "/secret"
      func error(_ bytes: Int, mode: mode_t = 0o600) -> GridError? {
        unlink(path)
        _ = FileManager.default.createFile(atPath: path, contents: Data(repeating: 7, count: bytes))
        chmod(path, mode)
        do throws(GridError) { _ = try SecretFile.read(path) } catch { return error }
        return nil
      }
      #expect(error(32) == nil)
      for mode in [0o640, 0o604, 0o620, 0o666] as [mode_t] {
        let refusal = try #require(error(32, mode: mode))
        #expect(refusal.code == .refused && refusal.message.contains(path))
        #expect(refusal.hint?.contains("chmod 600 \(path)") == true)
      }
      for count in [0, 1, 31, 33, 100_000] { #expect(error(count)?.code == .configuration, "\(count) bytes") }
      unlink(path)
      #expect(mkfifo(path, 0o600) == 0)
      #expect(throws: GridError(.configuration, "")) { try SecretFile.read(path) }
      unlink(path)
      #expect(mkdir(path, 0o700) == 0)
      #expect(throws: GridError(.configuration, "")) { try SecretFile.read(path) }
    }
  }
}
