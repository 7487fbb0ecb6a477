import GridCore
import GridRequests
import Testing

@Suite struct CodecTests {
  @Test func whatIsWrittenIsReadAgain() throws {
    var request = RoutedRequest(
      ActorsRequest(pattern: "order-*", kind: "exec", minimumMailbox: 3), routing: RequestRouting(node: "n2"),
      page: PageRequest(limit: 10))
    request.routing.without = ["n3"]
    request.routing.caller = Caller(name: "uid 1000", role: .viewer, source: .socket)
    let again = try RoutedRequest<ActorsRequest>(json: request.json)
    #expect(again.json == request.json)
    #expect(again.request.pattern == "order-*")
    #expect(again.routing == request.routing)
    #expect(again.page.mostItems == 10)
  }

  @Test func anAbsentMemberLeavesTheStandardValue() throws {
    let request = try RoutedRequest<BenchRequest>(json: ["target": "counter"]).request
    #expect(request.count == 100_000)
    #expect(request.work == .ask)
    #expect(request.durationSeconds == nil)
  }

  @Test(
    arguments: [
      (["pattern": 1], "pattern must be text"), (["minMailbox": "many"], "minMailbox must be a whole number"),
      (["limit": -0.5], "limit must be a whole number"), (["without": ["n1", 2]], "without must be a list"),
      (["local": "yes"], "local must be true or false"),
      (["caller": ["role": "king"]], "role must be one of viewer, operator, node"),
    ] as [(JSONValue, String)])
  func aMemberOfAnotherSortIsNamed(json: JSONValue, message: String) {
    #expect(throws: GridError(.undecodable, message)) { try RoutedRequest<ActorsRequest>(json: json) }
  }

  @Test func aNecessaryMemberIsNamed() {
    #expect(throws: GridError(.undecodable, "the request lacks name")) {
      try RoutedRequest<InspectRequest>(json: [:])
    }
    #expect(throws: GridError(.undecodable, "a JSON object was expected")) { try RoutedRequest<PingRequest>(json: 3) }
  }

  @Test func unknownMembersArePassedOver() throws {
    let request = try RoutedRequest<StopRequest>(json: ["name": "a", "invented": [1, 2]]).request
    #expect(request.name == "a")
    #expect(!request.kills)
  }

  @Test func aSpawnKeepsItsOwnCodec() throws {
    let spawn = SpawnRequest(kind: "exec", name: "a", ifAbsent: true, command: ExecSpecification(command: ["cat"]))
    let json = RoutedRequest(spawn, routing: RequestRouting(node: "n2")).json
    let again = try RoutedRequest<SpawnRequest>(json: json)
    #expect(again.routing.node == "n2")
    #expect(again.request.command?.command == ["cat"])
    #expect(again.request.ifAbsent)
  }

  @Test(arguments: [-1, 0, 1, 1 << 40] as [Int64])
  func pagesKeepTheirBounds(bytes: Int64) throws {
    let page = try RoutedRequest<PeersRequest>(json: ["pageBytes": .integer(bytes), "limit": .integer(bytes)]).page
    #expect((1...ListPage.standardBytes).contains(page.mostBytes))
    #expect(page.mostItems >= 0)
  }

  @Test func newsOfACampaignAreReadAgain() throws {
    let news: [CampaignNews] = [
      .elected(name: "a", token: 7), .held(name: "a", message: "b leads"), .resign(name: "a"),
      .lost(name: "a", message: "gone"),
    ]
    for item in news { #expect(try CampaignRequest.item(item.json) == item) }
    #expect(throws: GridError.self) { try CampaignRequest.item(["kind": "elected", "name": "a"]) }
  }

  @Test func remarksStandBesideItems() throws {
    let remarks: [StreamRemark] = [
      .synced(at: CalendarTime(millisecondsSince1970: 5)), .missed(3), .leftOut(node: "n1", count: 9),
    ]
    for remark in remarks {
      guard case .remark(let found) = try EventStreamRequest.streamItem(remark.json) else {
        Issue.record("no remark")
        continue
      }
      #expect(found == remark)
    }
  }

  @Test func whatIsPassedOnGoesNoFurtherAndSaysForWhom() {
    let caller = Caller(name: "uid 1000", role: .viewer, source: .socket)
    let routing = RequestRouting(node: "n2").forwarded(for: caller)
    #expect(routing.isLocal && routing.node == nil)
    #expect(routing.caller == caller)
  }

  @Test func aListIsMergedByTheKeysOfItsItems() {
    let report = ActorReport(name: "a", kind: "echo", node: "n1", status: .running)
    let answer = ListAnswer<ActorReport>(PageRequest().page([report]), missing: [])
    #expect(answer.page.items.map(\.key) == ["a\u{0}n1"])
    #expect((try? answer.items()) == [report])
  }
}

@Suite struct AnswerTests {
  /// Filled so that no member has its blank value.
  static var health: NodeHealth {
    var health = NodeHealth()
    health.node = "n2"
    health.isMember = false
    (health.problem, health.advice) = ("lost", "look")
    health.lostMemberships = 2
    (health.deadLetters.recent, health.deadLetters.kept, health.deadLetters.dropped) = (1, 2, 3)
    (health.failing, health.ended) = (4, 1)
    health.failingActors = [FailingActor(name: "a", count: 3, hasEnded: true, message: "boom")]
    health.troubles = [
      Trouble(
        kind: .singleton, name: "leader", message: "no", advice: nil, since: CalendarTime(millisecondsSince1970: 0))
    ]
    health.store = StoreReport(StoreDescription(engine: "embedded", version: "3", place: "/x"))
    (health.load.actors, health.load.mailbox, health.load.uptimeSeconds) = (5, 6, 7)
    health.weakened = ["--allow-exec", "--allow-stop"]
    (health.stateDirectory, health.stateBytesFree, health.stateBytesTotal) = ("/x", 0, 7)
    health.certificateSecondsLeft = -1
    (health.certificateFailure, health.certificateAdvice) = ("it is cut", "write it again")
    return health
  }

  static var information: NodeInformation {
    var information = NodeInformation()
    (information.name, information.namespace, information.process) = ("n1", "default", 77)
    (information.isMember, information.labels, information.kinds) = (true, ["zone": "a"], ["echo"])
    (information.load.actors, information.load.deadLetters) = (3, 4)
    information.weakened = ["--insecure"]
    (information.identity, information.certificateExpires) = ("n1.node.default.gridctl", "2027")
    return information
  }

  static var bench: BenchReport {
    var report = BenchReport()
    (report.work, report.target, report.sent, report.half) = (.names, "echo", 10, 1.5)
    report.setNames(watchedSeconds: 1, releasedPerSecond: 2, forgottenSeconds: 3)
    return report
  }

  @Test func whatANodeAnswersIsReadAgain() throws {
    #expect(try NodeHealth(json: Self.health.json) == Self.health)
    #expect(try NodeInformation(json: Self.information.json) == Self.information)
    #expect(try BenchReport(json: Self.bench.json) == Self.bench)
    var cluster = ClusterHealth()
    cluster.nodes = [Self.health]
    cluster.missing = [MissingNode("n3", GridError(.deadline, "no answer"))]
    #expect(try ClusterHealth(json: cluster.json) == cluster)
    let failed = StoreReport(failure: "away", advice: "start it")
    #expect(try StoreReport(json: failed.json) == failed)
    let tally = DeadLetterTally(node: "n1", isGone: true, DeadLetterCounts(kept: 1, folded: 2, dropped: 3, bytes: 4))
    #expect(try DeadLetterTally(json: tally.json) == tally)
    let gone = DeadLetterTally(outOfReach: "n4", kept: 9)
    #expect(try DeadLetterTally(json: gone.json) == gone)
    let part = DeadLetterPart(part: [0, 255, 7], bodyBytes: 12)
    #expect(try DeadLetterPart(json: part.json) == part)
    let remainder = LeaseRemainder(.milliseconds(1500))
    #expect(try LeaseRemainder(json: remainder.json) == remainder)
    let purged = PurgedDeadLetters(removed: 3, missing: cluster.missing)
    #expect(try PurgedDeadLetters(json: purged.json) == purged)
  }
}
