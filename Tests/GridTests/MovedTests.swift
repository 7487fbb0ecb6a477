internal import GridCluster
internal import GridCore
internal import Testing

@testable internal import Grid

@Suite("An actor that is not where it was", .timeLimit(.minutes(5)))
struct MovedTests {
  @Test("the node that is asked in its place says so, and the next message finds it")
  func corrected() async throws {
    try await withCluster("a", "b", "c") { cluster in
      let asker = try cluster["b"]
      try await cluster["c"].spawn("echo", "mirror")
      #expect(try await asker.ask("mirror", Message("1")).text == "1")
      let locator = try await asker.running().traffic.membership.locator
      let known = try #require(locator.cached("mirror"))
      // A claim that nobody has made: no news of the store take its place.
      let wrong = Location(node: "a", incarnation: 1, epoch: known.epoch + 1_000_000, kind: "echo")
      locator.moved("mirror", from: "c", to: wrong)
      #expect(locator.cached("mirror") == wrong)
      #expect(try await code { _ = try await asker.ask("mirror", Message("2")) } == .noSuchActor)
      #expect(try await asker.ask("mirror", Message("3")).text == "3")
      #expect(locator.cached("mirror")?.node == "c")
    }
  }
}
