internal import Grid
internal import GridTestKit
internal import Testing

@Suite("Names that nothing stands behind", .timeLimit(.minutes(5)))
struct ClaimTests {
  @Test("a name whose release the store could not hear of is free once the store is back")
  func releaseWhileAway() async throws {
    let server = InMemoryStoreServer()
    let store = InMemoryCoordinationStore(server: server)
    try await withCluster("a", configure: { $0.use(store) }) { cluster in
      let node = try cluster["a"]
      let first = try await node.spawn("echo", "x")
      server.setReachable(false, for: store)
      try await node.stop("x")
      server.setReachable(true, for: store)
      try await wait(for: "the name to be free") {
        try await code { try await node.tell("x", Message("?")) } == .noSuchActor
      }
      try await wait(for: "the store to agree") { try await server.keys().allSatisfy { !$0.hasSuffix("/x") } }
      #expect(try await node.spawn("echo", "x").epoch > first.epoch)
    }
  }

  @Test("a claim whose answer never came is given up by the node that made it; what runs is left alone")
  func orphan() async throws {
    let server = InMemoryStoreServer()
    let store = InMemoryCoordinationStore(server: server)
    try await withCluster("a", configure: { $0.use(store) }) { cluster in
      let node = try cluster["a"]
      try await node.spawn("echo", "x")
      let client = InMemoryCoordinationStore(server: server)
      let entry = try #require(try await client.range(prefix: "").entries.first { $0.key.hasSuffix("/x") })
      let text = String(decoding: entry.value, as: UTF8.self).replacing("\"x\"", with: "\"ghost\"")
      let key = String(entry.key.dropLast()) + "ghost"
      let outcome = try await client.commit(
        StoreTransaction(
          when: [.isAbsent(key)], then: [.put(key: key, value: Array(text.utf8), lease: entry.lease)]))
      #expect(outcome.succeeded)
      try await wait(for: "the ghost to go") { try await client.get(key) == nil }
      #expect(try await client.get(entry.key)?.createRevision == entry.createRevision)
      #expect(try await node.ask("x", Message("still here")).text == "still here")
      await client.close()
    }
  }
}

extension NodeConfiguration {
  /// Takes the twin, and a lease that outlasts the test.
  fileprivate mutating func use(_ store: InMemoryCoordinationStore) {
    self.store = store
    leaseTimeToLive = .seconds(60)
  }
}

extension InMemoryStoreServer {
  fileprivate func keys() async throws -> [String] {
    let client = InMemoryCoordinationStore(server: self)
    let keys = try await client.range(prefix: "").entries.map(\.key)
    await client.close()
    return keys
  }
}
