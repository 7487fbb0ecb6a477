internal import GridLink
internal import Testing

@testable internal import Grid

@Suite("Who a node that greets is")
struct PeerGreetingTests {
  private func record(_ name: String, _ incarnation: Int64) -> NodeRecord {
    NodeRecord(
      name: name, address: "127.0.0.1:1", incarnation: incarnation, version: "0", labels: [:], kinds: [],
      startedAt: CalendarTime(millisecondsSince1970: 0))
  }

  private func greeting(_ name: String, _ incarnation: Int64, _ role: LinkGreeting.Role = .node) -> LinkGreeting {
    LinkGreeting(namespace: "shop", role: role, name: name, incarnation: incarnation)
  }

  @Test(
    "a node is the one the membership knows, or none yet",
    arguments: [
      ("n2", 7, 7, nil), ("n2", 8, 7, .retryLater), ("n2", 7, nil, .retryLater), ("n2", 6, 7, .refused),
      ("n2", 0, 7, .refused), ("n2", .min, 7, .refused), ("n2", .max, 7, .retryLater), ("n1", 7, nil, .nameTaken),
      ("", 7, nil, .retryLater),
    ] as [(String, Int64, Int64?, GridError.Code?)])
  func dialled(_ name: String, _ incarnation: Int64, _ known: Int64?, _ code: GridError.Code?) {
    let member = known.map { record("n2", $0) }
    #expect(PeerGreeting.objection(to: greeting(name, incarnation), own: "n1", known: member)?.code == code)
  }

  @Test("a client may have any name")
  func client() {
    #expect(PeerGreeting.objection(to: greeting("n1", 0, .client), own: "n1", known: nil) == nil)
  }

  @Test(
    "who answers is the node that was dialled",
    arguments: [
      ("n2", 7, .node, nil), ("n2", 6, .node, .retryLater), ("n2", 8, .node, .retryLater),
      ("n3", 7, .node, .unavailable), ("n2", 7, .client, .unavailable),
    ] as [(String, Int64, LinkGreeting.Role, GridError.Code?)])
  func answered(_ name: String, _ incarnation: Int64, _ role: LinkGreeting.Role, _ code: GridError.Code?) {
    let answer = greeting(name, incarnation, role)
    #expect(PeerGreeting.objection(to: answer, meant: record("n2", 7))?.code == code)
  }
}
