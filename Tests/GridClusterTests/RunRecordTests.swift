internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import GridCluster

@Suite("Records of runs", .timeLimit(.minutes(5)))
struct RunRecordTests {
  @Test("only who leads records a run, and its record outlives its lease")
  func fenced() async throws {
    let store = InMemoryCoordinationStore(server: InMemoryStoreServer(timers: ManualClock()))
    let directory = StoreClaims(store: store, keys: clusterKeys)
    func lead(_ node: String) async throws -> (lease: StoreLease, token: Int64) {
      let lease = try await store.grantLease(timeToLive: .seconds(5), observer: LeaseRecorder())
      let start = CalendarTime(millisecondsSince1970: 0)
      let record = LeaderRecord(name: "nightly", node: node, incarnation: 1, holder: "", since: start)
      guard case .won(let token) = try await directory.claim(record, lease: lease.identifier) else {
        throw GridError(.failed, "somebody else leads")
      }
      return (lease, token)
    }
    func run(_ node: String, _ token: Int64) -> RunRecord {
      let time = CalendarTime(millisecondsSince1970: token)
      return RunRecord(name: "nightly", node: node, holder: "h", startedAt: time, endedAt: time, token: token)
    }
    let first = try await lead("n1")
    #expect(try await directory.lastRun("nightly") == nil)
    #expect(try await directory.record(run("n1", first.token)))
    try await store.revoke(first.lease)
    #expect(try await directory.lastRun("nightly") == run("n1", first.token))
    // Nobody leads, and then somebody else does: the old token writes nothing.
    #expect(try await directory.record(run("n1", first.token)) == false)
    let second = try await lead("n2")
    #expect(try await directory.record(run("n1", first.token)) == false)
    #expect(try await directory.record(run("n2", second.token)))
    #expect(try await directory.lastRun("nightly") == run("n2", second.token))
    #expect(try await directory.lastRun("other") == nil)
  }
}
