internal import GridCore
internal import GridRequests
internal import GridTestKit
internal import Testing

@testable internal import GridCluster

@Suite("Tokens in the store", .timeLimit(.minutes(5)))
struct TokenTests {
  private let server = InMemoryStoreServer(timers: ManualClock())

  private static func time(_ milliseconds: Int64) -> CalendarTime { CalendarTime(millisecondsSince1970: milliseconds) }

  private static func token(_ name: String = "abcdefabcdef", expires: Int64 = 1000) -> TokenRecord {
    var record = TokenRecord()
    record.name = name
    record.role = .operator
    record.readsBodies = true
    record.isSingleUse = true
    (record.storedKey, record.serverKey) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))
    record.createdAt = time(0)
    record.createdBy = "ada (socket)"
    record.expiresAt = time(expires)
    record.comment = "für Ada"
    return record
  }

  private func tokens() -> StoreTokens {
    StoreTokens(store: InMemoryCoordinationStore(server: server), keys: clusterKeys)
  }

  @Test("a record is read again as it was written; what is no record of ours is none")
  func codec() throws {
    var record = Self.token()
    #expect(try TokenRecord(json: record.json) == record)
    (record.revokedAt, record.usedAt) = (Self.time(5), Self.time(4))
    #expect(try TokenRecord(json: record.json) == record)
    for (key, value) in [("role", "king"), ("storedKey", "!"), ("name", .null), ("role", .null)]
      as [(String, JSONValue)]
    {
      #expect(throws: GridError.self) { try TokenRecord(json: record.json.with(key, value)) }
    }
  }

  @Test(
    "what becomes of a token",
    arguments: [
      (nil, nil, 999, .live, nil), (nil, nil, 1000, .expired(time(1000)), 1000), (nil, 500, 600, .used(time(500)), nil),
      (nil, 500, 1000, .used(time(500)), 1000), (700, nil, 600, .revoked(time(700)), 700),
      (700, 500, 800, .revoked(time(700)), 700),
    ] as [(Int64?, Int64?, Int64, TokenRecord.State, Int64?)])
  func states(revoked: Int64?, used: Int64?, now: Int64, state: TokenRecord.State, closes: Int64?) {
    var record = Self.token()
    record.revokedAt = revoked.map(Self.time)
    record.usedAt = used.map(Self.time)
    #expect(record.state(at: Self.time(now)) == state)
    #expect((record.objection(at: Self.time(now)) == nil) == (state == .live))
    // To have been used ends no connection that is there.
    #expect((record.closure(at: Self.time(now)) != nil) == (closes != nil))
    #expect(record.nextChange(after: Self.time(now)) > Self.time(now))
    let day = Int64(86_400_000)
    #expect(record.forgottenAt == Self.time(min(revoked ?? 1000, 1000) + day))
  }

  @Test("the reason names the token and what became of it")
  func reasons() {
    var record = Self.token()
    #expect(record.objection(at: Self.time(2000))?.message.hasPrefix("token abcdefabcdef has expired at 1970-") == true)
    record.usedAt = Self.time(1)
    #expect(record.objection(at: Self.time(2))?.message.contains("was good for one connection") == true)
    record.revokedAt = Self.time(1)
    #expect(record.objection(at: Self.time(2))?.message.contains("was revoked at 1970-") == true)
    #expect(record.objection(at: Self.time(2))?.code == .refused)
  }

  @Test("made once, asked for twice; another one of that identifier is refused")
  func creation() async throws {
    let tokens = tokens()
    let revision = try await tokens.create(Self.token())
    var again = Self.token()
    again.createdAt = Self.time(9)
    #expect(try await tokens.create(again) == revision)
    again.storedKey[0] = 7
    await #expect(throws: GridError(.nameTaken, "")) { try await tokens.create(again) }
    #expect(try await tokens.lookUpAll() == [Self.token()])
    server.loseNextAnswer()
    await #expect(throws: GridError(.unavailable, "")) { try await tokens.create(Self.token("bcdefabcdefa")) }
    _ = try await tokens.create(Self.token("bcdefabcdefa"))
    #expect(try await tokens.lookUpAll().count == 2)
  }

  @Test("of many that use a token for one connection at once exactly one gets in")
  func singleUse() async throws {
    _ = try await tokens().create(Self.token())
    let winners = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<32 {
        let tokens = tokens()
        group.addTask { (try? await tokens.use("abcdefabcdef", at: Self.time(1))) != nil }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(winners == 1)
    await #expect(throws: GridError(.refused, "")) { try await tokens().use("abcdefabcdef", at: Self.time(2)) }
    await #expect(throws: GridError(.notFound, "")) { try await tokens().use("nobodynobody", at: Self.time(2)) }
  }

  @Test("an expired or revoked token is not used up")
  func ended() async throws {
    let tokens = tokens()
    _ = try await tokens.create(Self.token())
    await #expect(throws: GridError(.refused, "")) { try await tokens.use("abcdefabcdef", at: Self.time(1000)) }
    let first = try await tokens.revoke("abcdefabcdef", at: Self.time(5))
    let second = try await tokens.revoke("abcdefabcdef", at: Self.time(6))
    #expect(first.record.revokedAt == Self.time(5) && second.record == first.record)
    #expect(second.revision == first.revision)
    await #expect(throws: GridError(.refused, "")) { try await tokens.use("abcdefabcdef", at: Self.time(7)) }
    await #expect(throws: GridError(.notFound, "")) { try await tokens.revoke("nobodynobody", at: Self.time(7)) }
  }

  @Test("every member hears of what is made and revoked, and forgets what ended long ago")
  func mirror() async throws {
    let members = [Member(server), Member(server)]
    try await running(members) {
      let timers = DispatchTimers()
      let (first, second) = (members[0].membership.tokens, members[1].membership.tokens)
      let made = try await first.create(Self.token())
      #expect(await second.hears(of: "abcdefabcdef", revision: made, atMost: .seconds(30), on: timers))
      #expect(second["abcdefabcdef"] == Self.token())
      let (record, revision) = try await first.revoke("abcdefabcdef", at: Self.time(5))
      #expect(await second.hears(of: "abcdefabcdef", revision: revision, atMost: .seconds(30), on: timers))
      #expect(second["abcdefabcdef"] == record && second.all == [record])
      #expect(await second.hears(of: "abcdefabcdef", revision: revision + 1, atMost: .zero, on: timers) == false)
      try await second.forgetEnded(at: Self.time(86_400_004))
      #expect(try await first.lookUpAll().count == 1)
      try await second.forgetEnded(at: Self.time(86_400_005))
      #expect(try await first.lookUpAll().isEmpty)
      try await wait(for: "the others to forget it") { first.all.isEmpty && second.all.isEmpty }
    }
  }
}
