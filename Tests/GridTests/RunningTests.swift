internal import Grid
internal import Testing

@Suite("A node runs once", .timeLimit(.minutes(5)))
struct RunningTests {
  @Test("who runs it a second time is refused, and the first goes on")
  func twice() async throws {
    try await withCluster("a") { cluster in
      let node = try cluster["a"]
      try await node.spawn("echo", "mirror")
      #expect(try await code { try await node.run() } == .refused)
      #expect(try await node.ask("mirror", Message("still here")).text == "still here")
    }
  }
}
