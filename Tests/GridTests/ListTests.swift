internal import GridRequests
internal import GridTestKit
internal import Testing

@testable internal import Grid

@Suite("Lists come page by page", .timeLimit(.minutes(5)))
struct ListTests {
  /// All pages of a list, and how many there were.
  private func pages(
    _ verb: String, _ arguments: JSONValue, of node: GridNode
  ) async throws -> (items: [JSONValue], count: Int) {
    let wires = try await node.running()
    var (items, count, arguments) = ([JSONValue](), 0, arguments)
    while true {
      let page = try await wires.control.answer(
        verb, arguments, until: wires.timers.now() + .seconds(30),
        for: Caller(name: "test", role: .operator, source: .socket))
      items += page["items"]?.arrayValue ?? []
      count += 1
      guard let next = page["next"], count < 1000 else { return (items, count) }
      arguments = arguments.with("after", next)
    }
  }

  private func names(_ items: [JSONValue]) -> [String] { items.compactMap { $0["name"]?.stringValue } }

  @Test("actors of all nodes, each once and in order, with filters and limits at the node")
  func actors() async throws {
    try await withCluster("a", "b") { cluster in
      var expected: [String] = []
      for number in 100..<160 {
        let name = "\(number.isMultiple(of: 3) ? "other" : "sink")-\(number)"
        try await cluster[number.isMultiple(of: 2) ? "a" : "b"].spawn("sink", name)
        expected.append(name)
      }
      expected.sort()
      let whole = try await pages("actors", [:], of: cluster["a"])
      #expect(names(whole.items) == expected && whole.count == 1)
      let small = try await pages("actors", ["pageBytes": 2000], of: cluster["a"])
      #expect(names(small.items) == expected && small.count > 5)
      let some = try await pages("actors", ["pageBytes": 2000, "pattern": "other-*"], of: cluster["b"])
      #expect(names(some.items) == expected.filter { $0.hasPrefix("other") })
      let wires = try await cluster["a"].running()
      let first = try await wires.control.answer(
        "actors", ["limit": 7], until: wires.timers.now() + .seconds(30),
        for: Caller(name: "test", role: .operator, source: .socket))
      #expect(names(first["items"]?.arrayValue ?? []) == Array(expected.prefix(7)))
      #expect(first["total"]?.integerValue == 60 && first["next"] != nil)
      let onOne = try await pages("actors", ["node": "b", "pageBytes": 1000], of: cluster["a"])
      #expect(onOne.items.count == 30)
    }
  }

  @Test("actors are counted and chosen where they run")
  func summariesAndTop() async throws {
    try await withCluster("a", "b") { cluster in
      for number in 100..<130 {
        let name = "\(number.isMultiple(of: 3) ? "other" : "sink")-\(number)"
        try await cluster[number.isMultiple(of: 2) ? "a" : "b"].spawn("sink", name)
      }
      let wires = try await cluster["a"].running()
      func answer(_ verb: String, _ arguments: JSONValue) async throws -> JSONValue {
        try await wires.control.answer(
          verb, arguments, until: wires.timers.now() + .seconds(30),
          for: Caller(name: "test", role: .operator, source: .socket))
      }
      let all = try await answer("actors.summary", [:])["items"]?.arrayValue ?? []
      #expect(all.map { $0["node"] } == ["a", "b"] && all.map { $0["actors"] } == [15, 15])
      let some = try await answer("actors.summary", ["pattern": "other-*", "node": "b"])["items"]?.arrayValue ?? []
      #expect(some.map { $0["actors"] } == [5])
      let first = try await answer("actors.top", ["by": "name", "limit": 3])
      #expect(names(first["items"]?.arrayValue ?? []) == ["other-102", "other-105", "other-108"])
      #expect(first["actors"] == 30 && first["matching"] == 30 && first["perSecond"] == nil)
      let filtered = try await answer("actors.top", ["filter": "OTHER", "limit": 1])
      #expect(
        filtered["actors"] == 30 && filtered["matching"] == 10 && names(filtered["items"]?.arrayValue ?? []).count == 1)
      // What is handled while it is watched makes the rate.
      let busy = try await withThrowingTaskGroup(of: [JSONValue].self) { group in
        group.addTask {
          try await answer("actors.top", ["by": "rate", "limit": 2, "windowMilliseconds": 300])["items"]?.arrayValue
            ?? []
        }
        group.addTask {
          while true { _ = try await cluster["b"].ask("sink-101", Message()) }
        }
        defer { group.cancelAll() }
        return try await group.next() ?? []
      }
      #expect(names(busy).first == "sink-101" && busy.first?["perSecond"]?.doubleValue ?? 0 > 0, "\(busy)")
    }
  }

  @Test("events since a time of every node, in their order")
  func events() async throws {
    try await withCluster("a", "b") { cluster in
      for number in 0..<40 { try await cluster[number.isMultiple(of: 2) ? "a" : "b"].spawn("sink", "sink-\(number)") }
      let arguments: JSONValue = ["kinds": ["actor"], "sinceMilliseconds": 0]
      let whole = try await pages("events.list", arguments, of: cluster["a"])
      #expect(whole.items.count == 40)
      let small = try await pages("events.list", arguments.with("pageBytes", 700), of: cluster["a"])
      #expect(small.items == whole.items && small.count > 5)
      let times = whole.items.compactMap { $0["atMilliseconds"]?.integerValue }
      #expect(times == times.sorted())
      let last = try #require(whole.items.last { $0["node"] == "a" }?["seq"]?.integerValue)
      let after = try await pages(
        "events.list", ["sinceSequence": .integer(last - 1), "kinds": ["actor"]], of: cluster["a"])
      #expect(after.items.compactMap { $0["seq"]?.integerValue } == [last])
    }
  }

  @Test("dead letters of all nodes, the newest first; one that is sent again goes out once")
  func letters() async throws {
    try await withCluster("a", "b") { cluster in
      for number in 0..<40 {
        _ = try? await cluster[number.isMultiple(of: 2) ? "a" : "b"].tell("nobody", Message("\(number)"))
      }
      func texts(_ items: [JSONValue]) -> [String] { items.compactMap { $0["body"]?.stringValue } }
      try await wait(for: "all letters") {
        try await pages("deadLetters.list", [:], of: cluster["a"]).items.count == 40
      }
      let small = try await pages("deadLetters.list", ["pageBytes": 2000], of: cluster["b"])
      #expect(small.count > 5)
      #expect(Set(texts(small.items)) == Set((0..<40).map { "\($0)" }))
      let identifiers = small.items.compactMap { $0["id"]?.stringValue }
      #expect(identifiers == identifiers.sorted(by: >))
      try await cluster["a"].spawn("sink", "sink")
      let wires = try await cluster["b"].running()
      let first = try #require(identifiers.first)
      // Of sixteen who send it at once, one does.
      let sent = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<16 {
          group.addTask {
            let answer = try? await wires.control.answer(
              "deadLetters.replay", ["id": .string(first), "to": "sink", "once": true],
              until: wires.timers.now() + .seconds(30), for: Caller(name: "test", role: .operator, source: .socket))
            return answer != nil
          }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(sent == 1)
      #expect(try await cluster["a"].ask("sink", Message()).text == "1")
    }
  }
}
