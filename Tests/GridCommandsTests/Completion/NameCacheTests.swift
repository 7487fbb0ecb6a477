internal import GridCore
internal import GridSystem
internal import Testing

@testable internal import GridCommands

@Suite struct NameCacheTests {
  @Test func `names are kept for a minute, one file for each cluster as it was asked`() async throws {
    try await withSandbox { sandbox in
      let environment = ["XDG_CACHE_HOME": sandbox.directory + "/cache"]
      func cacheOf(_ cluster: String, _ milliseconds: Int64 = 1_000_000) -> NameCache {
        NameCache(
          environment: environment, name: "prod", cluster: cluster, clock: DatedClock(milliseconds: milliseconds))
      }
      let cache = cacheOf("prod\n10.0.0.1:4743")
      cache.write(.actor, [CompletionName("a", detail: "x"), CompletionName("b")])
      cache.write(.node, [CompletionName("n1")])
      #expect(cache.read(.actor) == [CompletionName("a", detail: "x"), CompletionName("b")])
      #expect(cache.read(.node) == [CompletionName("n1")] && cache.read(.kind) == [])
      func later(_ milliseconds: Int64) -> [CompletionName] {
        cacheOf("prod\n10.0.0.1:4743", 1_000_000 + milliseconds).read(.node)
      }
      #expect(later(60_000).count == 1 && later(60_001) == [] && later(-1) == [])
      #expect(cacheOf("prod\n10.0.0.2:4743").read(.node) == [], "another cluster of the same name")
      let odd = NameCache(
        environment: environment, name: "../../x/ü", cluster: "c", clock: DatedClock(milliseconds: 0))
      #expect(odd.path == sandbox.directory + "/cache/gridctl/names-.._.._x__-af63de4c8601eff2.json")
      // Two clusters of one digest: what the file says is compared.
      let path = try #require(cache.path)
      let text = String(decoding: try UserFile.read(path, as: .record(limit: 1 << 20)), as: UTF8.self)
      try PrivateFile.replace(path, with: Array(text.replacing("10.0.0.1", with: "10.0.0.9").utf8))
      #expect(cache.read(.node) == [])
    }
  }

  @Test func `a look at names with one beginning keeps the others as long as they would have stayed`() async throws {
    try await withSandbox { sandbox in
      func cacheAt(_ milliseconds: Int64) -> NameCache {
        NameCache(
          environment: ["XDG_CACHE_HOME": sandbox.directory + "/cache"], name: "prod", cluster: "c",
          clock: DatedClock(milliseconds: milliseconds))
      }
      cacheAt(0).write(.actor, ["a1", "a2", "b1"].map { CompletionName($0) })
      cacheAt(50_000).write(.actor, [CompletionName("a3")], prefix: "a")
      #expect(cacheAt(60_000).read(.actor).map(\.name) == ["a3", "b1"])
      #expect(cacheAt(60_001).read(.actor) == [])
      cacheAt(70_000).write(.actor, [CompletionName("a4")], prefix: "a")
      #expect(cacheAt(130_000).read(.actor).map(\.name) == ["a4"])
    }
  }

  @Test func `without a place, or with nonsense in it, there are no names`() async throws {
    let none = NameCache(environment: [:], name: "x", cluster: "x", clock: DatedClock(milliseconds: 0))
    none.write(.actor, [CompletionName("a")])
    #expect(none.read(.actor) == [])
    try await withSandbox { sandbox in
      let cache = NameCache(
        environment: ["XDG_CACHE_HOME": sandbox.directory], name: "x", cluster: "x", clock: DatedClock(milliseconds: 0))
      let path = try #require(cache.path)
      _ = try await sandbox.run("mkdir gridctl && echo '{\"actor\": 7' >'\(path)'")
      #expect(cache.read(.actor) == [])
      cache.write(.actor, [CompletionName("a")])
      #expect(cache.read(.actor) == [CompletionName("a")])
    }
  }

  @Test func `each of context, namespace and endpoint makes another cluster`() throws {
    let environment = ["XDG_CACHE_HOME": "/c", "XDG_RUNTIME_DIR": "/r"]
    func path(_ flags: SettingFlags, context: String? = nil, runtime: String = "/r") throws -> String? {
      let settings = try Settings.resolve(
        flags: flags, environment: ["XDG_RUNTIME_DIR": runtime], context: context.map { ContextDefinition(name: $0) })
      return NameCache(environment: environment, settings: settings, clock: DatedClock(milliseconds: 0)).path
    }
    let paths = [
      try path(SettingFlags()), try path(SettingFlags(), runtime: "/other"), try path(SettingFlags(), context: "prod"),
      try path(SettingFlags(namespace: "shop")), try path(SettingFlags(endpoints: ["a:1"])),
      try path(SettingFlags(endpoints: ["b:1"])), try path(SettingFlags(endpoints: ["a:1"], namespace: "shop")),
      try path(SettingFlags(endpoints: ["a:1"]), context: "prod"),
    ]
    #expect(Set(paths).count == paths.count)
    #expect(try path(SettingFlags(endpoints: ["a:1"])) == paths[4])
  }

  @Test func `names of one endpoint are not offered at another`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits")
      let complete = { (endpoint: String) in
        try await sandbox.eventually("gridctl __complete zsh gridctl -e \(endpoint) ask hi") { _ in true }.output
      }
      let known = try await sandbox.eventually("gridctl __complete zsh gridctl -e $(at n1) ask hi") {
        $0.output.hasPrefix("hits\t")
      }
      #expect(known.output.hasPrefix("hits\t"))
      #expect(try await complete("127.0.0.1:1") == "")
      #expect(try await complete("unix:/nowhere") == "")
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
