internal import GridCore
internal import Testing
internal import Yams

@testable internal import GridCommands

/// The formats, to the byte: what a script parses today it parses tomorrow.
@Suite struct FormatTests {
  struct Peer: Sendable {
    var name: String
    var status: String
    var mailbox: Int
    var labels: [String: String] = [:]
  }

  static let description = ListDescription<Peer>(
    kind: "PeerList", rowKind: "Peer", noun: "peer",
    columns: [
      Column("NODE") { $0.name }, Column("STATUS", style: { $0.status == "dead" ? .bad : .plain }) { $0.status },
      Column("MAILBOX", alignment: .trailing) { String($0.mailbox) },
      Column("LABELS", wideOnly: true) {
        $0.labels.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: ",")
      },
    ],
    json: { peer in
      [
        "name": .string(peer.name), "status": .string(peer.status), "mailbox": .integer(Int64(peer.mailbox)),
        "labels": .object(peer.labels.mapValues { .string($0) }),
      ]
    },
    name: { $0.name })

  static let peers = [
    Peer(name: "n1", status: "alive", mailbox: 3, labels: ["zone": "a", "rack": "7"]),
    Peer(name: "orders-node", status: "dead", mailbox: 12_000),
  ]

  /// A node of somebody who wants to drive our terminal, and to break our parsing.
  static let hostile = Peer(
    name: "a\u{1B}]0;owned\u{7}b", status: "x\ty\nz\\w", mailbox: -1, labels: ["\u{9B}2J": "\u{202E}gpj"])

  static func list(_ format: OutputFormat, _ peers: [Peer] = peers, hidesHeaders: Bool = false) throws -> String {
    try Capture.output(format, hidesHeaders: hidesHeaders) { try $0.list(peers, description) }
  }

  @Test func `a table has capitals above three spaces between and none at the end`() throws {
    #expect(
      try Self.list(.table) == """
        NODE          STATUS   MAILBOX
        n1            alive          3
        orders-node   dead       12000

        """)
    #expect(try Self.list(.table, hidesHeaders: true).hasPrefix("n1            alive"))
  }

  @Test func `a wide table has all columns`() throws {
    #expect(
      try Self.list(.wide) == """
        NODE          STATUS   MAILBOX   LABELS
        n1            alive          3   rack=7,zone=a
        orders-node   dead       12000

        """)
  }

  @Test func `json is one document with sorted keys`() throws {
    #expect(
      try Self.list(.json, [Self.peers[0]]) == """
        {
          "apiVersion": "gridctl/v1",
          "items": [
            {
              "labels": {
                "rack": "7",
                "zone": "a"
              },
              "mailbox": 3,
              "name": "n1",
              "status": "alive"
            }
          ],
          "kind": "PeerList"
        }

        """)
  }

  @Test func `jsonl is one compact object a line`() throws {
    #expect(
      try Self.list(.jsonl) == """
        {"labels":{"rack":"7","zone":"a"},"mailbox":3,"name":"n1","status":"alive"}
        {"labels":{},"mailbox":12000,"name":"orders-node","status":"dead"}

        """)
  }

  @Test func `yaml is the same document`() throws {
    #expect(
      try Self.list(.yaml) == """
        apiVersion: gridctl/v1
        items:
          - labels:
              rack: "7"
              zone: a
            mailbox: 3
            name: n1
            status: alive
          - labels: {}
            mailbox: 12000
            name: orders-node
            status: dead
        kind: PeerList

        """)
  }

  @Test func `names come one a line with their noun`() throws {
    #expect(try Self.list(.name) == "peer/n1\npeer/orders-node\n")
  }

  @Test func `tsv has the columns of the table between tabs`() throws {
    #expect(try Self.list(.tsv) == "NODE\tSTATUS\tMAILBOX\nn1\talive\t3\norders-node\tdead\t12000\n")
    #expect(try Self.list(.tsv, hidesHeaders: true) == "n1\talive\t3\norders-node\tdead\t12000\n")
  }

  @Test func `an empty list is a header or an empty document`() throws {
    #expect(try Self.list(.table, []) == "NODE   STATUS   MAILBOX\n")
    #expect(try Self.list(.table, [], hidesHeaders: true) == "")
    #expect(try Self.list(.wide, []) == "NODE   STATUS   MAILBOX   LABELS\n")
    #expect(
      try Self.list(.json, []) == """
        {
          "apiVersion": "gridctl/v1",
          "items": [],
          "kind": "PeerList"
        }

        """)
    #expect(try Self.list(.yaml, []) == "apiVersion: gridctl/v1\nitems: []\nkind: PeerList\n")
    #expect(try Self.list(.tsv, []) == "NODE\tSTATUS\tMAILBOX\n")
    #expect(try Self.list(.jsonl, []) == "")
    #expect(try Self.list(.name, []) == "")
  }

  @Test func `text of others never reaches a terminal as control characters`() throws {
    for format in OutputFormat.named.map(\.format) {
      let text = try Self.list(format, [Self.hostile])
      let allowed: Set<UnicodeScalar> = format == .tsv ? ["\n", "\t"] : ["\n"]
      let controls = text.unicodeScalars.filter {
        ($0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.value == 0x202E) && !allowed.contains($0)
      }
      #expect(controls.isEmpty, "\(format): \(text.debugDescription)")
    }
    #expect(
      try Self.list(.table, [Self.hostile], hidesHeaders: true)
        == #"a\u{1B}]0;owned\u{07}b   x\ty\nz\w   -1"# + "\n")
    #expect(try Self.list(.name, [Self.hostile]) == #"peer/a\u{1B}]0;owned\u{07}b"# + "\n")
  }

  @Test func `a hostile value stays one cell of tsv and can be read back`() throws {
    let line = try Self.list(.tsv, [Self.hostile], hidesHeaders: true)
    #expect(line == #"a\u{1B}]0;owned\u{07}b"# + "\t" + #"x\ty\nz\\w"# + "\t-1\n")
  }

  @Test func `machine formats keep hostile values as they are`() throws {
    let line = try Self.list(.jsonl, [Self.hostile])
    #expect(try JSONValue(parsing: String(line.dropLast())) == Self.description.json(Self.hostile))
    let loaded = try #require(try Yams.load(yaml: try Self.list(.yaml, [Self.hostile])) as? [String: Any])
    let item = try #require((loaded["items"] as? [[String: Any]])?.first)
    #expect(item["name"] as? String == Self.hostile.name)
    #expect(item["labels"] as? [String: String] == Self.hostile.labels)
  }

  @Test func `wide characters and combining marks keep columns straight`() throws {
    let peers = ["日本", "e\u{301}te\u{301}", "👩‍👩‍👧", "🇨🇭", "ab"].map { Peer(name: $0, status: "up", mailbox: 0) }
    let lines = try Self.list(.table, peers).split(separator: "\n").map(String.init)
    let places = try lines.dropFirst().map { line in
      let place = try #require(line.firstRange(of: "up"))
      return TerminalText.width(String(line[..<place.lowerBound]))
    }
    #expect(places == [7, 7, 7, 7, 7])
  }
}
