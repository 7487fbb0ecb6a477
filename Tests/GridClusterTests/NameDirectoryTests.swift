internal import GridCore
internal import GridTestKit
internal import Synchronization
internal import Testing

@testable internal import GridCluster

@Suite("Directory of names", .timeLimit(.minutes(2)))
struct NameDirectoryTests {
  private let server = InMemoryStoreServer(clock: ManualClock())

  /// One node's directory, with a lease to claim under.
  private struct Node {
    let client: InMemoryCoordinationStore
    let directory: NameDirectory
    let lease: StoreLease
    let name: String

    func claim(_ actor: String, kind: String = "echo") async throws(GridError) -> Int64 {
      try await directory.claim(
        ActorRecord(name: actor, kind: kind, node: name, incarnation: 1), lease: lease.identifier)
    }
  }

  private func node(_ name: String, _ wrap: (InMemoryCoordinationStore) -> any CoordinationStore = { $0 }) async throws
    -> Node
  {
    let client = InMemoryCoordinationStore(server: server)
    let lease = try await client.grantLease(timeToLive: .seconds(5), observer: LeaseRecorder())
    return Node(
      client: client, directory: NameDirectory(store: wrap(client), keys: clusterKeys), lease: lease, name: name)
  }

  @Test("of simultaneous claims from many directories exactly one wins, and the others are told who")
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

  @Test("the copy follows the watch: claims, releases and the ends of leases")
  func copyFollows() async throws {
    let owner = try await node("a")
    let reader = try await node("b")
    try await watching([reader]) {
      let epoch = try await owner.claim("actor")
      try await wait(for: "the claim") { reader.directory.cached("actor")?.epoch == epoch }
      #expect(reader.directory.cached("actor")?.record.node == "a")
      try await owner.directory.release("actor", epoch: epoch)
      try await wait(for: "the release") { reader.directory.cached("actor") == nil }
      for number in 0..<10 { _ = try await owner.claim("actor\(number)") }
      try await wait(for: "ten claims") { reader.directory.count(withPrefix: "") == 10 }
      server.endLease(owner.lease.identifier)
      try await wait(for: "their end") { reader.directory.count(withPrefix: "") == 0 }
    }
  }

  @Test("a release with an old epoch leaves the later claim alone")
  func fencedRelease() async throws {
    let first = try await node("a")
    let second = try await node("b")
    let old = try await first.claim("actor")
    try await first.directory.release("actor", epoch: old)
    let new = try await second.claim("actor")
    #expect(new > old)
    try await first.directory.release("actor", epoch: old)
    #expect(try await first.directory.lookUp("actor")?.epoch == new)
    #expect(second.directory.cached("actor")?.epoch == new)
  }

  @Test("a claim under a lease that has ended fails as lost, and claims nothing")
  func endedLease() async throws {
    let node = try await node("a")
    server.endLease(node.lease.identifier)
    await #expect(throws: GridError(.leaseLost, "")) { _ = try await node.claim("actor") }
    #expect(node.directory.cached("actor") == nil)
    #expect(try await node.directory.lookUp("actor") == nil)
  }

  @Test("a claim whose answer was lost is found to be ours")
  func lostAnswer() async throws {
    let node = try await node("a")
    server.loseNextAnswer()
    let epoch = try await node.claim("actor")
    #expect(try await node.directory.lookUp("actor")?.epoch == epoch)
    #expect(node.directory.cached("actor")?.epoch == epoch)
  }

  @Test("a claim whose answer was lost does not take over what this node claimed before")
  func lostAnswerOfASecondClaim() async throws {
    let node = try await node("a")
    let epoch = try await node.claim("actor")
    server.loseNextAnswer()
    await #expect(throws: GridError(.unavailable, "")) { _ = try await node.claim("actor") }
    #expect(node.directory.cached("actor")?.epoch == epoch)
  }

  @Test("an answer that is older than what the watch has told does not come into the copy")
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
      try await wait(for: "the claim") { reader.directory.cached("actor")?.epoch == epoch }
      let directory = owner.directory
      store.set { hooks in
        hooks.afterGet = { () throws(GridError) in
          // The name is released, and the reader hears of it, while the answer is on its way.
          try await directory.release("actor", epoch: epoch)
          while reader.directory.cached("actor") != nil { try? await Task.sleep(for: .milliseconds(1)) }
        }
      }
      #expect(try await reader.directory.lookUp("actor")?.epoch == epoch, "that is what the store answered")
      #expect(reader.directory.cached("actor") == nil, "but it is known to be over")
    }
  }

  @Test("a claim that was lost before it was told of does not come into the copy")
  func staleClaim() async throws {
    let interposed = Mutex<InterposedStore?>(nil)
    let node = try await node("a") { client in
      let store = InterposedStore(client)
      interposed.withLock { $0 = store }
      return store
    }
    let store = try #require(interposed.withLock { $0 })
    let server = server
    try await watching([node]) {
      let marker = StoreTransaction(then: [
        .put(
          key: clusterKeys.actor("marker"),
          value: ActorRecord(name: "marker", kind: "", node: "b", incarnation: 1).json.serialized(), lease: 0)
      ])
      store.set { hooks in
        hooks.afterCommit = { () throws(GridError) in
          server.endLease(node.lease.identifier)
          _ = try await node.client.commit(marker)
          while node.directory.cached("marker") == nil { try? await Task.sleep(for: .milliseconds(1)) }
        }
      }
      _ = try await node.claim("actor")
      #expect(node.directory.cached("actor") == nil)
      #expect(try await node.client.get(clusterKeys.actor("actor")) == nil)
    }
  }

  @Test("the copy is right after fresh starts, and passes by entries that are no records")
  func freshStart() async throws {
    let owner = try await node("a")
    let reader = try await node("b")
    try await watching([reader]) {
      let epoch = try await owner.claim("one")
      try await wait(for: "the claim") { reader.directory.names(atMost: 9) == ["one"] }
      server.pauseWatches()
      try await owner.directory.release("one", epoch: epoch)
      _ = try await owner.claim("two")
      for (key, value) in [("three", "no JSON"), ("four", "{}"), ("\u{301}two", "x")] {
        _ = try await owner.client.commit(
          StoreTransaction(then: [.put(key: clusterKeys.actors + key, value: Array(value.utf8), lease: 0)]))
      }
      _ = try await owner.client.commit(StoreTransaction(then: [.delete(key: clusterKeys.actors + "\u{301}two")]))
      server.compact()
      server.pauseWatches(isPaused: false)
      try await wait(for: "the complete state") { reader.directory.names(atMost: 9) == ["two"] }
    }
  }

  @Test("whoever listens for a name is woken by its change, and by a fresh start")
  func rings() async throws {
    let owner = try await node("a")
    let reader = try await node("b")
    try await watching([reader]) {
      try await wait(for: "the watch") {
        _ = try? await owner.claim("warm")
        return reader.directory.cached("warm") != nil
      }
      let ring = reader.directory.listen(for: "actor")
      let epoch = try await owner.claim("actor")
      await ring.wait(atMost: .seconds(30))
      #expect(reader.directory.cached("actor")?.epoch == epoch)
      let other = reader.directory.listen(for: "other")
      server.restartWatches()
      let began = ContinuousClock.now
      await other.wait(atMost: .seconds(30))
      #expect(ContinuousClock.now - began < .seconds(30))
    }
  }

  /// Runs `body` while the nodes' directories watch.
  private func watching(_ nodes: [Node], _ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for node in nodes { group.addTask { try await node.directory.watch() } }
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
