internal import GridConcurrency
internal import GridCore
internal import GridTestKit
internal import Synchronization
internal import Testing

@testable internal import GridCluster

@Suite("Locations of names", .timeLimit(.minutes(5)))
struct StoreLocatorTests {
  private let clock = ManualClock()
  private let server: InMemoryStoreServer

  init() { server = InMemoryStoreServer(timers: clock) }

  /// One node's locator, with a lease to claim under.
  private struct Node {
    let client: InMemoryCoordinationStore
    let locator: StoreLocator
    let lease: StoreLease
    let name: String

    func claim(_ actor: String, kind: String = "echo") async throws(GridError) -> Int64 {
      try await locator.claim(
        ActorRecord(name: actor, kind: kind, node: name, incarnation: 1), lease: lease.identifier)
    }
  }

  private func node(_ name: String, _ wrap: (InMemoryCoordinationStore) -> any CoordinationStore = { $0 }) async throws
    -> Node
  {
    let client = InMemoryCoordinationStore(server: server)
    let lease = try await client.grantLease(timeToLive: .seconds(5), observer: LeaseRecorder())
    return Node(
      client: client, locator: StoreLocator(store: wrap(client), keys: clusterKeys, clock: clock), lease: lease,
      name: name)
  }

  @Test("of simultaneous claims of many nodes exactly one wins, and the others are told who")
  func oneWinner() async throws {
    var nodes: [Node] = []
    for number in 0..<16 { nodes.append(try await node("n\(number)")) }
    for round in 0..<20 {
      let results = await withTaskGroup(of: (String, Result<Int64, GridError>).self) { group in
        for node in nodes {
          group.addTask {
            do throws(GridError) {
              return (node.name, .success(try await node.claim("actor\(round)")))
            } catch {
              return (node.name, .failure(error))
            }
          }
        }
        return await group.reduce(into: [(String, Result<Int64, GridError>)]()) { $0.append($1) }
      }
      let winners = results.filter { (try? $0.1.get()) != nil }
      #expect(winners.count == 1)
      let winner = try #require(winners.first?.0)
      for case (let loser, .failure(let error)) in results {
        #expect(error.code == .nameTaken, "\(loser)")
        #expect(error.message.contains("runs on \(winner) as kind echo"), "\(error)")
      }
    }
  }

  @Test("what was used is remembered, and corrected by what the watch tells")
  func corrections() async throws {
    let owner = try await node("a")
    let reader = try await node("b")
    try await watching([reader]) {
      let epoch = try await owner.claim("actor")
      #expect(try await reader.locator.locate("actor")?.epoch == epoch)
      #expect(reader.locator.cached("actor")?.node == "a")
      try await owner.locator.release("actor", epoch: epoch)
      try await wait(for: "the release") { reader.locator.cached("actor") == nil }
      for number in 0..<10 {
        _ = try await owner.claim("actor\(number)")
        _ = try await reader.locator.locate("actor\(number)")
      }
      #expect(reader.locator.names(atMost: 100).count == 10)
      server.endLease(owner.lease.identifier)
      try await wait(for: "their end") { reader.locator.names(atMost: 100).isEmpty }
    }
  }

  @Test("nothing is kept of names that nobody here has asked for")
  func indifference() async throws {
    let owner = try await node("a")
    let reader = try await node("b")
    try await watching([owner, reader]) {
      let ring = reader.locator.listen(for: "last")
      for number in 0..<100 { _ = try await owner.claim("actor\(number)") }
      _ = try await owner.claim("last")
      await ring.wait(atMost: .seconds(30), on: DispatchTimers())
      for node in [owner, reader] { #expect(node.locator.names(atMost: 1000).isEmpty) }
      await reader.locator.sampleNames(near: "actor1")
      #expect(reader.locator.names(atMost: 1000).count == 101)
    }
  }

  @Test("a flood of questions for a name that nobody has costs two in half a second; its claim is heard of at once")
  func missing() async throws {
    let owner = try await node("a")
    let questions = Mutex(0)
    let reader = try await node("b") { client in
      let store = InterposedStore(client)
      store.set { $0.afterGet = { () throws(GridError) in questions.withLock { $0 += 1 } } }
      return store
    }
    try await watching([reader]) {
      for _ in 0..<1000 { #expect(try await reader.locator.locate("actor") == nil) }
      #expect(questions.withLock { $0 } == 2)
      clock.advance(by: .milliseconds(501))
      for _ in 0..<1000 { #expect(try await reader.locator.locate("actor") == nil) }
      #expect(questions.withLock { $0 } == 4)
      let epoch = try await owner.claim("actor")
      try await wait(for: "the claim") { try await reader.locator.locate("actor")?.epoch == epoch }
    }
  }

  @Test("names with a beginning are counted as the watch tells of them")
  func counts() async throws {
    let owner = try await node("a")
    let reader = try await node("b")
    try await watching([reader]) {
      for number in 0..<5 { _ = try await owner.claim("one-\(number)") }
      #expect(try await reader.locator.count(withPrefix: "one-") == 5)
      #expect(try await reader.locator.count(withPrefix: "two-") == 0)
      let epoch = try await owner.claim("two-1")
      _ = try await owner.claim("three-1")
      try await wait(for: "one") { try await reader.locator.count(withPrefix: "two-") == 1 }
      try await owner.locator.release("two-1", epoch: epoch)
      try await wait(for: "none") { try await reader.locator.count(withPrefix: "two-") == 0 }
      #expect(try await reader.locator.count(withPrefix: "one-") == 5)
    }
  }

  @Test("a release with an old epoch leaves the later claim alone")
  func fencedRelease() async throws {
    let first = try await node("a")
    let second = try await node("b")
    let old = try await first.claim("actor")
    try await first.locator.release("actor", epoch: old)
    let new = try await second.claim("actor")
    #expect(new > old)
    try await first.locator.release("actor", epoch: old)
    #expect(try await first.locator.lookUp("actor")?.epoch == new)
    #expect(first.locator.cached("actor")?.epoch == new)
  }

  @Test("a claim under a lease that has ended fails as lost, and claims nothing")
  func endedLease() async throws {
    let node = try await node("a")
    server.endLease(node.lease.identifier)
    await #expect(throws: GridError(.leaseLost, "")) { _ = try await node.claim("actor") }
    #expect(node.locator.cached("actor") == nil)
    #expect(try await node.locator.lookUp("actor") == nil)
  }

  @Test("a claim whose answer was lost is found to be ours")
  func lostAnswer() async throws {
    let node = try await node("a")
    server.loseNextAnswer()
    let epoch = try await node.claim("actor")
    #expect(try await node.locator.lookUp("actor")?.epoch == epoch)
    #expect(try await node.locator.doubtfulClaims(lease: node.lease.identifier).isEmpty)
  }

  @Test("a claim that is carried out after its sender has given up is found, for a while", arguments: [1, 300])
  func lateClaim(count: Int) async throws {
    let interposed = Mutex<InterposedStore?>(nil)
    let node = try await node("a") { client in
      let store = InterposedStore(client)
      interposed.withLock { $0 = store }
      return store
    }
    let store = try #require(interposed.withLock { $0 })
    store.set { $0.beforeCommit = { () throws(GridError) in throw GridError(.unavailable, "it is away") } }
    for number in 0..<count {
      await #expect(throws: GridError(.unavailable, "")) { _ = try await node.claim("actor\(number)") }
    }
    store.set { $0 = InterposedStore.Hooks() }
    let lease = node.lease.identifier
    #expect(try await node.locator.doubtfulClaims(lease: lease).isEmpty)
    let late = ActorRecord(name: "actor0", kind: "echo", node: "a", incarnation: 1)
    let outcome = try await node.client.commit(
      StoreTransaction(then: [.put(key: clusterKeys.actor("actor0"), value: late.json.serialized(), lease: lease)]))
    #expect(try await node.locator.doubtfulClaims(lease: lease) == ["actor0": outcome.revision])
    #expect(try await node.locator.doubtfulClaims(lease: lease + 1).isEmpty)
    for _ in 0..<DoubtfulClaims.looks { _ = try await node.locator.doubtfulClaims(lease: lease) }
    #expect(try await node.locator.doubtfulClaims(lease: lease).isEmpty, "it is not looked for for ever")
  }

  @Test("a claim whose answer was lost does not take over what this node claimed before")
  func lostAnswerOfASecondClaim() async throws {
    let node = try await node("a")
    let epoch = try await node.claim("actor")
    server.loseNextAnswer()
    await #expect(throws: GridError(.unavailable, "")) { _ = try await node.claim("actor") }
    #expect(try await node.locator.lookUp("actor")?.epoch == epoch)
  }

  @Test("a claim that was lost does not take over what this node claims beside it")
  func twoClaimsAtOnce() async throws {
    let interposed = Mutex<InterposedStore?>(nil)
    let node = try await node("a") { client in
      let store = InterposedStore(client)
      interposed.withLock { $0 = store }
      return store
    }
    let store = try #require(interposed.withLock { $0 })
    let (isOnItsWay, otherIsThere) = (Latch(), Latch())
    let isFirst = Mutex(true)
    store.set { hooks in
      hooks.beforeCommit = { () throws(GridError) in
        let isLost = isFirst.withLock { isFirst in
          defer { isFirst = false }
          return isFirst
        }
        guard isLost else { return }
        isOnItsWay.open()
        // Long enough for the other one, if that did not wait for this one.
        await otherIsThere.wait(atMost: .milliseconds(200), on: DispatchTimers())
        throw GridError(.unavailable, "it is away")
      }
      hooks.afterCommit = { () throws(GridError) in otherIsThere.open() }
    }
    async let lost = Self.failure(of: node)
    await isOnItsWay.wait()
    let epoch = try await node.claim("actor")
    let failure = await lost
    #expect(failure == .unavailable)
    #expect(try await node.locator.lookUp("actor")?.epoch == epoch)
  }

  /// How its claim of a name fails; nil when it does not.
  private static func failure(of node: Node) async -> GridError.Code? {
    do throws(GridError) {
      _ = try await node.claim("actor")
      return nil
    } catch {
      return error.code
    }
  }

  @Test("an answer that is older than what the watch has told is not remembered")
  func staleLookUp() async throws {
    let owner = try await node("a")
    let epoch = try await owner.claim("actor")
    let interposed = Mutex<InterposedStore?>(nil)
    let reader = try await node("b") { client in
      let store = InterposedStore(client)
      interposed.withLock { $0 = store }
      return store
    }
    let store = try #require(interposed.withLock { $0 })
    try await watching([reader]) {
      let locator = owner.locator
      store.set { hooks in
        hooks.afterGet = { () throws(GridError) in
          // The name is released, and the reader hears of it, while the answer is on its way.
          let ring = reader.locator.listen(for: "actor")
          try await locator.release("actor", epoch: epoch)
          await ring.wait(atMost: .seconds(30), on: DispatchTimers())
        }
      }
      let answer = try await reader.locator.lookUp("actor")
      #expect(answer?.epoch == epoch, "that is what the store answered")
      #expect(reader.locator.cached("actor") == nil, "but it is known to be over")
    }
  }

  @Test("after a gap nothing is remembered, and entries that are no records are passed by")
  func gap() async throws {
    let owner = try await node("a")
    let reader = try await node("b")
    try await watching([reader]) {
      let epoch = try await owner.claim("one")
      #expect(try await reader.locator.locate("one")?.epoch == epoch)
      server.pauseWatches()
      try await owner.locator.release("one", epoch: epoch)
      for (key, value) in [("three", "no JSON"), ("four", "{}"), ("\u{301}two", "x")] {
        _ = try await owner.client.commit(
          StoreTransaction(then: [.put(key: clusterKeys.actors + key, value: Array(value.utf8), lease: 0)]))
        #expect(try await reader.locator.lookUp(key) == nil)
      }
      _ = try await owner.client.commit(StoreTransaction(then: [.delete(key: clusterKeys.actors + "\u{301}two")]))
      #expect(reader.locator.cached("one") != nil)
      server.compact()
      server.pauseWatches(isPaused: false)
      try await wait(for: "the gap") { reader.locator.cached("one") == nil }
    }
  }

  @Test("whoever listens for a name is woken by its change, and by a fresh start")
  func rings() async throws {
    let owner = try await node("a")
    let reader = try await node("b")
    try await watching([reader]) {
      let ring = reader.locator.listen(for: "actor")
      let epoch = try await owner.claim("actor")
      await ring.wait(atMost: .seconds(30), on: DispatchTimers())
      #expect(try await reader.locator.lookUp("actor")?.epoch == epoch)
      let other = reader.locator.listen(for: "other")
      server.restartWatches()
      let began = ContinuousClock.now
      await other.wait(atMost: .seconds(30), on: DispatchTimers())
      #expect(ContinuousClock.now - began < .seconds(30))
    }
  }

  /// Runs `body` while the nodes' locators watch.
  private func watching(_ nodes: [Node], _ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for node in nodes {
        let follows = Latch()
        group.addTask { try await node.locator.follow { follows.open() } }
        await follows.wait()
      }
      do {
        try await body()
      } catch {
        group.cancelAll()
        throw error
      }
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}
