internal import Testing

@testable internal import GridCore

@Suite struct ListPageTests {
  private func item(_ key: String, bytes: Int = 10) -> ListPage.Item {
    ListPage.Item(key: key, value: .string(String(repeating: "x", count: max(0, bytes - 2))))
  }

  private func keys(_ page: ListPage) -> String { page.items.map(\.key).joined() }

  private func page(_ keys: String, next: String? = nil) -> ListPage {
    ListPage(items: keys.map { item(String($0)) }, next: next)
  }

  @Test(
    arguments: [
      (100, Int.max, "abcd", nil), (40, .max, "abcd", nil), (39, .max, "abc", "c"), (25, .max, "ab", "b"),
      (1, .max, "a", "a"), (0, .max, "a", "a"), (100, 2, "ab", "b"), (100, 4, "abcd", nil), (100, 0, "", nil),
    ] as [(Int, Int, String, String?)])
  func `a page has what fits, the first item always`(_ bytes: Int, _ limit: Int, _ shown: String, _ next: String?) {
    let page = ListPage("abcd".map { item(String($0)) }, within: bytes, limit: limit)
    #expect(keys(page) == shown)
    #expect(page.next == next)
  }

  @Test(
    arguments: [
      // Two that are whole; one that goes on; both go on: nothing behind what the shorter one has told.
      ([("ad", nil), ("bc", nil)], "abcd", nil), ([("ad", nil), ("bc", "c")], "abc", "c"),
      ([("ad", "d"), ("bc", "c")], "abc", "c"), ([("a", "a"), ("", nil)], "a", "a"), ([], "", nil),
      // The same item from two sides is shown once.
      ([("abc", nil), ("bcd", nil)], "abcd", nil), ([("ab", "b"), ("ab", "b")], "ab", "b"),
    ] as [([(String, String?)], String, String?)])
  func `pages of several nodes become one in order`(
    _ parts: [(String, String?)], _ shown: String, _ next: String?
  ) {
    let merged = ListPage.merged(parts.map { page($0.0, next: $0.1) }, .ascending, within: 1000)
    #expect(keys(merged) == shown)
    #expect(merged.next == next)
  }

  @Test(arguments: 1...100 as ClosedRange<UInt64>)
  func `page after page has every item once and in order, however they are spread`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let order: ListPage.Order = Bool.random(using: &generator) ? .ascending : .descending
    let all = (0..<Int.random(in: 0...60, using: &generator)).map { String(1000 + $0) }
    var nodes: [[String]] = Array(repeating: [], count: Int.random(in: 1...4, using: &generator))
    for key in all {
      for _ in 0...Int.random(in: 0...1, using: &generator) {
        nodes[Int.random(in: nodes.indices, using: &generator)].append(key)
      }
    }
    var (seen, after, rounds) = ([String](), String?.none, 0)
    repeat {
      let pages = nodes.map { held in
        let wanted = Set(held).filter { key in after.map { order.areInOrder($0, key) } ?? true }
          .sorted(by: order.areInOrder)
        return ListPage(wanted.map { item($0) }, within: Int.random(in: 1...80, using: &generator))
      }
      let page = ListPage.merged(pages, order, within: Int.random(in: 1...200, using: &generator))
      seen += page.items.map(\.key)
      after = page.next
      rounds += 1
    } while after != nil && rounds < 1000
    #expect(seen == all.sorted(by: order.areInOrder), "seed \(seed)")
  }
}

@Suite struct JSONSizeTests {
  @Test(
    arguments: [
      .null, true, 1, -9_223_372_036_854_775_807, 0.1, "", "plain", "é \u{1} \" \\ \n\r\t \u{7F} 😀", [], [1, "a", nil],
      ["a": 1, "key": ["b": "c"]], ["body": "x"],
    ] as [JSONValue])
  func `the size is never too small, and exact for text`(_ value: JSONValue) {
    #expect(value.serializedBytes >= value.serialized().count)
    if case .string = value { #expect(value.serializedBytes == value.serialized().count) }
  }

  @Test func `what fits is left alone`() {
    let value: JSONValue = ["body": "text", "id": "1"]
    #expect(value.serialized(within: 100) == value.serialized())
  }

  @Test(arguments: [("utf8", String(repeating: "b", count: 3000), 3000), ("base64", "AAECAwQ=", 5)])
  func `what does not fit loses its body, and its size is told`(_ encoding: String, _ body: String, _ size: Int) throws
  {
    let value: JSONValue = ["body": .string(body), "bodyEncoding": .string(encoding), "id": "1"]
    #expect(
      value.withoutBody
        == [
          "body": "", "bodyEncoding": .string(encoding), "bodyBytes": .integer(Int64(size)), "bodyLeftOut": true,
          "id": "1",
        ])
    let cut = try #require(value.with("pad", .string(body)).without("pad").serialized(within: 120))
    #expect(cut.count <= 120)
  }

  @Test func `texts are shortened where that is not enough, and what fits in no way is nil`() throws {
    let long = String(repeating: "ä", count: 5000)
    let value: JSONValue = ["body": .string(long), "detail": .string(long), "id": "1"]
    let cut = try JSONValue(parsing: try #require(value.serialized(within: 2000)))
    #expect(cut["id"] == "1" && cut["isCut"] == true && cut["bodyBytes"] == 10_000)
    #expect(cut["detail"]?.stringValue?.hasSuffix("ä…") == true)
    #expect(value.serialized(within: 50) == nil)
  }

  @Test(
    arguments: [
      ("short", 10, "short"), ("0123456789", 8, "01234…"), ("ääää", 7, "ää…"), ("ääää", 6, "ä…"), ("abcd", 0, "…"),
    ])
  func `texts are cut between characters`(_ text: String, _ bytes: Int, _ cut: String) {
    #expect(text.shortened(toBytes: bytes) == cut)
  }
}

@Suite struct DeadLetterJSONTests {
  private func letter(_ body: [UInt8], bodyBytes: Int? = nil) -> DeadLetter {
    DeadLetter(
      identifier: "1", at: CalendarTime(millisecondsSince1970: 0), reason: .stopped, target: "t", sender: "", node: "n",
      message: Message(body: body), bodyBytes: bodyBytes)
  }

  @Test(arguments: [Array("text".utf8), [], [0], [0xFF, 0xFE], Array("caf\u{E9} 😀".utf8), [UInt8](0...255)])
  func `a letter comes back byte for byte`(_ body: [UInt8]) throws {
    let json = letter(body).json
    #expect(json["bodyBytes"]?.integerValue == Int64(body.count))
    #expect(json["bodyIsCut"] == nil && json["bodyLeftOut"] == nil)
    #expect(try DeadLetter(json: JSONValue(parsing: json.serialized())) == letter(body))
  }

  @Test func `a cut body says so, and is text where the whole is`() throws {
    let body = Array("12ä4".utf8)
    let cut = letter(Array(body.prefix(3)), bodyBytes: 5).json
    #expect(cut["body"] == "12" && cut["bodyEncoding"] == "utf8" && cut["bodyIsCut"] == true && cut["bodyBytes"] == 5)
    let none = letter([], bodyBytes: 5).json
    #expect(none["body"] == "" && none["bodyLeftOut"] == true && none["bodyIsCut"] == nil)
    #expect(try DeadLetter(json: none).isBodyCut)
  }
}
