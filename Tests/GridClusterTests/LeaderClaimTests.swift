internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import GridCluster

@Suite("Claims of leaderships", .timeLimit(.minutes(5)))
struct LeaderClaimTests {
  private let server = InMemoryStoreServer(timers: ManualClock())

  private let holder = LeaderRecord(
    name: "chief", node: "a", incarnation: 1, holder: "node a", since: CalendarTime(millisecondsSince1970: 1))

  @Test("one that stands twice in the same moment is elected once")
  func once() async throws {
    let client = InMemoryCoordinationStore(server: server)
    let lease = try await client.grantLease(timeToLive: .seconds(5), observer: LeaseRecorder()).identifier
    let claims = StoreClaims(store: client, keys: clusterKeys)
    guard case .won(let token) = try await claims.claim(holder, lease: lease) else {
      Issue.record("not elected")
      return
    }
    #expect(try await claims.claim(holder, lease: lease) == .held(HeldClaim(holder: holder, token: token)))
    try await claims.release("chief", token: token)
    guard case .won(let next) = try await claims.claim(holder, lease: lease) else {
      Issue.record("not elected again")
      return
    }
    #expect(next > token)
  }

  @Test("one whose answer was lost is found to be ours")
  func lostAnswer() async throws {
    let client = InMemoryCoordinationStore(server: server)
    let lease = try await client.grantLease(timeToLive: .seconds(5), observer: LeaseRecorder()).identifier
    let claims = StoreClaims(store: client, keys: clusterKeys)
    server.loseNextAnswer()
    await #expect(throws: GridError(.unavailable, "")) { _ = try await claims.claim(holder, lease: lease) }
    let token = try #require(try await claims.lookUp("chief")?.token)
    #expect(try await claims.claim(holder, lease: lease) == .won(token: token))
  }
}
