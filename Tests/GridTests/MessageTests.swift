internal import Grid
internal import Testing

@Suite("Messages between nodes", .timeLimit(.minutes(5)))
struct MessageTests {
  struct Order: Codable, Equatable {
    var customer: String
    var pieces: Int
  }

  /// Adds up orders; a kind as the manual shows it.
  struct Desk: GridActor {
    var pieces = 0

    mutating func receive(_ message: Message, _ context: ActorContext) async throws {
      pieces += try message.decode(Order.self).pieces
      try context.reply(pieces)
    }
  }

  @Test("a kind of one's own is told and asked, on its own node and from another")
  func ownKind() async throws {
    try await withCluster("a", "b", kinds: { $0.register("desk") { _ in Desk() } }) { cluster in
      let spawned = try await cluster["a"].spawn("desk", "desk")
      #expect(spawned.kind == "desk" && spawned.node == "a" && spawned.epoch > 0)
      for name in ["a", "b"] {
        try await cluster[name].tell("desk", Message(encoding: Order(customer: "ada", pieces: 2)))
      }
      for (name, expected) in [("a", 5), ("b", 6)] {
        let reply = try await cluster[name].ask("desk", Message(encoding: Order(customer: "ada", pieces: 1)))
        #expect(try reply.decode(Int.self) == expected)
      }
    }
  }

  @Test("names are unique in the namespace, wherever they are claimed")
  func uniqueNames() async throws {
    try await withCluster("a", "b", "c") { cluster in
      for round in 0..<10 {
        let holders = try await withThrowingTaskGroup(of: String?.self) { group in
          for node in cluster.all {
            group.addTask {
              do { return try await node.spawn("echo", "name\(round)").node } catch let error as GridError {
                #expect(error.code == .nameTaken)
                return nil
              }
            }
          }
          return try await group.reduce(into: []) { if let holder = $1 { $0.append(holder) } }
        }
        #expect(holders.count == 1)
      }
      #expect(try await code { _ = try await cluster["a"].spawn("echo", "no name") } == .usage)
      #expect(try await code { _ = try await cluster["a"].spawn("nonsense") } == .noSuchKind)
    }
  }

  @Test("an actor is spawned where the request says, and where its kind is offered")
  func placement() async throws {
    try await withCluster("a", "b") { cluster in
      let placed = try await cluster["a"].spawn(SpawnRequest(kind: "echo", name: "there", node: "b"))
      #expect(placed.node == "b")
      #expect(try await cluster["a"].ask("there", Message("hello")).text == "hello")
      let absent = SpawnRequest(kind: "echo", name: "x", node: "nowhere")
      #expect(try await code { try await cluster["a"].spawn(absent) } == .noSuchNode)
      let again = try await cluster["a"].spawn(SpawnRequest(kind: "echo", name: "there", ifAbsent: true))
      #expect(again.node == "b" && again.epoch == placed.epoch)
    }
  }

  @Test("bodies of any bytes and any size up to the largest come back unchanged, from both nodes")
  func bodies() async throws {
    try await withCluster("a", "b") { cluster in
      try await cluster["b"].spawn("echo", "echo")
      let sizes = [0, 1, 255, 65_536, 1 << 20, Message.maximumBodyBytes]
      for name in ["a", "b"] {
        for size in sizes {
          let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
          let message = Message(body: body, type: "Bytes", headers: [Message.Header("k", "v")])
          let reply = try await cluster[name].ask("echo", message, timeout: .seconds(30))
          #expect(reply == message, "\(size) bytes from \(name)")
        }
        let tooLarge = Message(body: [UInt8](repeating: 0, count: Message.maximumBodyBytes + 1_000_000))
        #expect(try await code { _ = try await cluster[name].ask("echo", tooLarge) } == .undecodable)
        #expect(try await cluster[name].ask("echo", Message("after")).text == "after")
      }
    }
  }

  @Test("messages of one sender arrive in order, by tell and by stream, here and there")
  func order() async throws {
    let gate = Gate()
    gate.open()
    try await withCluster("a", "b", kinds: { $0.register("gated") { _ in GatedActor(gate: gate) } }) { cluster in
      try await cluster["b"].spawn("gated", "target")
      var expected: [String] = []
      for name in ["a", "b"] {
        for number in 0..<100 {
          try await cluster[name].tell("target", Message("\(name) tell \(number)"))
          expected.append("\(name) tell \(number)")
        }
        var stream = try await cluster[name].openStream(to: "target")
        for number in 0..<500 {
          try await stream.send(Message("\(name) stream \(number)"))
          expected.append("\(name) stream \(number)")
        }
        // An ask takes the same way, so that all before it has been handled.
        _ = try await cluster[name].ask("target", Message("\(name) end"))
        expected.append("\(name) end")
      }
      #expect(gate.handled.all == expected)
    }
  }

  @Test("an ask ends at its deadline, and a message whose sender has gone is not handled")
  func deadlines() async throws {
    let gate = Gate()
    try await withCluster("a", "b", kinds: { $0.register("gated") { _ in GatedActor(gate: gate) } }) { cluster in
      try await cluster["b"].spawn("gated", "target")
      let first = try cluster["a"]
      try await withThrowingTaskGroup(of: GridError.Code?.self) { group in
        group.addTask {
          try await code { _ = try await first.ask("target", Message("a"), timeout: .seconds(2)) }
        }
        try await wait(for: "the first to be in hand") { gate.arrived.count == 1 }
        let timeout = Duration.milliseconds(100)
        #expect(
          try await code { _ = try await cluster["b"].ask("target", Message("b"), timeout: timeout) } == .deadline)
        #expect(try await group.next() == .deadline)
      }
      gate.open()
      #expect(try await cluster["a"].ask("target", Message("last")).text == "last")
      // The first was being handled when its sender went; the second had not begun.
      #expect(gate.handled.all == ["a", "last"])
      try await cluster.stop("a")
      try await cluster.stop("b")
      #expect(try await cluster.letters(of: "b").map(\.reason) == [.deadline])
    }
  }

  @Test("errors of a handler come to the asker as they are; a handler without a reply is an error")
  func handlerErrors() async throws {
    let log = Collected<String>()
    try await withCluster("a", "b", kinds: { $0.register("fragile") { _ in FragileActor(log: log) } }) { cluster in
      try await cluster["b"].spawn("fragile", "target")
      for name in ["a", "b"] {
        #expect(try await code { _ = try await cluster[name].ask("target", Message("refuse")) } == .refused)
        #expect(try await code { _ = try await cluster[name].ask("target", Message("fail")) } == .handlerFailed)
        #expect(try await code { _ = try await cluster[name].ask("target", Message("garbage")) } == .undecodable)
        #expect(try await code { _ = try await cluster[name].ask("target", Message("silence")) } == .handlerFailed)
        #expect(try await code { _ = try await cluster[name].ask("nobody", Message()) } == .noSuchActor)
        #expect(try await code { try await cluster[name].tell("nobody", Message()) } == .noSuchActor)
        #expect(try await code { try await cluster[name].tell("no name", Message()) } == .usage)
      }
    }
  }

  @Test("actors ask each other across nodes")
  func relays() async throws {
    let kinds: (inout KindRegistry) -> Void = { kinds in
      kinds.register("relay") { request in RelayActor(target: request.argument?.text ?? "") }
    }
    try await withCluster("a", "b", kinds: kinds) { cluster in
      try await cluster["a"].spawn("counter", "relay0")
      for number in 1...6 {
        try await cluster[number % 2 == 0 ? "a" : "b"].spawn(
          SpawnRequest(kind: "relay", name: "relay\(number)", argument: Message("relay\(number - 1)")))
      }
      for expected in 1...20 {
        let reply = try await cluster["b"].ask("relay6", Message(json: .integer(1)))
        #expect(try reply.json().integerValue == Int64(expected))
      }
    }
  }

  @Test("many actors without a name are nothing special")
  func anonymous() async throws {
    try await withCluster("a") { cluster in
      var references: [ActorReference] = []
      for _ in 0..<1000 { references.append(try await cluster["a"].spawnAnonymous("counter")) }
      for reference in references { reference.tell(Message(json: .integer(2))) }
      for reference in references {
        #expect(try await reference.ask(Message(json: .integer(1))).json().integerValue == 3)
      }
    }
  }

  @Test("a node that could not start says why, and one that has ended refuses work")
  func ends() async throws {
    try await withCluster("a") { cluster in
      let twin = TestCluster(["a"], directory: cluster.directory, kinds: { _ in }, configure: { _ in })
      #expect(try await code { try await twin["a"].run() } == .nameTaken)
      #expect(try await code { try await twin["a"].waitUntilReady() } == .nameTaken)
      try await cluster.stop("a")
      #expect(try await code { try await cluster["a"].tell("echo", Message()) } == .unavailable)
    }
  }
}
