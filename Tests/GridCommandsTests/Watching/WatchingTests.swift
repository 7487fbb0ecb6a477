internal import GridCore
internal import GridRequests
internal import Testing

@testable internal import GridCommands

@Suite struct WatchingTests {
  private let time = CalendarTime(millisecondsSince1970: 0)

  private func kinds(_ changes: [ListChange]) -> [String] {
    changes.map { "\($0.kind.rawValue) \(ListChange.row(of: $0.json)["name"]?.stringValue ?? "")" }
  }

  private func peer(
    _ name: String, _ status: PeerReport.Status = .alive, actors: Int? = nil, deadLetters: Int? = nil
  ) -> PeerReport {
    var peer = PeerReport.example(name, status)
    peer.actors = actors
    peer.deadLetters = deadLetters
    return peer
  }

  @Test func `a list is told as what was added, modified and deleted`() {
    var changes = ListChanges(fields: ["status"])
    let first: JSONValue = ["name": "a", "status": "alive", "mailbox": 1]
    #expect(kinds(changes.take([first], at: time)) == ["ADDED a", "SYNCED "])
    #expect(changes.take([first.with("mailbox", 9)], at: time).isEmpty, "a counter that moves is no change")
    let records = changes.take([first.with("status", "dead"), ["name": "b"]], at: time)
    #expect(kinds(records) == ["MODIFIED a", "ADDED b"])
    #expect(records.map(\.sequence) == [3, 4])
    #expect(kinds(changes.take([], at: time)) == ["DELETED a", "DELETED b"])
    #expect(kinds(changes.take([], at: time)) == [])
    var empty = ListChanges(fields: [])
    #expect(kinds(empty.take([], at: time)) == ["SYNCED "])
  }

  @Test func `a look at some rows leaves the others as they are`() {
    var changes = ListChanges(fields: ["status"])
    let rows: [JSONValue] = ["a", "b", "c"].map { ["name": .string($0), "status": "alive"] }
    #expect(kinds(changes.take(rows, at: time)) == ["ADDED a", "ADDED b", "ADDED c", "SYNCED "])
    let some: [JSONValue] = [rows[0].with("status", "stopping"), ["name": "d"]]
    #expect(kinds(changes.take(some, of: ["a", "b", "d", "e"], at: time)) == ["MODIFIED a", "ADDED d", "DELETED b"])
    #expect(kinds(changes.take([], of: [], at: time)) == [])
    #expect(kinds(changes.take([rows[0]], at: time)) == ["MODIFIED a", "DELETED c", "DELETED d"])
  }

  @Test func `names are looked at until what was announced is done, and unnamed ones with the whole list`() {
    let start = MonotonicTime(nanoseconds: 0)
    func at(_ milliseconds: Int) -> MonotonicTime { start + .milliseconds(milliseconds) }
    var names = NamesToLookAt()
    #expect(names.take(at: start) == nil, "the first look is at all")
    #expect(names.take(at: start) == [])
    names.add("a", at: at(100))
    names.add("b", at: at(400))
    #expect(names.take(at: at(450)) == ["a", "b"])
    #expect(names.take(at: at(550)) == ["a", "b"])
    #expect(names.take(at: at(850)) == ["b"])
    #expect(names.take(at: at(900)) == [])
    names.add(nil, at: at(1000))
    names.add("c", at: at(1300))
    #expect(names.take(at: at(1350)) == nil && names.take(at: at(1450)) == nil)
    #expect(names.take(at: at(1700)) == ["c"])
    for number in 0...1000 { names.add("\(number)", at: at(2000)) }
    #expect(names.take(at: at(2050)) == nil, "so many are not named one by one")
  }

  @Test func `what the nodes have chosen is shown with the totals of all`() {
    var table = TopTable(window: .seconds(2))
    let start = MonotonicTime(nanoseconds: 0)
    var top = ActorTop()
    (top.actors, top.mailbox, top.perSecond) = (1_000_000, 7, 30)
    top.rows = [["name": "a", "processed": 10, "epoch": 1, "perSecond": 20]]
    table.take(top, at: start)
    #expect(table.totals.actors == 1_000_000 && table.totals.mailbox == 7 && table.totals.perSecond == 30)
    #expect(table.rows(by: .rate, limit: 9).map { $0["perSecond"] } == [.number(20)], "as its node has watched")
    #expect(table.rows(by: .rate, limit: 9).map { $0["rates"] } == [[.number(20)]])
    top.perSecond = 10
    top.rows = [["name": "a", "processed": 20, "epoch": 1, "perSecond": 99], ["name": "b", "epoch": 1]]
    table.take(top, at: start + .seconds(1))
    #expect(table.totals.perSecond == 20, "the average of the looks within the window")
    #expect(table.rows(by: .rate, limit: 9).map { $0["perSecond"] } == [.number(10), .number(0)])
  }

  @Test func `rates come from the counts of two looks`() {
    var table = TopTable(window: .seconds(5))
    func actor(_ name: String, _ processed: Int64, _ mailbox: Int64 = 0, epoch: Int64 = 1) -> JSONValue {
      ["name": .string(name), "processed": .integer(processed), "mailbox": .integer(mailbox), "epoch": .integer(epoch)]
    }
    let start = MonotonicTime(nanoseconds: 0)
    table.take([actor("a", 100, 5), actor("b", 0, 9), actor("c", 0)], at: start)
    #expect(table.rows(by: .rate, limit: 9).allSatisfy { $0["perSecond"]?.doubleValue == 0 })
    table.take([actor("a", 300, 5), actor("b", 10, 9), actor("c", 0, epoch: 2)], at: start + .seconds(2))
    #expect(table.rows(by: .rate, limit: 2).compactMap { $0["name"]?.stringValue } == ["a", "b"])
    #expect(table.rows(by: .mailbox, limit: 9).compactMap { $0["name"]?.stringValue } == ["b", "a", "c"])
    #expect(table.rows(by: .name, limit: 9).compactMap { $0["name"]?.stringValue } == ["a", "b", "c"])
    #expect(table.rows(by: .rate, limit: 1)[0]["perSecond"] == .number(100))
    #expect(table.totals.actors == 3 && table.totals.mailbox == 14 && table.totals.perSecond == 105)
    // An actor made anew counts anew; one that is gone is forgotten.
    table.take([actor("a", 5, epoch: 2)], at: start + .seconds(4))
    #expect(table.rows(by: .rate, limit: 9).map { $0["perSecond"] } == [.number(0)])
  }

  @Test func `counts of the largest size do no harm`() {
    var table = TopTable(window: .seconds(5))
    let start = MonotonicTime(nanoseconds: 0)
    for (second, count) in [(0, Int64.min), (1, Int64.max), (2, Int64.min)] {
      let actors: [JSONValue] = ["a", "b"].map {
        ["name": .string($0), "processed": .integer(count), "mailbox": .integer(.max)]
      }
      table.take(actors, at: start + .seconds(second))
    }
    #expect(table.totals.mailbox == .max)
    #expect(table.rows(by: .rate, limit: -1).isEmpty)
    #expect(table.rows(by: .rate, limit: .max).count == 2)
  }

  @Test func `two looks that are a window apart, or a little more, have a rate`() {
    for (gap, expected) in [(Duration.seconds(1), 180.0), (.milliseconds(1200), 150), (.milliseconds(900), 200)] {
      var table = TopTable(window: .seconds(1))
      let start = MonotonicTime(nanoseconds: 0)
      table.take([["name": "a", "processed": 0, "epoch": 1], ["name": "b", "processed": 5, "epoch": 1]], at: start)
      table.take(
        [["name": "a", "processed": 180, "epoch": 1], ["name": "b", "processed": 5, "epoch": 1]], at: start + gap)
      #expect(table.rows(by: .rate, limit: 1)[0]["perSecond"]?.doubleValue == expected)
      #expect(table.rows(by: .rate, limit: 9).map { $0["name"] } == ["a", "b"])
    }
    // Looks of a display that is left open: the window moves along, older ones no longer count.
    var table = TopTable(window: .seconds(2))
    for second in 0...20 {
      let count = Int64(second <= 10 ? second * 100 : 1000)
      table.take(
        [["name": "a", "processed": .integer(count), "epoch": 1]],
        at: MonotonicTime(nanoseconds: 0) + .milliseconds(second * 1003))
      if second == 10 { #expect((90...110).contains(table.totals.perSecond), "\(table.totals)") }
    }
    #expect(table.totals.perSecond == 0)
  }

  @Test func `dead letters have a rate over all nodes`() {
    var table = TopTable(window: .seconds(1))
    func peers(_ first: Int, _ second: Int) -> [PeerReport] {
      [peer("n1", deadLetters: first), peer("n2", deadLetters: second), peer("n3")]
    }
    table.take(peers: peers(10, 0), at: MonotonicTime(nanoseconds: 0))
    #expect(table.deadLettersPerSecond == nil)
    table.take(peers: peers(12, 4), at: MonotonicTime(nanoseconds: 0) + .seconds(2))
    #expect(table.deadLettersPerSecond == 3)
  }

  @Test func `time is that of the message in hand or of the latest ones`() {
    var table = TopTable(window: .seconds(1))
    table.take(
      [
        ["name": "quick", "handlerP99Seconds": 0.001],
        ["name": "slow", "handlerP99Seconds": 2.0, "inHandSeconds": 0.5],
        ["name": "stuck", "handlerP99Seconds": 0.1, "inHandSeconds": 600.0], ["name": "new"],
      ], at: MonotonicTime(nanoseconds: 0))
    #expect(table.rows(by: .time, limit: 9).map { $0["name"] } == ["stuck", "slow", "quick", "new"])
    #expect(table.rows(by: .name, limit: 9, matching: "s*").map { $0["name"] } == ["slow", "stuck"])
    #expect(table.rows(by: .name, limit: 9, matching: "UI").map { $0["name"] } == ["quick"])
  }

  @Test func `a spark line has its highest rate at the top`() {
    #expect(TopTable.spark([]) == "" && TopTable.spark([0, 0]) == "▁▁")
    #expect(TopTable.spark([0, 50, 100]) == "▁▅█")
  }

  @Test(arguments: [
    ("peers>=3", WaitCondition.peers(.atLeast, 3)), ("peers=0", .peers(.equal, 0)), ("peers<2", .peers(.less, 2)),
    ("actors>=100", .actors(.atLeast, 100)), ("actors=0", .actors(.equal, 0)),
    ("actors!=1", .actors(.unequal, 1)),
    ("actor/a", .actor("a")), ("no-actor/a", .noActor("a")), ("leader/main", .leader("main")),
    ("event/peer", .event("peer")),
  ])
  func `conditions of wait`(_ text: String, _ expected: WaitCondition) throws {
    let condition = try WaitCondition(parsing: text)
    #expect(condition == expected && condition.text == text && !condition.events.isEmpty)
  }

  @Test(arguments: [
    "", "peers", "peers>=", "peers>=x", "peers>=-1", "peers=~1", "actors", "actors>=x", "actors/a>1",
    "actor/", "actor/a b", "x/y", "event/x",
  ])
  func `what is no condition is a usage error`(_ text: String) throws {
    #expect(try #require(throws: GridError.self) { try WaitCondition(parsing: text) }.code == .usage)
  }

  @Test(arguments: [
    (ValueComparison.atLeast, 3, true), (.atLeast, 4, false), (.greater, 2, true), (.unequal, 2, true),
    // What a silent node has may be any number.
    (.unequal, 4, false), (.equal, 3, false), (.atMost, 3, false), (.less, 9, false),
  ])
  func `of actors it counts what is certain`(_ comparison: ValueComparison, _ count: Int, _ isCertain: Bool) {
    let known = [
      peer("n1", actors: 1), peer("n2", actors: 2), peer("n4", .dead), peer("n5", .left, actors: 7),
    ]
    let all = ActorCount(known)
    #expect(all.satisfies(comparison, count) == comparison.holds(3, count) && all.text == "3 actors run")
    let some = ActorCount(known + [peer("n3", .suspect)])
    #expect(some.satisfies(comparison, count) == isCertain)
    #expect(some.text == "at least 3 actors run, and n3 does not say")
    #expect(ActorCount([peer("n1", actors: .max), peer("n2", actors: 9)]).known == .max)
    #expect(ActorCount([peer("n1", actors: .min)]).known == 0)
  }

  @Test func `assertions of bench`() throws {
    let result: JSONValue = ["p99Micros": 4200.5, "errors": 0, "perSecond": 20_000, "sent": 10, "maxMicros": .null]
    func failed(_ text: String) throws -> [String] {
      try BenchAssertion.parse(text).filter { !$0.holds(for: result) }.map(\.text)
    }
    #expect(try failed("p99<5ms,errors=0,rate>=20k/s,sent==10,errors!=1") == [])
    #expect(try failed("p99<4ms,errors>0,rate>20k/s,max<1h") == ["p99<4ms", "errors>0", "rate>20k/s", "max<1h"])
    #expect(try BenchAssertion.parse("p99<1ms").first?.found(in: result) == "4.2ms")
    for text in ["p99", "p98<1ms", "p99<1", "errors<x", "rate>1q", "p99=~1ms"] {
      #expect(throws: GridError.self, "\(text)") { try BenchAssertion.parse(text) }
    }
  }
}
