internal import Grid
internal import Testing

@Suite("Actors without a name are whole citizens", .timeLimit(.minutes(5)))
struct AnonymousTests {
  @Test("their address leads to them from every node, by every way")
  func everywhere() async throws {
    try await withCluster("a", "b") { cluster in
      let counter = try await cluster["a"].spawnAnonymous("counter")
      let address = counter.address.text
      guard case .local(let local) = counter.address.form else {
        Issue.record("\(address) is no local address")
        return
      }
      #expect(local.kind == "counter" && local.node == "a" && local.number > 0 && local.incarnation > 0)
      for node in ["a", "b"] {
        try await cluster[node].tell(address, Message(json: .integer(1)))
        #expect(try await cluster[node].ask(address, Message("")).json().integerValue ?? 0 > 0)
        var stream = try await cluster[node].openStream(to: address)
        for _ in 0..<100 { try await stream.send(Message(json: .integer(1))) }
      }
      try await wait(for: "all of it") { try await counter.ask(Message("")).json().integerValue == 202 }
      // A fresh one under the same address.
      try await cluster["b"].restart(address)
      #expect(try await counter.ask(Message("")).json().integerValue == 0)
      try await cluster["b"].stop(address)
      for node in ["a", "b"] {
        #expect(try await code { _ = try await cluster[node].ask(address, Message("")) } == .noSuchActor)
        #expect(try await code { try await cluster[node].stop(address) } == .noSuchActor)
      }
      #expect(try await code { _ = try await counter.ask(Message("")) } == .stopped)
    }
  }

  @Test("an address that is nobody's leads nowhere, at once", arguments: ["a", "b"])
  func nowhere(_ name: String) async throws {
    try await withCluster("a", "b") { cluster in
      let node = try cluster[name]
      let there = try await cluster["a"].spawnAnonymous("echo").address
      guard case .local(let local) = there.form else { return }
      var others = [local, local, local, local]
      others[0].number += 1000
      others[1].incarnation += 1
      others[2].kind = "sink"
      others[3].node = "nobody"
      for other in others.map(\.description) + ["cart/17"] {
        #expect(try await code { _ = try await node.ask(other, Message("")) } == .noSuchActor, "\(other)")
        #expect(try await code { try await node.stop(other) } == .noSuchActor, "\(other)")
      }
      for wrong in ["echo~x@a.1", "echo~1", "a b", ""] {
        #expect(try await code { _ = try await node.ask(wrong, Message("")) } == .usage, "\(wrong)")
      }
      #expect(try await node.ask(there.text, Message("x")).text == "x")
    }
  }

  @Test("they make no events, and end with their node; their mail is dead letters with their address")
  func ends() async throws {
    let gate = Gate()
    try await withCluster("a", kinds: { $0.register("patient") { _ in PatientActor(gate: gate) } }) { cluster in
      let node = try cluster["a"]
      try await collecting(try await node.events()) { events in
        for _ in 0..<50 {
          let short = try await node.spawnAnonymous("echo")
          _ = try await short.ask(Message("x"))
          short.stop()
        }
        let patient = try await node.spawnAnonymous("patient")
        for number in 1...3 { patient.tell(Message("\(number)")) }
        try await wait(for: "the first") { gate.arrived.all == ["1"] }
        try await node.spawn("echo", "named")
        try await wait(for: "the event") { events.all.contains { $0.name == "named" } }
        #expect(events.all.filter { $0.kind == .actor }.map(\.name) == ["named"])
        try await cluster.stop("a")
        let letters = try await cluster.letters(of: "a")
        #expect(Set(letters.map(\.message.text)) == ["1", "2", "3"])
        #expect(letters.allSatisfy { $0.target == patient.address.text && $0.reason == .stopped })
        #expect(try await code { _ = try await patient.ask(Message("x")) } == .stopped)
      }
    }
  }

  @Test("what one sends says from whom, so that it can be answered")
  func senders() async throws {
    let kinds: (inout KindRegistry) -> Void = { kinds in
      kinds.register("answering") { _ in AnsweringActor() }
      kinds.register("relay") { _ in RelayActor(target: "answering") }
    }
    try await withCluster("a", "b", kinds: kinds) { cluster in
      try await cluster["b"].spawn("answering", "answering")
      let relay = try await cluster["a"].spawnAnonymous("relay")
      #expect(try await relay.ask(Message("x")).text == relay.address.text)
    }
  }

  /// Answers with who asked.
  private struct AnsweringActor: GridActor {
    func receive(_ message: Message, _ context: ActorContext) async throws { context.reply(Message(context.sender)) }
  }
}
