import Foundation
import Grid
import GridClient
import Testing

/// A client of the library, on real nodes of this process.
@Suite(.timeLimit(.minutes(5)))
struct SuccessionTests {
  /// Runs `body` with the addresses of two nodes and what ends the first; the second leaves afterwards.
  private func withNodes(
    _ body:
      @escaping @Sendable (_ addresses: [String], _ secret: String, _ endFirst: @Sendable () async throws -> Void)
      async throws -> Void
  ) async throws {
    let directory = "/tmp/gridctl-\(UInt32.random(in: 0...UInt32.max))"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let nodes = ["a", "b"].map { name in
      GridNode(
        NodeConfiguration(
          namespace: "client", name: name, listen: "127.0.0.1:0", stateDirectory: directory + "/state",
          runtimeDirectory: directory + "/run"))
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for node in nodes { group.addTask { try await node.run() } }
      defer { for node in nodes { node.beginGracefulShutdown() } }
      let addresses = [try await nodes[0].address, try await nodes[1].address]
      try await nodes[1].spawn("echo", "mirror")
      try await body(addresses, directory + "/state/secret") { [first = nodes[0]] in
        first.beginGracefulShutdown()
        while !first.hasEnded { try await Task.sleep(for: .milliseconds(5)) }
      }
    }
  }

  @Test func `a client goes on at another node when its own has gone`() async throws {
    try await withNodes { addresses, secret, endFirst in
      let client = try await ClusterClient.connect(to: addresses, namespace: "client", secretFile: secret)
      defer { client.close() }
      #expect(client.node == "a")
      let before: Message = try await client.ask("mirror", Message("1"))
      #expect(before.text == "1")
      try await endFirst()
      let after: Message = try await client.ask("mirror", Message("2"))
      #expect(after.text == "2")
      #expect(client.node == "b")
    }
  }

  @Test func `who names no node, or one that is not there, is told so`() async throws {
    let none = await #expect(throws: GridError.self) { try await ClusterClient.connect(to: []) }
    #expect(none?.code == .usage)
    let away = await #expect(throws: GridError.self) {
      try await ClusterClient.connect(to: ["unix:/nowhere/gridctl.sock"], timeout: .seconds(1))
    }
    #expect(away?.code == .unavailable)
  }
}
