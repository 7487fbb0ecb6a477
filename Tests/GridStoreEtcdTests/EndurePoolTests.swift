internal import Foundation
internal import GridCore
internal import Testing

@testable internal import GridStoreEtcd

@Suite("A cooperative pool that is blocked", .timeLimit(.minutes(5)))
struct EndurePoolTests {
  @Test("costs no lease: three lives long every thread of it is blocked")
  func blockedPool() async throws {
    try await EtcdServers.with { servers in
      try await retry { try await servers.control("endpoint", "health") }
      let port = servers.members[0].clientPort
      let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      let program = executable.split(separator: "/").dropLast().joined(separator: "/")
      let output = try await servers.run("/\(program)/LeaseHolder", ["etcd://127.0.0.1:\(port)", "6"])
      let words = output.split(separator: " ")
      try #require(words.count == 4, "\(output)")
      // Each second of the six has a renewal or two.
      #expect(try #require(Int(words[0])) >= 6, "renewals: \(output)")
      #expect(words[2] == "0", "losses: \(output)")
      #expect(words[3] == "true", "the entry is another: \(output)")
    }
  }
}
