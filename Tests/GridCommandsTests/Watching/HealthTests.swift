internal import GridCore
internal import GridRequests
internal import Testing

@testable internal import GridCommands

@Suite struct HealthTests {
  private func peer(_ name: String, _ status: String, mailbox: Int64 = 0, rtt: Double = 0.001) -> JSONValue {
    [
      "name": .string(name), "status": .string(status), "mailbox": .integer(mailbox), "rttSeconds": .number(rtt),
      "address": "127.0.0.1:1", "actors": 1, "incarnation": 1, "version": "1", "labels": [:], "kinds": [],
      "startedAt": 0,
    ]
  }

  /// What a node that is well says, with other members in their place.
  private func node(_ name: String, _ others: [String: JSONValue] = [:]) -> JSONValue {
    let well: JSONValue = [
      "node": .string(name), "member": true, "problem": .null, "advice": .null, "lostMemberships": 0,
      "deadLetters": ["recent": 0, "kept": 0, "dropped": 0, "failure": .null], "failing": 0, "ended": 0,
      "failingActors": [], "troubles": [],
      "store": ["engine": "embedded", "version": "SQLite 3.46", "place": "/state"],
    ]
    return others.reduce(well) { $0.with($1.key, $1.value) }
  }

  private func report(
    _ peers: [JSONValue], _ nodes: [JSONValue] = [], missing: [JSONValue] = [], _ limits: HealthLimits = HealthLimits()
  ) -> HealthReport {
    let json: JSONValue = ["peers": .array(peers), "nodes": .array(nodes), "missing": .array(missing)]
    return HealthReport((try? ClusterHealth(json: json)) ?? ClusterHealth(), limits: limits)
  }

  /// The findings that are not ok, as `status name: message`.
  private func wrong(_ report: HealthReport) -> [String] {
    report.findings.filter { $0.status != .ok }.map { "\($0.status.label) \($0.name): \($0.message)" }
  }

  @Test func `a cluster that is well`() {
    var limits = HealthLimits()
    limits.peers = 2
    let well = report([peer("n1", "alive"), peer("n2", "alive")], [node("n1"), node("n2")], limits)
    #expect(well.status == .ok)
    #expect(
      well.text(.text) == """
        ok: peers: 2 of 2 peers are alive
        ok: dead letters: none in the last 1h
        ok: actors: none failed in the last 1h
        ok: store: embedded, SQLite 3.46, at /state

        """)
    #expect(well.text(.prometheus).contains("gridctl_healthy 1\n"))
  }

  @Test func `what a node says of its health is understood as it was said`() throws {
    var health = NodeHealth()
    (health.node, health.failing, health.load.actors, health.load.mailbox) = ("n1", 2, 7, 9)
    (health.deadLetters.recent, health.deadLetters.failure) = (3, "no room")
    health.failingActors = [FailingActor(name: "a", count: 2, hasEnded: true, message: "no")]
    #expect(try NodeHealth(json: health.json) == health)
  }

  @Test func `a message that has been there for too long`() {
    func status(_ bound: HealthBound<Duration>, _ seconds: JSONValue) -> [String] {
      var limits = HealthLimits()
      limits.age = bound
      let old = peer("n1", "alive").with("oldestSeconds", seconds).with("oldestActor", "calc")
      return wrong(report([old, peer("n2", "alive")], [node("n1")], limits))
    }
    let bound = HealthBound(warning: Duration.seconds(5), critical: .seconds(60))
    #expect(status(bound, 5).isEmpty && status(bound, .null).isEmpty && status(HealthBound(), 1e9).isEmpty)
    #expect(
      status(bound, 6.5) == ["warning node n1: a message for calc has been there for 6.5s, more than 5s"])
    #expect(
      status(bound, 61) == ["critical node n1: a message for calc has been there for 1m1s, more than 1m"])
    // Numbers of other machines.
    for seconds in [-1.0, 1e300, .infinity] { _ = status(bound, .number(seconds)) }
    let old = peer("n1", "alive").with("oldestSeconds", 6.5)
    #expect(
      report([old, peer("n2", "alive")], [node("n1")]).text(.prometheus)
        .contains("gridctl_peer_oldest_message_seconds{node=\"n1\"} 6.5\n"))
  }

  @Test func `peers that are not there, far away, or full`() {
    var limits = HealthLimits()
    limits.peers = 3
    limits.roundTrip.critical = .milliseconds(20)
    limits.mailbox.critical = 100
    let ill = report(
      [peer("n1", "alive", mailbox: 101), peer("n2", "suspect"), peer("n3", "alive", rtt: 0.5)], [node("n1")], limits)
    #expect(ill.status == .critical && ill.status.nagiosCode == 2)
    #expect(ill.findings.prefix(4).map(\.name) == ["peers", "node n1", "node n2", "node n3"])
    #expect(ill.findings.filter { $0.status != .ok }.allSatisfy { $0.advice != nil })
    #expect(ill.text(.nagios).hasPrefix("GRIDCTL CRITICAL - peers: 2 of 3 peers are alive; node n1: 101 messages"))
    #expect(ill.text(.nagios).split(separator: "\n").count == 1)
    #expect(ill.text(.nagios).contains("| peers=2 'n1_mailbox'=101 'n2_mailbox'=0 'n3_mailbox'=0 dead=0;0; "))
    #expect(ill.text(.prometheus).contains("gridctl_peer_up{node=\"n2\"} 0\n"))
    #expect(report([peer("n1", "alive"), peer("n2", "dead")], [node("n1")]).status == .warning)
  }

  @Test func `a node outside of the cluster is critical, with the reason and what to do`() {
    let lost: [String: JSONValue] = [
      "member": false, "problem": "the coordination store failed: no space left on the disk", "advice": "make room",
    ]
    // It is the node that was asked, so it is no peer that does not answer.
    let ill = report([peer("n1", "suspect").with("self", true)], [node("n1", lost)])
    #expect(ill.status == .critical)
    #expect(
      wrong(ill) == [
        "critical peers: 0 of 1 peers are alive",
        "critical node n1: it is no member of the cluster, and hosts no actors: the coordination store failed: "
          + "no space left on the disk",
      ])
    #expect(ill.text(.text).contains("\n  make room\n"))
  }

  @Test func `defaults that were weakened are told, and what others could read is a warning`() {
    func told(_ weakened: [String]) -> [String] {
      wrong(report([peer("n1", "alive")], [node("n1", ["weakened": .array(weakened.map { .string($0) })])]))
    }
    #expect(told([]).isEmpty && told(["--allow-exec"]).isEmpty)
    #expect(told(["--insecure"]) == ["warning node n1: its defaults are weakened: --insecure"])
    let store = "--store etcd:// in clear text"
    #expect(told(["--allow-exec", store]) == ["warning node n1: its defaults are weakened: --allow-exec, \(store)"])
  }

  @Test func `little room is told before there is none`() {
    func told(_ free: Int, of total: Int) -> [String] {
      let space: [String: JSONValue] = [
        "stateDirectory": "/state", "stateBytesFree": .integer(Int64(free)), "stateBytesTotal": .integer(Int64(total)),
      ]
      return wrong(report([peer("n1", "alive")], [node("n1", space)]))
    }
    let (mebibyte, gibibyte) = (1 << 20, 1 << 30)
    #expect(told(2 * gibibyte, of: 1000 * gibibyte).isEmpty, "much in itself")
    #expect(told(50 * mebibyte, of: 500 * mebibyte).isEmpty, "much of a small one")
    #expect(
      told(50 * mebibyte, of: 5000 * mebibyte) == [
        "warning node n1: 50MiB of 4.9GiB are left for its state directory, /state"
      ])
    #expect(told(0, of: 3 * mebibyte) == ["critical node n1: 0B of 3MiB are left for its state directory, /state"])
  }

  @Test func `what failed, became dead letters, or cannot be started`() {
    let troubled: [String: JSONValue] = [
      "deadLetters": ["recent": 12, "kept": 9, "dropped": 3, "failure": .null], "failing": 2, "ended": 1,
      "failingActors": [
        ["name": "calc", "count": 6, "ended": true, "message": "the program exited with 1"],
        ["name": "words", "count": 1, "ended": false, "message": "no"],
      ],
      "troubles": [["kind": "singleton", "name": "leader", "message": "no program", "advice": .null]],
      "lostMemberships": 1,
    ]
    let ill = report([peer("n1", "alive")], [node("n1", troubled)])
    #expect(
      wrong(ill) == [
        "warning membership: lost once in the last 1h on n1", "warning dead letters: 12 in the last 1h",
        "warning dead letters: 3 were dropped for lack of room",
        "warning actors: 1 ended by failing in the last 1h: calc (6 times, last: the program exited with 1)",
        "warning actors: 1 failed in the last 1h, and went on: words (once, last: no)",
        "critical singleton leader: it cannot be started, or does not stay up, on n1: no program",
      ])
    #expect(ill.text(.nagios).contains(" dead_letters=12;0; dead_letters_dropped=3;0; actors_ended=1;0; "))
    #expect(ill.text(.nagios).contains(" singletons_unstarted=1;;0"))
    #expect(ill.text(.prometheus).contains("\ngridctl_dead_letters 12\n"))
    #expect(ill.text(.prometheus).contains("\ngridctl_node_actors_ended{node=\"n1\"} 1\n"))
    #expect(ill.text(.json).contains("\"dead_letters\": {"))
  }

  @Test func `bounds say what is a warning and what is critical`() {
    var limits = HealthLimits()
    func status(_ bound: HealthBound<Int>, _ letters: Int64) -> HealthReport.Status {
      limits.deadLetters = bound
      let said: JSONValue = ["recent": .integer(letters), "kept": 0, "dropped": 0, "failure": .null]
      return report([peer("n1", "alive")], [node("n1", ["deadLetters": said])], limits).status
    }
    let bound = HealthBound(warning: 5, critical: 10)
    #expect([0, 5, 6, 10, 11].map { status(bound, $0) } == [.ok, .ok, .warning, .warning, .critical])
    #expect(status(HealthBound(critical: 0), 1) == .critical)
    #expect(status(HealthBound(), .max) == .ok)
  }

  @Test func `what other machines send as numbers ends nobody`() {
    let vast: JSONValue = ["recent": .integer(.max), "kept": .integer(.min), "dropped": .integer(.max)]
    let two = [node("n1", ["deadLetters": vast]), node("n2", ["deadLetters": vast, "failing": .integer(.max)])]
    let ill = report([peer("n1", "alive", mailbox: .max, rtt: 1e300), peer("n2", "alive", rtt: -1)], two)
    #expect(ill.measures.first { $0.name == "dead_letters" }?.value == .max)
    for form in HealthReport.Form.allCases { #expect(!ill.text(form).isEmpty) }
    #expect(HealthReport(ClusterHealth(), limits: HealthLimits()).status == .critical)
  }

  @Test func `a store that does not answer, and a node that does not know the question`() {
    let away: [String: JSONValue] = ["store": ["failure": "etcd cannot be reached", "advice": "is it running?"]]
    let ill = report([peer("n1", "alive")], [node("n1", away)])
    #expect(wrong(ill) == ["critical store: as node n1 sees it: etcd cannot be reached"])
    let silent = report(
      [peer("n1", "alive"), peer("n2", "alive")], [node("n1")],
      missing: [["node": "n2", "message": "does not know the request"]])
    #expect(silent.status == .unknown && silent.status.nagiosCode == 3)
    let old: [String: JSONValue] = ["store": ["engine": "etcd", "version": "etcd 3.4.23", "place": "h:1"]]
    #expect(report([peer("n1", "alive")], [node("n1", old)]).status == .warning)
  }

  @Test func `nobody answers`() {
    let lost = HealthReport(unreachable: GridError(.unavailable, "no | node\nanswers", hint: "start one"))
    #expect(lost.text(.nagios) == "GRIDCTL CRITICAL - connection: no  node\\nanswers | peers=0\n")
    #expect(lost.text(.json).contains("\"status\": \"critical\""))
    #expect(HealthReport(unreachable: GridError(.protocolMismatch, "another version")).status.nagiosCode == 3)
  }

  @Test(arguments: [
    ("5", nil as Int?, 5 as Int?), ("5:10", 5, 10), ("5:", 5, nil), ("0:0", 0, 0),
  ])
  func `bounds as they are typed`(_ text: String, _ warning: Int?, _ critical: Int?) throws {
    #expect(try HealthBound.count(text, "--max-x") == HealthBound(warning: warning, critical: critical))
  }

  @Test(arguments: ["", ":", "x", "-1", "5:x", ":5", "10:5", "1:2:3", "99999999999999999999"])
  func `what is no bound`(_ text: String) throws {
    let error = try #require(throws: GridError.self) { try HealthBound.count(text, "--max-x") }
    #expect(error.code == .usage && error.message.contains("--max-x") && error.hint != nil)
  }
}
