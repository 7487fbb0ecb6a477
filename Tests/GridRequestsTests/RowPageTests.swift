internal import GridCore
internal import Testing

@testable internal import GridRequests

/// Pages of a list as they travel, and many lists as one.
@Suite struct RowPageTests {
  private func row(_ name: String, _ node: String = "n1") -> String {
    #"{"kind":"echo","name":"\#(name)","node":"\#(node)"}"#
  }

  private func page(_ rows: [String]) throws -> RowPage {
    var writer = RowPageWriter()
    for row in rows { writer.append(Array(row.utf8)[...]) }
    return try RowPage(parsing: writer.take())
  }

  private func names(_ page: RowPage) -> [String] {
    page.rows.map { String(decoding: page.name(of: $0), as: UTF8.self) }
  }

  @Test func `rows keep their bytes, and what stands beside them is read`() throws {
    let text =
      #" {"items":[{"name":"a","x":[1,{"name":"b"}]}, {"node":"n2","name":"ü"}],"total":7,"new":{"a":[1]},"#
      + #""missing":[{"node":"n9","code":"deadline","message":"late"}],"next":"k"} "#
    let page = try RowPage(parsing: Array(text.utf8))
    #expect(
      page.rows.map { String(decoding: page.bytes(of: $0), as: UTF8.self) }
        == [#"{"name":"a","x":[1,{"name":"b"}]}"#, #"{"node":"n2","name":"ü"}"#])
    #expect(names(page) == ["a", "ü"])
    #expect(page.rows.map(\.isPlain) == [true, false])
    #expect(page.total == 7 && page.next == "k" && page.missing.map(\.node) == ["n9"])
    #expect(page.lastKey == "ü\u{0}n2")
    #expect(try page.json(of: page.rows[0])["x"] == [1, ["name": "b"]])
  }

  @Test(arguments: [
    "", "[]", "{", #"{"items":{}}"#, #"{"items":[1]}"#, #"{"items":[{}]}"#, #"{"items":[{"name":1}]}"#,
    #"{"items":[{"name":"a"}]}x"#, #"{"items":[],"total":"many"}"#, #"{"items":[],"missing":3}"#,
    #"{"items":[{"name":"a",}]}"#,
  ])
  func `what is no page is told`(_ text: String) {
    #expect(throws: GridError.self) { try RowPage(parsing: Array(text.utf8)) }
  }

  @Test func `a page that is written is read`() throws {
    var writer = RowPageWriter()
    #expect(String(decoding: writer.take(), as: UTF8.self) == #"{"items":[]}"#)
    writer.append(Array(row("a").utf8)[...])
    writer.append { $0 += row("b").utf8 }
    #expect(writer.count == 2)
    let gone = MissingNode("n9", GridError(.nodeLost, "gone"))
    let page = try RowPage(parsing: writer.take(missing: [gone], total: 5))
    #expect(names(page) == ["a", "b"] && page.missing == [gone] && page.total == 5 && page.next == nil)
    #expect(writer.count == 0)
    // The same page is an answer as a list without a channel has it.
    let answer = try ListAnswer<ActorReport>(json: JSONValue(parsing: page.bytes))
    #expect(answer.elements.count == 2 && answer.missing == [gone] && answer.total == 5)
  }

  @Test func `a report is written as its JSON is`() throws {
    var report = ActorReport(
      name: "a\"ü\n", kind: "echo", node: "n1", status: .stopping, mailbox: 3, processed: 9, failures: 1, restarts: 2,
      uptimeSeconds: 1.25, epoch: -7, inHand: 1,
      latency: ActorReport.Latency(inHandSeconds: 0.5, handlerP99Seconds: 1e-9))
    for details: [String: JSONValue] in [[:], ["x": 1]] {
      report.details = details
      var bytes = Array("[".utf8)
      report.append(to: &bytes)
      #expect(Array(bytes.dropFirst()) == report.json.serialized())
    }
  }

  // MARK: Many lists

  /// Everything that can be taken.
  private func taken(_ merge: inout RowMerge, bytes: Int = .max) throws -> [String] {
    var writer = RowPageWriter()
    merge.take(into: &writer, bytes: bytes)
    return names(try RowPage(parsing: writer.take()))
  }

  @Test func `nothing is taken before every source has shown something`() throws {
    var merge = RowMerge(sources: 2)
    #expect(merge.wanting == [0, 1] && !merge.isOver)
    merge.add(try page([row("a"), row("c")]), from: 0)
    #expect(try taken(&merge) == [] && merge.wanting == [1])
    merge.add(try page([]), from: 1)
    #expect(merge.wanting == [1], "a page without rows is a sign of life")
    merge.add(try page([row("b"), row("d")]), from: 1)
    #expect(try taken(&merge) == ["a", "b", "c"], "the first one may have one before d")
    #expect(merge.wanting == [0])
    merge.end(0)
    #expect(try taken(&merge) == ["d"] && merge.wanting == [1] && !merge.isOver)
    merge.end(1)
    #expect(merge.isOver)
  }

  @Test func `one name on two nodes is two rows, in the order of the nodes`() throws {
    var merge = RowMerge(sources: 2)
    merge.add(try page([row("a", "n2"), row("ab", "n2")]), from: 0)
    merge.add(try page([row("a", "n1"), row("a-", "n1")]), from: 1)
    var writer = RowPageWriter()
    merge.take(into: &writer, bytes: .max)
    let nodes = try RowPage(parsing: writer.take())
    #expect(try nodes.rows.map { try nodes.json(of: $0).text("node") } == ["n1", "n2", "n1"])
    #expect(merge.wanting == [1])
  }

  @Test func `a limit ends it, and a page has its bytes`() throws {
    var merge = RowMerge(sources: 1, limit: 3)
    merge.add(try page(["a", "b", "c", "d"].map { row($0) }), from: 0)
    #expect(try taken(&merge, bytes: 11) == ["a"], "a page that is not full yet takes one more")
    #expect(try taken(&merge) == ["b", "c"])
    #expect(merge.isOver && RowMerge(sources: 0).isOver && RowMerge(sources: 3, limit: 0).isOver)
  }

  @Test func `unknown sources and late pages change nothing`() throws {
    var merge = RowMerge(sources: 1)
    merge.add(try page([row("a")]), from: 5)
    merge.end(5)
    merge.end(0)
    merge.add(try page([row("a")]), from: 0)
    #expect(try taken(&merge) == [] && merge.isOver)
  }

  @Test(arguments: 0..<50)
  func `whatever the pages, the whole is there in order`(_ seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let count = Int.random(in: 1...9, using: &random)
    var lists = (0..<count).map { source in
      (0..<Int.random(in: 0...60, using: &random)).map { _ in "\(Int.random(in: 0...300, using: &random))" }.sorted()
        .map { row($0, "n\(source)") }
    }
    let expected = try lists.joined().map { try JSONValue(parsing: $0) }
      .map { ActorReport.key($0.name, on: $0.text("node")) }.sorted()
    var merge = RowMerge(sources: count)
    var taken: [String] = []
    for _ in 0..<10_000 where !merge.isOver {
      if let source = merge.wanting.sorted().randomElement(using: &random) {
        let rows = Array(lists[source].prefix(Int.random(in: 1...10, using: &random)))
        lists[source].removeFirst(rows.count)
        if rows.isEmpty { merge.end(source) } else { merge.add(try page(rows), from: source) }
      }
      var writer = RowPageWriter()
      merge.take(into: &writer, bytes: Int.random(in: 0...300, using: &random))
      let page = try RowPage(parsing: writer.take())
      taken += try page.rows.map { try page.json(of: $0) }.map { ActorReport.key($0.name, on: $0.text("node")) }
    }
    #expect(taken == expected, "seed \(seed)")
  }
}

/// The first actors by their load.
@Suite struct ActorTopTests {
  private func top(_ rows: [JSONValue], actors: Int, mailbox: Int64, perSecond: Double? = nil) -> ActorTop {
    var top = ActorTop()
    (top.rows, top.actors, top.matching, top.mailbox, top.perSecond) = (rows, actors, actors, mailbox, perSecond)
    return top
  }

  @Test func `what the nodes have chosen is one choice`() {
    let first = top([["name": "b", "mailbox": 5], ["name": "d", "mailbox": 1]], actors: 9, mailbox: 6, perSecond: 1)
    var whole = top([["name": "a", "mailbox": 5], ["name": "c", "mailbox": 9]], actors: 2, mailbox: .max)
    whole.add(first)
    whole.sort(by: .mailbox, limit: 3)
    #expect(whole.rows.map(\.name) == ["c", "a", "b"])
    #expect(whole.actors == 11 && whole.mailbox == .max && whole.perSecond == 1)
    whole.sort(by: .name, limit: 9)
    #expect(whole.rows.map(\.name) == ["a", "b", "c"])
  }

  @Test(arguments: [
    ("", true), ("CHO", true), ("orders", true), ("n2", true), ("n1", false), ("ord*", true), ("*7", true),
    ("7*", false),
    ("orders-77", false),
  ])
  func `a filter is a part or a pattern of name, kind or node`(_ text: String, _ isIn: Bool) {
    #expect(ActorFilter(text).matches(name: "orders-7", kind: "Echo", node: "n2") == isIn, "\(text)")
    #expect(ActorFilter(text).matches(["name": "orders-7", "kind": "Echo", "node": "n2"]) == isIn)
  }

  @Test func `requests come out as they went in`() throws {
    let request = ActorTopRequest(
      ActorsRequest(kind: "exec"), by: .rate, limit: 7, window: .milliseconds(1500), filter: "x")
    let again = try RoutedRequest<ActorTopRequest>(json: RoutedRequest(request).json).request
    #expect(again.actors.kind == "exec" && again.order == .rate && again.limit == 7)
    #expect(again.window == .milliseconds(1500) && again.filter == "x")
    let odd = try ActorTopRequest(json: ["limit": 99_999_999, "windowMilliseconds": -5])
    #expect(odd.limit == ActorTopRequest.mostRows && odd.window == .zero && odd.order == .mailbox)
    #expect(throws: GridError.self) { try ActorTopRequest(json: ["by": "size"]) }
    let names = try ActorSummariesRequest(json: ["names": ["a"], "anonymous": true, "pattern": "o*"]).actors
    #expect(names.names == ["a"] && names.withAnonymous && names.pattern == "o*")
  }
}
