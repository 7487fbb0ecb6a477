internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct ObjectAndStreamTests {
  private static let node: JSONValue = [
    "name": "n1", "address": "127.0.0.1:4743", "labels": ["zone": "a"], "kinds": ["echo", "exec"], "actors": 2,
    "joined": nil,
  ]

  @Test func `one thing is a line a member with the name first`() throws {
    #expect(
      try Capture.output(.table) { try $0.object(Self.node, kind: "NodeInfo", noun: "node") } == """
        name:      n1
        actors:    2
        address:   127.0.0.1:4743
        joined:    -
        kinds:     echo,exec
        labels:    zone=a

        """)
    #expect(
      try Capture.output(.tsv) { try $0.object(["name": "n1", "text": "a\tb"], kind: "NodeInfo", noun: "node") }
        == "name\tn1\ntext\ta\\tb\n")
    #expect(try Capture.output(.name) { try $0.object(Self.node, kind: "NodeInfo", noun: "node") } == "node/n1\n")
  }

  @Test func `one thing is a document of its kind`() throws {
    let text = try Capture.output(.json) { try $0.object(Self.node, kind: "NodeInfo", noun: "node") }
    let expected = Self.node.with("apiVersion", "gridctl/v1").with("kind", "NodeInfo")
    #expect(try JSONValue(parsing: text) == expected)
    #expect(
      try Capture.output(.yaml) { try $0.object(["name": "n1"], kind: "NodeInfo", noun: "node") }
        == "apiVersion: gridctl/v1\nkind: NodeInfo\nname: n1\n")
    #expect(
      try Capture.output(.jsonl) { try $0.object(["name": "n1"], kind: "NodeInfo", noun: "node") }
        == "{\"name\":\"n1\"}\n")
  }

  @Test func `a member named kind is kept`() throws {
    let text = try Capture.output(.json) {
      try $0.object(["name": "hits", "kind": "counter"], kind: "Actor", noun: "actor")
    }
    #expect(try JSONValue(parsing: text)["kind"] == "counter")
  }

  private static let events = ListDescription(
    kind: "EventList", noun: "event", nameField: "seq",
    columns: [Column("SEQ", alignment: .trailing, streamWidth: 5, field: "seq"), Column("KIND", field: "kind")])

  private static func stream(_ format: OutputFormat, hidesHeaders: Bool = false) throws -> (String, String) {
    let capture = Capture()
    let renderer = Renderer(format: format, hidesHeaders: hidesHeaders, writer: capture.writer)
    try renderer.streamHeader(events)
    for number in [1, 1_000_000] as [Int64] {
      try renderer.record(["seq": .integer(number), "kind": "actor"], events)
    }
    return (capture.output.text, capture.error.text)
  }

  @Test func `a stream has its header once and columns of fixed width`() throws {
    let expected = """
        SEQ   KIND
          1   actor
      1000000   actor

      """
    #expect(try Self.stream(.table) == (expected, ""))
    #expect(try Self.stream(.tsv) == ("SEQ\tKIND\n1\tactor\n1000000\tactor\n", ""))
    #expect(try Self.stream(.tsv, hidesHeaders: true) == ("1\tactor\n1000000\tactor\n", ""))
    #expect(try Self.stream(.name) == ("event/1\nevent/1000000\n", ""))
    #expect(try Self.stream(.yaml).0 == "---\nkind: actor\nseq: 1\n---\nkind: actor\nseq: 1000000\n")
  }

  @Test func `json on a stream is jsonl with one warning`() throws {
    let lines = "{\"kind\":\"actor\",\"seq\":1}\n{\"kind\":\"actor\",\"seq\":1000000}\n"
    #expect(try Self.stream(.jsonl) == (lines, ""))
    #expect(try Self.stream(.json) == (lines, "warning: a stream has no end, so json is written as jsonl\n"))
  }

  @Test func `a record is written before the next one is made`() throws {
    let capture = Capture()
    let renderer = Renderer(format: .jsonl, writer: capture.writer)
    try renderer.record(["seq": 1], Self.events)
    #expect(capture.output.text == "{\"seq\":1}\n")
  }
}

@Suite struct RecentKeysTests {
  @Test func `a key is new once, for as long as it is remembered`() {
    var keys = RecentKeys(capacity: 2)
    let answers = ["a", "b", "a", "c", "b", "a"].map { keys.insert($0) }
    #expect(answers == [true, true, false, true, false, true])
  }
}
