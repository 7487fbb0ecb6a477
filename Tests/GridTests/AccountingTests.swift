internal import GridActors
internal import GridCore
internal import GridRequests
internal import Testing

@testable internal import Grid

/// Whatever is told is handled or a dead letter, each once, also when its actor is killed in the middle of a flood.
@Suite("A flood and the kill of its actor", .timeLimit(.minutes(5)))
struct AccountingTests {
  private static let tellers = 6
  private static let each = 3000

  /// Writes down what it is told.
  private struct Recorder: ImmediateActor {
    let handled: Collected<String>

    mutating func receive(_ message: Message, _ context: ActorContext) { handled.append(message.text) }
  }

  /// Tells an actor from two nodes while it is killed and made again.
  ///
  /// - Returns: what senders were told of as accepted, and as failed.
  private func flood(
    _ target: String, _ cluster: TestCluster, again: @escaping @Sendable () async throws -> Void
  ) async throws -> (accepted: Set<String>, failed: Set<String>) {
    let (accepted, failed) = (Collected<String>(), Collected<String>())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for teller in 0..<Self.tellers {
        let node = try cluster[teller.isMultiple(of: 2) ? "a" : "b"]
        group.addTask {
          for number in 0..<Self.each {
            let text = "\(teller * Self.each + number)"
            do {
              try await node.tell(target, Message(text), timeout: .seconds(60))
              accepted.append(text)
            } catch { failed.append(text) }
          }
        }
      }
      let wires = try await cluster["b"].running()
      for round in 1...3 {
        try await wait(for: "a part of the flood") {
          accepted.count + failed.count >= round * Self.tellers * Self.each / 5
        }
        _ = try await wires.desks.actors.stop(StopRequest(target, kills: true), wires.ownCall(timeout: .seconds(30)))
        try await again()
      }
      try await group.waitForAll()
    }
    return (Set(accepted.all), Set(failed.all))
  }

  @Test("a kind of its own: every message is handled or a letter, and none is both")
  func ownKind() async throws {
    let handled = Collected<String>()
    let kinds: (inout KindRegistry) -> Void = { $0.register("recorder") { _ in Recorder(handled: handled) } }
    try await withCluster("a", "b", kinds: kinds) { cluster in
      try await cluster["b"].spawn("recorder", "target")
      let told = try await flood("target", cluster) { try await cluster["b"].spawn("recorder", "target") }
      #expect(told.accepted.count + told.failed.count == Self.tellers * Self.each)
      try await cluster.stop("b")
      try await cluster.stop("a")
      let letters = try await cluster.letters(of: "a") + cluster.letters(of: "b")
      let (done, dead) = (handled.all, letters.map(\.message.text))
      #expect(done.count + dead.count == Self.tellers * Self.each)
      #expect(Set(done).union(dead).count == Self.tellers * Self.each)
      #expect(told.failed.isSubset(of: dead), "who was told of a failure finds the letter")
    }
  }

  @Test("the kinds of the house: their counts and the letters are all that was told", arguments: ["sink", "counter"])
  func builtInKind(_ kind: String) async throws {
    try await withCluster("a", "b") { cluster in
      let wires = try await cluster["b"].running()
      let cells = Collected<ActorCell>()
      let spawn: @Sendable () async throws -> Void = {
        _ = try await wires.actors.spawner.spawn(
          SpawnRequest(kind: kind, name: "target"), wires.ownCall(timeout: .seconds(30)))
        if let cell = wires.traffic.cells["target"] { cells.append(cell) }
      }
      try await spawn()
      let told = try await flood("target", cluster, again: spawn)
      #expect(told.accepted.count + told.failed.count == Self.tellers * Self.each)
      try await cluster.stop("b")
      try await cluster.stop("a")
      let processed = cells.all.reduce(0) { $0 + $1.report(at: wires.timers.now(), withDetails: false).processed }
      let letters = try await cluster.letters(of: "a") + cluster.letters(of: "b")
      #expect(cells.count == 4)
      #expect(processed + letters.count == Self.tellers * Self.each)
      #expect(told.failed.isSubset(of: letters.map(\.message.text)))
    }
  }
}
