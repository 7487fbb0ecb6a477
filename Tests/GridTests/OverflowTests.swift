internal import Grid
internal import Testing

@Suite("Full mailboxes: nothing is lost without a trace", .timeLimit(.minutes(5)))
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

  // MARK: Every sender

  /// Who may send to an actor.
  private enum Sender: String, CaseIterable {
    case libraryTell, libraryAsk, handlerTell, handlerTellAndWait, handlerAsk, referenceTell, referenceTellAndWait
    case referenceAsk

    var kind: String { "gated-\(rawValue)" }
    var isReference: Bool { rawValue.hasPrefix("reference") }
    /// Whether it is told what becomes of its message, and can wait for room therefore.
    var waits: Bool { self != .handlerTell && self != .referenceTell }
  }

  private static let burst = 12

  /// What becomes of a burst of twelve for a mailbox of four: handled, and not.
  private func expected(_ policy: OverflowPolicy, _ sender: Sender) -> (handled: Int, dead: Int) {
    switch policy {
    case .reject, .dropNewest, .dropOldest: (4, 8)
    // Who cannot wait has as many messages wait in front of the mailbox as it holds.
    case .block: sender.waits ? (12, 0) : (8, 4)
    }
  }

  @Test(
    "the policy holds for every sender, on the node and from another", arguments: OverflowPolicy.allCases, ["a", "b"])
  func everySender(policy: OverflowPolicy, place: String) async throws {
    let gates = Dictionary(Sender.allCases.map { ($0.kind, Gate()) }) { first, _ in first }
    let kinds: (inout KindRegistry) -> Void = { kinds in
      kinds.register("flood") { _ in FloodActor() }
      for (kind, gate) in gates {
        kinds.register(kind, mailbox: MailboxOptions(capacity: 4, overflow: policy)) { _ in GatedActor(gate: gate) }
      }
    }
    try await withCluster("a", "b", kinds: kinds) { cluster in
      let node = try cluster[place]
      try await node.spawn(SpawnRequest(kind: "flood", name: "flood", node: place))
      try await collecting(try await cluster["b"].deadLetters()) { letters in
        for sender in Sender.allCases where place == "b" || !sender.isReference {
          let gate = try #require(gates[sender.kind])
          let reference = sender.isReference ? try await node.spawnAnonymous(sender.kind) : nil
          let target = reference.map(\.address.text) ?? sender.rawValue
          if reference == nil { try await cluster["b"].spawn(sender.kind, target) }
          let (handled, dead) = expected(policy, sender)
          try await withThrowingTaskGroup(of: Void.self) { group in
            try await send(sender, from: node, to: target, reference, &group)
            try await wait(for: "\(dead) dead letters of \(sender)") {
              letters.all.count { $0.target == target } == dead
            }
            gate.open()
            try await wait(for: "\(handled) messages of \(sender)") { gate.handled.count == handled }
            try await group.waitForAll()
          }
          #expect(gate.handled.count == handled, "\(sender)")
          #expect(Set(gate.handled.all).count == handled, "\(sender)")
          #expect(letters.all.filter { $0.target == target }.allSatisfy { $0.reason == .mailboxFull }, "\(sender)")
          #expect(letters.all.count { $0.target == target } == dead, "\(sender)")
        }
      }
    }
  }

  /// Sends the burst at once.
  private func send(
    _ sender: Sender, from node: GridNode, to target: String, _ reference: ActorReference?,
    _ group: inout ThrowingTaskGroup<Void, any Error>
  ) async throws {
    let patience = Duration.seconds(60)
    switch sender {
    case .handlerTell: try await node.tell("flood", Message("tell \(Self.burst) \(target)"))
    case .handlerTellAndWait: try await node.tell("flood", Message("tell-and-wait \(Self.burst) \(target)"))
    case .handlerAsk: try await node.tell("flood", Message("ask \(Self.burst) \(target)"))
    default:
      for number in 0..<Self.burst {
        let message = Message("\(number)")
        switch sender {
        case .libraryTell: group.addTask { try? await node.tell(target, message, timeout: patience) }
        case .libraryAsk: group.addTask { _ = try? await node.ask(target, message, timeout: patience) }
        case .referenceTell: reference?.tell(message)
        case .referenceTellAndWait: group.addTask { try? await reference?.tell(message, timeout: patience) }
        default: group.addTask { _ = try? await reference?.ask(message, timeout: patience) }
        }
      }
    }
  }

  @Test(
    "what is too large is refused whoever sends it, and is a dead letter where nobody is told", arguments: ["a", "b"])
  func tooLarge(place: String) async throws {
    let huge = Message(body: [UInt8](repeating: 0, count: Message.maximumBodyBytes + 1))
    let wide = Message(headers: [.init("a", String(repeating: "x", count: 17 << 20))])
    try await withCluster("a", "b", kinds: { $0.register("big") { _ in BigSender() } }) { cluster in
      try await cluster["b"].spawn("echo", "target")
      let node = try cluster[place]
      try await node.spawn(SpawnRequest(kind: "big", name: "big", node: place))
      for message in [huge, wide] {
        #expect(try await code { try await node.tell("target", message) } == .undecodable)
        #expect(try await code { _ = try await node.ask("target", message) } == .undecodable)
        var stream = try await node.openStream(to: "target")
        try await stream.send(Message("x"))
        #expect(try await code { try await stream.send(message) } == .undecodable)
        try await stream.send(Message("x"))
      }
      #expect(try await node.ask("big", Message("ask")).text == "undecodable")
      let reference = try await node.spawnAnonymous("echo")
      #expect(try await code { _ = try await reference.ask(huge) } == .undecodable)
      #expect(try await code { try await reference.tell(huge, timeout: .seconds(5)) } == .undecodable)
      try await collecting(try await node.deadLetters()) { letters in
        try await node.tell("big", Message("tell"))
        reference.tell(wide)
        try await wait(for: "the dead letters") { letters.all.count { $0.reason == .undecodable } >= 2 }
        #expect(Set(letters.all.map(\.target)) == ["target", reference.address.text])
      }
      #expect(try await node.ask("target", Message("still here")).text == "still here")
    }
  }

  /// Sends what is too large, and tells how it went.
  private struct BigSender: GridActor {
    func receive(_ message: Message, _ context: ActorContext) async throws {
      let huge = Message(body: [UInt8](repeating: 0, count: Message.maximumBodyBytes + 1))
      if message.text == "tell" { return context.tell("target", huge) }
      do { context.reply(try await context.ask("target", huge)) } catch { context.reply(Message(error.code.label)) }
    }
  }
}
