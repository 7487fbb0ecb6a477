internal import GridCore
internal import Testing

@testable internal import GridCommands

/// What a table keeps where its line is too narrow.
@Suite struct ColumnPlanTests {
  private typealias Demand = ColumnPlan.Demand

  private static func shown(_ demands: [ColumnPlan.Demand], _ limit: Int?, keepsAll: Bool = false) -> [String] {
    ColumnPlan(demands, limit: limit, gap: 3, keepsAll: keepsAll).choices.map { "\($0.index):\($0.width)" }
  }

  /// A name of 20 cells that needs 8, a number of 6, prose of 30 that needs 10, a state of 7.
  private static let columns = [
    Demand(width: 20, minimum: 8, priority: ColumnPriority.name),
    Demand(width: 6, minimum: 6, priority: ColumnPriority.important),
    Demand(width: 30, minimum: 10, priority: ColumnPriority.usual),
    Demand(width: 7, minimum: 7, priority: ColumnPriority.detail),
  ]

  @Test(
    arguments: [
      (nil, ["0:20", "1:6", "2:30", "3:7"]),
      (72, ["0:20", "1:6", "2:30", "3:7"]),
      // Prose and names give way, the narrowest last; numbers never.
      (71, ["0:20", "1:6", "2:29", "3:7"]),
      (60, ["0:19", "1:6", "2:19", "3:7"]),
      (40, ["0:8", "1:6", "2:10", "3:7"]),
      // Then what matters least goes, and the others have its room.
      (39, ["0:14", "1:6", "2:13"]),
      (29, ["0:20", "1:6"]),
      (17, ["0:8", "1:6"]),
      (16, ["0:16"]),
      (3, ["0:8"]),
    ] as [(Int?, [String])])
  func `columns give way by what they say`(_ limit: Int?, _ expected: [String]) {
    #expect(Self.shown(Self.columns, limit) == expected)
  }

  @Test func `what says the same in every row goes first, but never the name`() {
    var demands = Self.columns
    demands[1].saysOneThing = true
    #expect(Self.shown(demands, 39) == ["0:13", "2:13", "3:7"])
    demands[0].saysOneThing = true
    #expect(Self.shown(demands, 10) == ["0:10"])
  }

  @Test func `columns that somebody has named all stay`() {
    #expect(Self.shown(Self.columns, 20, keepsAll: true) == ["0:8", "1:6", "2:10", "3:7"])
  }

  @Test(arguments: [
    ("01M7YRJPF27QSK6PS6JPQTHZ3J", 14, "01M7Y…JPQTHZ3J"), ("importer-of-orders-0007", 12, "impo…rs-0007"),
    ("short", 8, "short"), ("abcdef", 3, "…ef"), ("abcdef", 2, "a…"), ("abcdef", 1, "…"), ("abcdef", 0, ""),
    ("日本語日本語", 7, "日…本語"),
  ])
  func `a name is shortened in its middle`(_ text: String, _ limit: Int, _ expected: String) {
    #expect(TerminalText.shortened(text, to: limit) == expected)
    #expect(TerminalText.width(TerminalText.shortened(text, to: limit)) <= limit)
  }

  private static let letters: [JSONValue] = [
    [
      "id": "01M7YRJPF27QSK6PS6JPQTHZ3J", "at": "2026-01-02T09:56:39.522Z", "node": "n1", "reason": "no-such-actor",
      "target": "hist", "count": 1, "body": "the body that everybody looks for first",
    ],
    [
      "id": "01M7YRJPH4C34ZMKZ7XHQYS2Z8", "at": "2026-01-02T09:56:39.588Z", "node": "n1", "reason": "stopped",
      "target": "importer-of-orders", "count": 4900, "body": "x",
    ],
  ]

  private static func table(_ columns: Int, _ rows: [JSONValue], _ description: ListDescription<JSONValue>) throws
    -> [String]
  {
    try Capture.output(.table, ["COLUMNS": "\(columns)", "GRIDCTL_FORCE_TTY": "1", "NO_COLOR": "1"]) {
      try $0.list(rows, description)
    }.split(separator: "\n").map(String.init)
  }

  @Test func `the body of a dead letter is seen on 80 columns`() throws {
    let lines = try Self.table(80, Self.letters, DeadLettersCommand.description)
    #expect(lines[0].hasPrefix("ID") && lines[0].hasSuffix("BODY"))
    #expect(lines[1].contains("the body that") && lines[1].contains("no-such-actor"), "\(lines)")
    // The id is what show and replay take: it is there whole, and what matters less is not.
    #expect(lines[2].hasPrefix("01M7YRJPH4C34ZMKZ7XHQYS2Z8   stopped") && !lines[0].contains("COUNT"), "\(lines)")
    #expect(lines.allSatisfy { TerminalText.width($0) <= 80 })
  }

  @Test(arguments: [1, 5, 10, 20, 30, 40, 60, 80, 100, 200])
  func `a number is whole or not there, at every width`(_ columns: Int) throws {
    let actor: JSONValue = [
      "name": "an-importer-with-a-long-name-0001", "kind": "exec", "node": "node-in-frankfurt-7", "status": "running",
      "mailbox": 12_345, "processed": 9_876_543, "failures": 1234, "restarts": 17, "uptimeSeconds": 86_400,
      "perSecond": 183.4, "rates": [1, 2, 3], "inHandSeconds": 12.5, "handlerP99Seconds": 0.25,
    ]
    let texts = [
      "node-in-frankfurt-7", "12345", "9876543", "1234", "17", "1d", "183/s", "13s", "250ms", "running", "▃▆█",
    ]
    for description in [ActorsCommand.description, TopTable.description] {
      let lines = try Self.table(columns, [actor], description)
      let words = lines[1].split(separator: " ").map(String.init)
      for word in words.dropFirst() where !word.contains("…") && word != "exec" {
        #expect(texts.contains(word), "\(columns): \(lines)")
      }
      #expect(lines[0].split(separator: " ").count == words.count, "\(columns): \(lines)")
      #expect(columns < 16 || TerminalText.width(lines[1]) <= columns, "\(columns): \(lines)")
    }
  }

  @Test func `narrow terminals keep name, mailbox and rate of top`() throws {
    let row: JSONValue = [
      "name": "importer", "kind": "exec", "node": "n1", "status": "running", "mailbox": 3, "perSecond": 183.0,
      "rates": [], "processed": 1, "failures": 0, "restarts": 0,
    ]
    let lines = try Self.table(32, [row], TopTable.description)
    #expect(lines[0].split(separator: " ") == ["NAME", "MAILBOX", "RATE"] && lines[1].contains("183/s"), "\(lines)")
  }

  @Test func `numbers stand at the right, also in columns of one's own`() throws {
    let text = try Capture.output(.columns(try ColumnSpecification(parsing: "name,mailbox"))) {
      try $0.list([["name": "a", "mailbox": 7], ["name": "b", "mailbox": 1234]], ActorsCommand.description)
    }
    #expect(text == "NAME   MAILBOX\na            7\nb         1234\n")
  }

  @Test func `a column that the command line has filled is left out of table alone`() throws {
    let description = ActorsCommand.description.knowing("KIND", nil)
    let row: JSONValue = ["name": "a", "kind": "echo"]
    for (format, isThere) in [(OutputFormat.table, false), (.wide, true), (.tsv, true)] {
      let text = try Capture.output(format) { try $0.list([row], description) }
      #expect(text.contains("KIND") == isThere && text.contains("echo") == isThere, "\(text)")
    }
  }

  @Test func `wide is never cut`() throws {
    let environment = ["COLUMNS": "20", "GRIDCTL_FORCE_TTY": "1", "NO_COLOR": "1"]
    let text = try Capture.output(.wide, environment) { try $0.list(Self.letters, DeadLettersCommand.description) }
    #expect(text.contains("01M7YRJPF27QSK6PS6JPQTHZ3J") && text.contains("DETAIL") && !text.contains("…"))
  }

  @Test func `a stream keeps what matters on 80 columns`() throws {
    let environment = ["COLUMNS": "80", "GRIDCTL_FORCE_TTY": "1", "NO_COLOR": "1"]
    let text = try Capture.output(.table, environment) { renderer in
      try renderer.streamHeader(DeadLettersCommand.description)
      for letter in Self.letters { try renderer.record(letter, DeadLettersCommand.description) }
    }
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { TerminalText.width($0) <= 80 }, "\(lines)")
    #expect(lines[0].contains("BODY") && lines[1].contains("the body that"), "\(lines)")
    let trace = TraceCommand.description(withBody: true).knowing("ACTOR")
    let traced = try Capture.output(.table, environment) { renderer in
      try renderer.streamHeader(trace)
      try renderer.record(
        [
          "at": "2026-01-02T09:56:39.522Z", "actor": "hits", "kind": "out", "outcome": "replied", "micros": 1500,
          "body": "b",
        ],
        trace)
    }
    #expect(!traced.contains("hits") && traced.contains("replied") && traced.contains("1.5ms"), "\(traced)")
  }

  @Test func `a value that is too long goes on below itself`() {
    let layout = KeyValueLayout(limit: 40, usesColor: false)
    #expect(
      layout.text([("name", "a", .plain), ("command", "sh -c 'while read -r x; do echo $x; done' and more", .plain)])
        == """
        name:      a
        command:   sh -c 'while read -r x; do
                   echo $x; done' and more

        """)
    #expect(TextWrapping.lines("", width: 3) == [""])
    #expect(TextWrapping.lines("abcdefg hi", width: 3) == ["abc", "def", "g", "hi"])
    #expect(TextWrapping.lines("日本", width: 1) == ["日", "本"])
  }
}
