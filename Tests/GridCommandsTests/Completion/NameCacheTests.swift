internal import Grid
internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct NameCacheTests {
  @Test func `names are kept for a minute, one file for each cluster`() async throws {
    try await withSandbox { sandbox in
      let environment = ["XDG_CACHE_HOME": sandbox.directory + "/cache"]
      let cache = NameCache(environment: environment, key: "prod", clock: DatedClock(milliseconds: 1_000_000))
      cache.write(.actor, [CompletionName("a", detail: "x"), CompletionName("b")])
      cache.write(.node, [CompletionName("n1")])
      #expect(cache.read(.actor) == [CompletionName("a", detail: "x"), CompletionName("b")])
      #expect(cache.read(.node) == [CompletionName("n1")] && cache.read(.kind) == [])
      func later(_ milliseconds: Int64) -> [CompletionName] {
        NameCache(environment: environment, key: "prod", clock: DatedClock(milliseconds: 1_000_000 + milliseconds))
          .read(.node)
      }
      #expect(later(60_000).count == 1 && later(60_001) == [] && later(-1) == [])
      #expect(
        NameCache(environment: environment, key: "test", clock: DatedClock(milliseconds: 1_000_000)).read(.node) == [])
      let odd = NameCache(environment: environment, key: "../../x/ü", clock: DatedClock(milliseconds: 0))
      #expect(odd.path == sandbox.directory + "/cache/gridctl/names-.._.._x__.json")
    }
  }

  @Test func `without a place, or with nonsense in it, there are no names`() async throws {
    let none = NameCache(environment: [:], key: "x", clock: DatedClock(milliseconds: 0))
    none.write(.actor, [CompletionName("a")])
    #expect(none.read(.actor) == [])
    try await withSandbox { sandbox in
      let cache = NameCache(
        environment: ["XDG_CACHE_HOME": sandbox.directory], key: "x", clock: DatedClock(milliseconds: 0))
      let path = try #require(cache.path)
      _ = try await sandbox.run("mkdir gridctl && echo '{\"actor\": 7' >'\(path)'")
      #expect(cache.read(.actor) == [])
      cache.write(.actor, [CompletionName("a")])
      #expect(cache.read(.actor) == [CompletionName("a")])
    }
  }

  @Test func `a dead endpoint gives no names and no words on standard error`() async throws {
    try await withSandbox { sandbox in
      let result = try await sandbox.run("gridctl __complete bash 'gridctl -e 10.255.255.1:4743 ask ' ' '")
      #expect(result.output == "" && result.errors == "" && result.status == 0)
      for arguments in ["", "bash", "tcsh x", "bash 'gridctl ask -C nothing ' ' '", "zsh", "fish x", "bash $'\\xff' x"]
      {
        let result = try await sandbox.run("gridctl __complete \(arguments)")
        #expect(result.errors == "" && result.status == 0, "\(arguments)")
      }
    }
  }
}

private struct DatedClock: GridClock {
  let milliseconds: Int64

  func now() -> MonotonicTime { MonotonicTime(nanoseconds: 0) }
  func date() -> CalendarTime { CalendarTime(millisecondsSince1970: milliseconds) }
}
