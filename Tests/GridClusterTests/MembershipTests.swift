internal import GridCore
internal import GridTestKit
internal import Synchronization
internal import Testing

@testable internal import GridCluster

@Suite("Membership", .timeLimit(.minutes(5)))
struct MembershipTests {
  private let clock = ManualClock()

  private func server() -> InMemoryStoreServer { InMemoryStoreServer(timers: clock) }

  @Test("the first free name is taken, also when many join at once")
  func names() async throws {
    let server = server()
    let names = (1...40).map { "n\($0)" }
    let taken = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<20 {
        group.addTask {
          let member = Member(server)
          return try await member.membership.join(names: names) { record($0) }.name
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(taken) == Set(names.prefix(20)))
  }

  @Test("a name that is taken is refused, and nothing of the attempt stays")
  func takenName() async throws {
    let server = server()
    let first = Member(server)
    try await first.join("a")
    let second = Member(server)
    await #expect(throws: GridError(.nameTaken, "")) { try await second.join("a") }
    #expect(server.leases.count == 1)
    #expect(!second.membership.isValid(at: clock.now()))
    #expect(throws: GridError(.notServing, "")) { _ = try second.membership.currentLease() }
  }

  @Test("an attempt whose answer is lost leaves no record and no lease behind", arguments: [true, false])
  func lostAnswer(revokeFails: Bool) async throws {
    let server = server()
    let client = InMemoryCoordinationStore(server: server)
    let store = InterposedStore(client)
    let member = Member(server, store: store)
    store.set { hooks in
      hooks.afterCommit = { () throws(GridError) in throw GridError(.unavailable, "the answer was lost") }
      if revokeFails { hooks.beforeRevoke = { () throws(GridError) in throw GridError(.unavailable, "no way") } }
    }
    await #expect(throws: GridError(.unavailable, "")) { try await member.join("a") }
    #expect(!member.membership.isValid(at: clock.now()))
    clock.advance(by: .seconds(1))
    #expect(!member.membership.isValid(at: clock.now()), "a renewal of the attempt's lease makes no owner")
    store.set { $0 = InterposedStore.Hooks() }
    if !revokeFails { #expect(server.leases.isEmpty) }
    let joined = try await member.join("a")
    #expect(joined.name == "a")
    #expect(server.leases.count == 1)
    #expect(member.membership.isValid(at: clock.now()))
  }

  @Test("an owner stops being one before its lease ends in the store, at every moment")
  func endsBeforeOthersBegin() async throws {
    let server = server()
    let owner = Member(server)
    let other = Member(server)
    try await owner.join("a")
    clock.advance(by: .seconds(60))
    #expect(owner.membership.isValid(at: clock.now()))
    server.pauseRenewals(of: owner.client)
    var owned = 0
    var free = 0
    for _ in 0..<60 {
      clock.advance(by: .milliseconds(100))
      let isOwner = owner.membership.isValid(at: clock.now())
      let isTaken = try await other.client.get(clusterKeys.node("a")) != nil
      #expect(isTaken || !isOwner, "an owner of nothing")
      if isOwner { owned += 1 }
      if !isTaken { free += 1 }
    }
    #expect(owned > 30 && free > 5)
    try await other.join("a")
    #expect(other.membership.isValid(at: clock.now()))
    #expect(owner.membership.remainingValidity(at: clock.now()) == .zero)
  }

  @Test("a lost lease: the loss is told, and the node is a member again under a larger incarnation")
  func rejoin() async throws {
    let server = server()
    let members = [Member(server), Member(server)]
    let first = try await members[0].join("a")
    try await members[1].join("b")
    try await running(members) {
      try await wait(for: "peers") { members.allSatisfy { $0.membership.peers.count == 1 } }
      let lease = try members[0].membership.currentLease()
      let claimed = try await members[0].membership.locator.claim(
        ActorRecord(name: "actor", kind: "echo", node: "a", incarnation: first.incarnation), lease: lease.identifier)
      #expect(try await members[1].membership.locator.lookUp("actor")?.epoch == claimed)
      #expect(members[1].membership.locator.cached("actor")?.epoch == claimed)
      server.endLease(lease.identifier)
      try await wait(for: "a new membership") { members[0].own.count == 2 }
      let again = try #require(members[0].membership.record)
      #expect(members[0].own == [.lost(.leaseLost), .joined("a", again.incarnation)])
      #expect(again.incarnation > first.incarnation)
      #expect(members[0].membership.isValid(at: clock.now()))
      try await wait(for: "the peer to hear of both") {
        members[1].membership.peer("a")?.incarnation == again.incarnation
      }
      try await wait(for: "the name to be free") { members[1].membership.locator.cached("actor") == nil }
      #expect(
        members[1].events == [
          .peerJoined("a", first.incarnation), .peerLeft("a"), .peerJoined("a", again.incarnation),
        ])
    }
  }

  @Test("a lease lost while the node joins is no loss of the membership that follows")
  func lossWhileJoining() async throws {
    let server = server()
    let client = InMemoryCoordinationStore(server: server)
    let store = InterposedStore(client)
    let member = Member(server, store: store)
    try await member.join("a")
    let endings = Mutex(0)
    store.set { hooks in
      hooks.beforeCommit = { () throws(GridError) in
        // The leases of the first two attempts to join again end before they are used.
        if endings.withLock({
          $0 += 1; return $0
        }) <= 2 {
          server.endAllLeases()
        }
      }
    }
    try await running([member]) {
      server.endAllLeases()
      try await wait(for: "a new membership") { member.own.count == 2 }
      clock.advance(by: .seconds(10))
      try await wait(for: "two failed attempts") { endings.withLock { $0 } == 3 }
      #expect(member.membership.isValid(at: clock.now()))
      #expect(server.leases.count == 1)
      #expect(member.own.map(Self.isJoin) == [false, true])
    }
  }

  @Test("a lease that ends right after the record was written is noticed")
  func lossAfterRegistering() async throws {
    let server = server()
    let client = InMemoryCoordinationStore(server: server)
    let store = InterposedStore(client)
    let member = Member(server, store: store)
    let isFirst = Mutex(true)
    store.set { hooks in
      hooks.afterCommit = { () throws(GridError) in
        if isFirst.withLock({ first in
          defer { first = false }; return first
        }) {
          server.endAllLeases()
        }
      }
    }
    try await member.join("a")
    #expect(!member.membership.isValid(at: clock.now()))
    try await running([member]) {
      try await wait(for: "a membership that holds") { member.own.count == 2 }
      #expect(member.own.map(Self.isJoin) == [false, true])
      #expect(member.membership.isValid(at: clock.now()))
      #expect(server.leases.count == 1)
    }
  }

  @Test("who leaves while it joins again is no member afterwards")
  func leaveWhileJoining() async throws {
    let server = server()
    let client = InMemoryCoordinationStore(server: server)
    let store = InterposedStore(client)
    let member = Member(server, store: store)
    try await member.join("a")
    let isWaiting = Mutex(false)
    let mayGoOn = Mutex(false)
    store.set { hooks in
      hooks.beforeCommit = {
        isWaiting.withLock { $0 = true }
        while !mayGoOn.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(1)) }
      }
    }
    try await running([member]) {
      server.endAllLeases()
      try await wait(for: "the attempt to join") { isWaiting.withLock { $0 } }
      await member.membership.leave()
      mayGoOn.withLock { $0 = true }
      try await wait(for: "the lease to be given back") { server.leases.isEmpty }
    }
    #expect(!member.membership.isValid(at: clock.now()))
    #expect(try await client.get(clusterKeys.node("a")) == nil)
    #expect(!member.own.contains(where: Self.isJoin))
  }

  @Test("who leaves is gone for its peers at once, and owns nothing, whatever is still renewed")
  func leave() async throws {
    let server = server()
    let members = [Member(server), Member(server)]
    let left = try await members[0].join("a")
    try await members[1].join("b")
    try await running(members) {
      try await wait(for: "peers") { members[1].membership.peers.count == 1 }
      await members[0].membership.leave()
      try await wait(for: "the peer to hear of it") { members[1].membership.peers.isEmpty }
      #expect(members[1].events == [.peerJoined("a", left.incarnation), .peerLeft("a")])
      clock.advance(by: .seconds(3))
      #expect(!members[0].membership.isValid(at: clock.now()))
      #expect(members[0].own.isEmpty, "leaving is no loss")
    }
  }

  @Test("a store that cannot be reached: ownership ends in time, and begins again afterwards")
  func unreachable() async throws {
    let server = server()
    let members = [Member(server), Member(server)]
    try await members[0].join("a")
    try await members[1].join("b")
    try await running(members) {
      try await wait(for: "peers") { members[1].membership.peers.count == 1 }
      server.setReachable(false, for: members[0].client)
      clock.advance(by: .seconds(6))
      #expect(!members[0].membership.isValid(at: clock.now()))
      try await wait(for: "the loss") { members[0].own.first == .lost(.leaseLost) }
      try await wait(for: "the peer to hear of it") { members[1].membership.peers.isEmpty }
      server.setReachable(true, for: members[0].client)
      try await wait(for: "a new membership") { members[0].own.count == 2 }
      try await wait(for: "the peer to hear of it") { members[1].membership.peers.count == 1 }
      #expect(members[0].membership.isValid(at: clock.now()))
    }
  }

  @Test("a record that somebody deletes costs the membership, and a new one follows")
  func deletedRecord() async throws {
    let server = server()
    let member = Member(server)
    try await member.join("a")
    try await running([member]) {
      // Heard of only by a watch that has begun.
      try await wait(for: "the loss") {
        _ = try await member.client.commit(StoreTransaction(then: [.delete(key: clusterKeys.node("a"))]))
        return member.own.count >= 2
      }
      #expect(member.own.prefix(2).map(Self.isJoin) == [false, true])
    }
  }

  @Test("the picture of the peers survives broken watches, compactions and fresh starts")
  func watches() async throws {
    let server = server()
    let observer = Member(server)
    try await observer.join("observer")
    try await running([observer]) {
      var present: Set<String> = []
      for round in 0..<12 {
        let joining = Member(server)
        switch round % 4 {
        case 0: server.breakWatches()
        case 1: server.restartWatches()
        case 2: server.compact()
        default: server.pauseWatches()
        }
        try await joining.join("n\(round)")
        present.insert("n\(round)")
        if round % 3 == 2 {
          await joining.membership.leave()
          present.remove("n\(round)")
        }
        server.pauseWatches(isPaused: false)
        try await wait(for: "round \(round)") { Set(observer.membership.peers.map(\.name)) == present }
      }
      #expect(observer.own.isEmpty)
    }
  }

  @Test("entries that are no records are passed by")
  func foreignEntries() async throws {
    let server = server()
    let member = Member(server)
    try await member.join("a")
    let other = Member(server)
    for (key, value) in [("x", "no JSON"), ("y", "{}"), ("\u{301}b", "[]"), ("", "1")] {
      _ = try await other.client.commit(
        StoreTransaction(then: [.put(key: clusterKeys.nodes + key, value: Array(value.utf8), lease: 0)]))
    }
    try await running([member]) {
      try await other.join("b")
      try await wait(for: "the peer") { member.membership.peers.map(\.name) == ["b"] }
      _ = try await other.client.commit(StoreTransaction(then: [.delete(key: clusterKeys.nodes + "\u{301}b")]))
      try await Member(server).join("c")
      try await wait(for: "both peers") { member.membership.peers.map(\.name) == ["b", "c"] }
    }
  }

  private static func isJoin(_ event: Member.Event) -> Bool {
    if case .joined = event { true } else { false }
  }
}
