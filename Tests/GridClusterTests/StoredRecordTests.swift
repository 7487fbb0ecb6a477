internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import GridCluster

@Suite("Records that stand where they do not belong", .timeLimit(.minutes(5)))
struct StoredRecordTests {
  private let clock = ManualClock()

  private static let actor = ActorRecord(name: "calc", kind: "echo", node: "n1", incarnation: 1)
  private static let leader = LeaderRecord(
    name: "main", node: "n1", incarnation: 1, holder: "n1", since: CalendarTime(millisecondsSince1970: 0))

  @Test("a record is one of the name it stands under, or none")
  func underItsName() {
    func entry(_ key: String, _ json: JSONValue) -> StoreEntry {
      StoreEntry(key: key, value: json.serialized(), createRevision: 7, modifyRevision: 7, lease: 0)
    }
    let good = entry(clusterKeys.node("a"), record("a").json)
    #expect(NodeRecord(good, under: clusterKeys.nodes)?.name == "a")
    for (key, name) in [("a", "b"), ("", ""), ("a\n", "a\n"), ("a", ""), ("a/b", "a/b"), ("a", "a ")] {
      #expect(NodeRecord(entry(clusterKeys.nodes + key, record(name).json), under: clusterKeys.nodes) == nil, "\(key)")
    }
    #expect(NodeRecord(entry(clusterKeys.actor("a"), record("a").json), under: clusterKeys.nodes) == nil)
    #expect(ActorRecord(entry(clusterKeys.actor("calc"), Self.actor.json), under: clusterKeys.actors) == Self.actor)
    #expect(ActorRecord(entry(clusterKeys.actor("other"), Self.actor.json), under: clusterKeys.actors) == nil)
    #expect(
      LeaderRecord(entry(clusterKeys.leader("main"), Self.leader.json), under: clusterKeys.leaders) == Self.leader)
    #expect(LeaderRecord(entry(clusterKeys.leader("x"), Self.leader.json), under: clusterKeys.leaders) == nil)
  }

  @Test("a forged record is no peer, no actor and no leader, before and while it is watched for")
  func forged() async throws {
    let server = InMemoryStoreServer(timers: clock)
    let member = Member(server)
    try await member.join("a")
    let forger = InMemoryCoordinationStore(server: server)
    func forge(_ key: String, _ json: JSONValue) async throws {
      _ = try await forger.commit(StoreTransaction(then: [.put(key: key, value: json.serialized(), lease: 0)]))
    }
    try await forge(clusterKeys.node("z"), record("b").json)
    try await running([member]) {
      try await forge(clusterKeys.node("y"), record("b").json)
      try await forge(clusterKeys.actor("real"), Self.actor.json)
      try await forge(clusterKeys.leader("real"), Self.leader.json)
      // What is put last is told last.
      try await forge(clusterKeys.node("c"), record("c").json)
      try await wait(for: "the true one") { member.membership.peer("c") != nil }
      #expect(member.membership.peers.map(\.name) == ["c"])
      #expect(try await member.membership.lookUp("z") == nil)
      #expect(try await member.membership.locator.lookUp("real") == nil)
      #expect(try await member.membership.leaders.lookUp("real") == nil)
      #expect(member.membership.locator.cached("calc") == nil && member.membership.leaders.cached("main") == nil)
      // Under the true name stands a record of it again.
      try await forge(clusterKeys.node("y"), record("y").json)
      try await wait(for: "the record under its own name") { member.membership.peer("y") != nil }
    }
  }
}
