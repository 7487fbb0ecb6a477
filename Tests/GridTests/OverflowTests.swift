internal import Grid
internal import Testing

@Suite("Full mailboxes: nothing is lost without a trace", .timeLimit(.minutes(2)))
struct OverflowTests {
  private static let sent = 200
  private static let capacity = 20

  /// What came of messages that were sent to an actor that handles nothing until all were sent.
  private struct Outcome {
    var accepted = 0
    var refused = 0
    var handled: [String] = []
    var letters = DeadLetterCounts(kept: 0, folded: 0, dropped: 0)
    var reasons: Set<DeadLetter.Reason> = []

    var dead: Int { letters.kept + letters.folded + letters.dropped }
  }

  private func flood(_ policy: OverflowPolicy, from sender: String) async throws -> Outcome {
    let gate = Gate()
    var outcome = Outcome()
    let kinds: (inout KindRegistry) -> Void = { kinds in
      kinds.register("gated", mailbox: MailboxOptions(capacity: Self.capacity, overflow: policy)) { _ in
        GatedActor(gate: gate)
      }
    }
    try await withCluster("a", "b", kinds: kinds) { cluster in
      try await cluster["b"].spawn("gated", "target")
      let node = try cluster[sender]
      for number in 0..<Self.sent {
        do {
          try await node.tell("target", Message("\(number)"), timeout: .seconds(60))
          outcome.accepted += 1
        } catch let error as GridError {
          #expect(error.code == .mailboxFull)
          outcome.refused += 1
        }
      }
      gate.open()
      let last = policy == .dropOldest ? Self.sent - 1 : Self.capacity - 1
      try await wait(for: "the last to be handled") { gate.handled.all.last == "\(last)" }
      outcome.handled = gate.handled.all
      try await cluster.stop("a")
      try await cluster.stop("b")
      outcome.letters = try await cluster.counts(of: "b")
      outcome.reasons = Set(try await cluster.letters(of: "b").map(\.reason))
    }
    return outcome
  }

  @Test("reject: the sender is told, and each refused message is a dead letter", arguments: ["a", "b"])
  func reject(sender: String) async throws {
    let outcome = try await flood(.reject, from: sender)
    #expect(outcome.accepted == Self.capacity)
    #expect(outcome.refused == Self.sent - Self.capacity)
    #expect(outcome.handled == (0..<Self.capacity).map { "\($0)" })
    #expect(outcome.dead == outcome.refused)
    #expect(outcome.reasons == [.mailboxFull])
  }

  @Test("drop-newest: the sender is not told, each dropped message is a dead letter", arguments: ["a", "b"])
  func dropNewest(sender: String) async throws {
    let outcome = try await flood(.dropNewest, from: sender)
    #expect(outcome.accepted == Self.sent)
    #expect(outcome.handled == (0..<Self.capacity).map { "\($0)" })
    #expect(outcome.dead == Self.sent - Self.capacity)
    #expect(outcome.reasons == [.mailboxFull])
  }

  @Test("drop-oldest: the latest are handled, each displaced message is a dead letter", arguments: ["a", "b"])
  func dropOldest(sender: String) async throws {
    let outcome = try await flood(.dropOldest, from: sender)
    #expect(outcome.accepted + outcome.refused == Self.sent)
    #expect(outcome.handled.count + outcome.dead == Self.sent)
    #expect(outcome.handled.last == "\(Self.sent - 1)")
    #expect(outcome.handled == outcome.handled.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) })
    #expect(outcome.reasons == [.mailboxFull])
  }

  @Test("block: senders of this process wait for room, and every message is handled")
  func block() async throws {
    let gate = Gate()
    let kinds: (inout KindRegistry) -> Void = { kinds in
      kinds.register("gated", mailbox: MailboxOptions(capacity: 5, overflow: .block)) { _ in GatedActor(gate: gate) }
    }
    try await withCluster("a", kinds: kinds) { cluster in
      let node = try cluster["a"]
      try await node.spawn("gated", "target")
      let told = Collected<Int>()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<100 {
          group.addTask {
            try await node.tell("target", Message("\(number)"), timeout: .seconds(60))
            told.append(number)
          }
        }
        try await wait(for: "the mailbox to be full") { told.count == 5 }
        gate.open()
        try await group.waitForAll()
      }
      _ = try await node.ask("target", Message("end"))
      #expect(Set(gate.handled.all) == Set((0..<100).map { "\($0)" } + ["end"]))
      #expect(gate.handled.count == 101)
      try await cluster.stop("a")
      #expect(try await cluster.counts(of: "a") == DeadLetterCounts(kept: 0, folded: 0, dropped: 0))
    }
  }

  @Test("block: who waits in vain is told at the deadline, and the message is a dead letter")
  func blockDeadline() async throws {
    let gate = Gate()
    let kinds: (inout KindRegistry) -> Void = { kinds in
      kinds.register("gated", mailbox: MailboxOptions(capacity: 1, overflow: .block)) { _ in GatedActor(gate: gate) }
    }
    try await withCluster("a", kinds: kinds) { cluster in
      let node = try cluster["a"]
      try await node.spawn("gated", "target")
      try await node.tell("target", Message("first"))
      let timeout = Duration.milliseconds(50)
      #expect(try await code { try await node.tell("target", Message("late"), timeout: timeout) } == .deadline)
      gate.open()
      #expect(try await node.ask("target", Message("end")).text == "end")
      #expect(gate.handled.all == ["first", "end"])
      try await cluster.stop("a")
      #expect(try await cluster.letters(of: "a").map(\.message.text) == ["late"])
    }
  }

  @Test("a message that was accepted is handled however long it waits", arguments: ["a", "b"])
  func acceptedForGood(sender: String) async throws {
    let gate = Gate()
    try await withCluster("a", "b", kinds: { $0.register("gated") { _ in GatedActor(gate: gate) } }) { cluster in
      try await cluster["b"].spawn("gated", "target")
      let node = try cluster[sender]
      // Longer than it takes to be accepted, shorter than the door stays closed.
      try await node.tell("target", Message("first"), timeout: .seconds(2))
      try await node.tell("target", Message("second"), timeout: .seconds(2))
      let late = try await code { _ = try await node.ask("target", Message("late"), timeout: .seconds(3)) }
      #expect(late == .deadline)
      gate.open()
      #expect(try await node.ask("target", Message("last"), timeout: .seconds(60)).text == "last")
      // A deadline travels as the time that is left, so another node's is later by the way there.
      if sender == "b" { #expect(!gate.handled.all.contains("late")) }
      #expect(gate.handled.all.filter { $0 != "late" } == ["first", "second", "last"])
    }
  }

  @Test("a stream waits for room and loses nothing, whatever the policy", arguments: OverflowPolicy.allCases, [1, 3])
  func streams(policy: OverflowPolicy, capacity: Int) async throws {
    let gate = Gate()
    gate.open()
    let kinds: (inout KindRegistry) -> Void = { kinds in
      kinds.register("gated", mailbox: MailboxOptions(capacity: capacity, overflow: policy)) { _ in
        GatedActor(gate: gate)
      }
    }
    try await withCluster("a", "b", kinds: kinds) { cluster in
      try await cluster["b"].spawn("gated", "target")
      for name in ["a", "b"] {
        var stream = try await cluster[name].openStream(to: "target")
        for number in 0..<300 { try await stream.send(Message("\(name)\(number)")) }
      }
      try await wait(for: "all to be handled") { gate.handled.count == 600 }
      #expect(gate.handled.all.filter { $0.hasPrefix("a") } == (0..<300).map { "a\($0)" })
      #expect(gate.handled.all.filter { $0.hasPrefix("b") } == (0..<300).map { "b\($0)" })
    }
  }
}
