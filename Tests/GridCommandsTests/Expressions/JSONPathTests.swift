internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct JSONPathTests {
  private static let document: JSONValue = [
    "kind": "ActorList",
    "items": [
      ["name": "a", "node": "n1", "mailbox": 3, "labels": ["zone.x": "left"], "tags": ["x", "y"]],
      ["name": "b", "node": "n2", "mailbox": 250, "labels": [:], "tags": []],
      ["name": "c", "node": "n1", "mailbox": 0, "rate": 1.5, "labels": ["zone.x": "right"]],
    ],
  ]

  @Test(arguments: [
    (".kind", ["ActorList"]), ("kind", ["ActorList"]), ("$.kind", ["ActorList"]),
    (".items[0].name", ["a"]), (".items[-1].name", ["c"]), ("items[1].mailbox", ["250"]),
    (".items[*].name", ["a", "b", "c"]), (".items.*.name", ["a", "b", "c"]),
    (".items[0:2].name", ["a", "b"]), (".items[1:].name", ["b", "c"]), (".items[:1].name", ["a"]),
    (".items[-2:].name", ["b", "c"]), (".items[::2].name", ["a", "c"]), (".items[0,2].name", ["a", "c"]),
    (".items[5].name", []), (".items[2:1].name", []), (".nothing.at.all", []), (".kind.name", []),
    (".items[0].labels['zone.x']", ["left"]), (#".items[0].labels["zone.x"]"#, ["left"]),
    (#".items[0].labels.zone\.x"#, ["left"]), (".items[0]['name','node']", ["a", "n1"]),
    ("..name", ["a", "b", "c"]), ("..tags[0]", ["x"]), (".items[0].tags", [#"["x","y"]"#]),
    (".items[?(@.mailbox>2)].name", ["a", "b"]), (".items[?(@.node==\"n1\")].name", ["a", "c"]),
    (".items[?(@.node=='n1' && @.mailbox==0)].name", ["c"]), (".items[?(@.rate)].name", ["c"]),
    (".items[?(!@.rate)].name", ["a", "b"]), (".items[?(@.name=~'[bc]*' || @.name=~'b*')].name", ["b"]),
    (".items[?(@.mailbox==$.items[2].mailbox)].name", ["c"]),
  ])
  func `a path leads to its values`(_ path: String, _ expected: [String]) throws {
    let values = try JSONPath(parsing: path).values(in: Self.document, root: Self.document)
    #expect(values.map(JSONPath.text) == expected)
  }

  @Test(arguments: [
    "[", ".items[", ".items[0", ".items['a]", ".items[?(@.a]", ".items[?(@.a==)]", ".items[0:1:0]", ".a}", "...",
    ".a b",
    ".items[99999999999999999999]", "\\", String(repeating: ".a[?(", count: 100),
    ".a[?(" + String(repeating: "(", count: 5000), ".a[?(" + String(repeating: "!", count: 5000),
  ])
  func `what is no path is a usage error with its place`(_ path: String) throws {
    let error = try #require(throws: GridError.self) { try JSONPath(parsing: path) }
    #expect(error.code == .usage)
    #expect(error.message.contains("at character"))
  }

  @Test(arguments: [
    ("{.items[*].name}", "a b c"), ("names: {.items[*].name}.", "names: a b c."),
    (#"{range .items[*]}{.name}{"\t"}{.node}{"\n"}{end}"#, "a\tn1\nb\tn2\nc\tn1\n"),
    ("{range .items[*]}{range .tags[*]}{@};{end}{end}", "x;y;"), (".items[0].name", "a"), ("$.kind", "ActorList"),
    ("{$.kind}", "ActorList"), ("plain", "plain"), ("{range .items[0:1]}{$.kind}{end}", "ActorList"),
    ("{'{'}{.kind}{'}'}", "{ActorList}"), ("{.items[0].labels}", #"{"zone.x":"left"}"#), ("{.none}", ""),
  ])
  func `a template is filled`(_ template: String, _ expected: String) throws {
    #expect(try OutputTemplate(parsing: template).rendered(Self.document) == expected)
  }

  @Test(arguments: ["", "{", "{.a", "{range .a}", "{end}", "{range .a}{.b}", "{\"a}", "{.a]}"])
  func `what is no template is refused`(_ template: String) {
    #expect(throws: GridError.self) { try OutputTemplate(parsing: template) }
  }

  @Test func `columns take paths from the row on`() throws {
    let specification = try ColumnSpecification(parsing: "NAME:.name,TAGS:.tags,node,ZONE:.labels['zone.x']")
    let columns: [Column<JSONValue>] = specification.columns { $0 }
    #expect(columns.map(\.header) == ["NAME", "TAGS", "NODE", "ZONE"])
    let rows = Self.document["items"]?.arrayValue ?? []
    #expect(rows.map { row in columns.map { $0.cell(row) } }[0] == ["a", "x,y", "n1", "left"])
    #expect(rows.map { row in columns.map { $0.cell(row) } }[2] == ["c", "-", "n1", "right"])
    for text in ["", "NAME:", ":.name", "a,,b", "A:.x["] {
      #expect(throws: GridError.self, "\(text)") { try ColumnSpecification(parsing: text) }
    }
  }

  @Test func `any text is parsed or refused`() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("{}[]().,*?@$'\"\\!<>=&|~:-019 abrangeend\n")
    for _ in 0..<3000 {
      let text = String(
        (0..<Int.random(in: 0...24, using: &generator)).map { _ in
          alphabet.randomElement(using: &generator) ?? " "
        })
      _ = try? OutputTemplate(parsing: text).rendered(Self.document)
      _ = try? FilterExpression(parsing: text).holds(for: Self.document, root: Self.document)
    }
  }
}

@Suite struct FilterExpressionTests {
  private static let event: JSONValue = [
    "seq": 7, "kind": "actor", "name": "orders-7", "detail": "stopped: budget spent", "old": .null, "ok": true,
    "rate": 2.5,
    "labels": ["zone": "a"], "tags": ["x", "y"],
  ]

  @Test(arguments: [
    ("kind==\"actor\"", true), ("kind == 'peer'", false), ("kind=\"actor\"", true), ("kind!=\"actor\"", false),
    ("name=~\"orders-*\"", true), ("name=~'*-?'", true), ("name =~ 'x*'", false), ("seq>=7", true), ("seq<7", false),
    ("rate>2", true), ("rate==2.5", true), ("seq==7.0", true), ("name>'a'", true), ("name>1", false), ("ok", true),
    ("!ok", false), ("old", false), ("old==null", true), ("missing==null", true), ("missing", false),
    ("!missing", true),
    ("missing!='a'", true), ("labels.zone=='a'", true), (".labels.zone=='a'", true), ("@.labels.zone!='a'", false),
    ("tags[*]=='y'", true), ("ok==true", true), ("ok==false", false), ("seq==-7", false),
    ("kind=='actor' && seq>100 || name=='orders-7'", true), ("kind=='actor' && (seq>100 || name=='x')", false),
    ("!(kind=='peer')", true), ("'a'=='a'", true),
  ])
  func `a condition holds or not`(_ text: String, _ expected: Bool) throws {
    #expect(try FilterExpression(parsing: text).holds(for: Self.event, root: Self.event) == expected)
  }

  @Test(arguments: ["", "==", "kind==", "kind=='a", "(kind", "kind)", "kind && ", "a b", "kind ==== 'a'"])
  func `what is no condition is a usage error`(_ text: String) throws {
    #expect(try #require(throws: GridError.self) { try FilterExpression(parsing: text) }.code == .usage)
  }

  @Test(arguments: ["||", "&&"])
  func `more conditions than anybody writes are refused, whatever they are joined by`(_ sign: String) throws {
    func joined(_ count: Int) -> String { repeatElement("a", count: count).joined(separator: sign) }
    #expect(try !FilterExpression(parsing: joined(256)).holds(for: [:], root: [:]))
    #expect(throws: GridError(.usage, "")) { try FilterExpression(parsing: joined(100_000)) }
  }
}

@Suite struct MessageTemplateTests {
  private struct Generator: RandomNumberGenerator {
    mutating func next() -> UInt64 { 0xFFFF_FFFF_FFFF_FFFF }
  }

  private func filled(_ text: String, number: Int = 3) -> String {
    var generator = Generator()
    let clock = StoppedClock { MonotonicTime(nanoseconds: 0) }
    let body = MessageTemplate(Array(text.utf8)).body(number: number, clock: clock, using: &generator)
    return String(decoding: body, as: UTF8.self)
  }

  @Test func `marks are filled, everything else stays`() {
    #expect(filled("{{n}}") == "3" && filled("a{{n}}b{{n}}") == "a3b3" && filled("") == "")
    #expect(filled("{{now}}") == "1970-01-01T00:00:00.000Z")
    #expect(filled("{{uuid}}") == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    for text in ["{{ n }}", "{n}", "{{x}}", "{{", "{{n}", "{\"a\":{}}"] { #expect(filled(text) == text) }
    #expect(filled("{{{n}}}") == "{3}")
  }

  @Test func `bytes that are no text stay as they are`() {
    var generator = Generator()
    let body: [UInt8] = [0xFF, 0, 0x7B, 0x7B, 0x6E, 0x7D, 0x7D, 0x80]
    let clock = StoppedClock { MonotonicTime(nanoseconds: 0) }
    #expect(MessageTemplate(body).body(number: 12, clock: clock, using: &generator) == [0xFF, 0, 0x31, 0x32, 0x80])
  }
}
