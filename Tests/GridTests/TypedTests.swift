internal import Foundation
internal import Grid
internal import Testing

@Suite("Actors with typed messages", .timeLimit(.minutes(5)))
struct TypedTests {
  /// Adds up.
  struct Counter: TypedActor {
    var total = 0

    mutating func receive(_ amount: Int, _ context: ActorContext) async throws -> Int {
      total += amount
      return total
    }
  }

  /// The same without suspending, with a request of several sorts.
  struct Desk: ImmediateTypedActor {
    enum Request: Codable, MessageContent {
      case order(customer: String, pieces: Int)
      case pieces(of: String)
      case fail
    }

    var pieces: [String: Int] = [:]

    mutating func receive(_ request: Request, _ context: ActorContext) throws -> Int {
      switch request {
      case .order(let customer, let count):
        pieces[customer, default: 0] += count
        return pieces[customer, default: 0]
      case .pieces(let customer): return pieces[customer, default: 0]
      case .fail: throw GridError(.refused, "the desk is closed")
      }
    }
  }

  /// Lets everybody wait until as many are there as it was told.
  struct Gate: TypedActor {
    var waiting: [Later<String>] = []

    mutating func receive(_ name: String, _ context: ActorContext) -> Later<String> {
      let reply = context.later(String.self)
      if name == "forget" { return reply }
      waiting.append(reply)
      if waiting.count == 3 {
        for reply in waiting { reply.give("go") }
        waiting = []
      }
      return reply
    }
  }

  /// Passes everything on to the counter of that address.
  struct Front: TypedActor {
    var counter = ""

    mutating func receive(_ amount: Int, _ context: ActorContext) async throws -> Later<Int> {
      context.forward(amount, to: try context.reference(to: counter, as: Counter.self))
      return context.later()
    }
  }

  /// A value that is only worth something in this process.
  struct Ticket: MessageContent {
    static var contentType: ContentType { .bytes }
    var number = 0

    init(_ number: Int) { self.number = number }
    init(reading message: Message) throws(GridError) { throw GridError(.undecodable, "tickets are not read") }
    func bytes() throws(GridError) -> [UInt8] { throw GridError(.undecodable, "tickets are not written") }
  }

  struct Booth: ImmediateTypedActor {
    mutating func receive(_ ticket: Ticket, _ context: ActorContext) throws -> Ticket { Ticket(ticket.number + 1) }
  }

  private func kinds(_ registry: inout KindRegistry) {
    registry.register("counter-of-ours") { _ in Counter() }
    registry.register("desk") { _ in Desk() }
    registry.register("gate") { _ in Gate() }
    registry.register("front") { Front(counter: $0.argument?.text ?? "") }
    registry.register("booth") { _ in Booth() }
  }

  @Test("requests and replies have types, on the same node and from another")
  func typed() async throws {
    try await withCluster("a", "b", kinds: kinds) { cluster in
      let hits = try await cluster["a"].spawn(Counter.self, "hits")
      let desk = try await cluster["a"].spawn(Desk.self, "desk", on: "b")
      let same: ActorRef<Counter> = try await cluster["a"].reference(to: "hits")
      #expect(hits.address.text == "hits" && hits == same)
      for (node, expected) in [("a", 5), ("b", 10)] {
        let hits = try await cluster[node].reference(to: "hits", as: Counter.self)
        #expect(try await hits.ask(5) == expected)
      }
      try await hits.tell(7, timeout: .seconds(5))
      hits.tell(1)
      #expect(try await hits.ask(0) == 18)
      #expect(try await desk.ask(.order(customer: "ada", pieces: 2)) == 2)
      let there = try await cluster["b"].reference(to: "desk", as: Desk.self)
      #expect(try await there.ask(.order(customer: "ada", pieces: 3)) == 5)
      #expect(try await there.ask(.pieces(of: "nobody")) == 0)
      #expect(try await code { _ = try await desk.ask(.fail) } == .refused)
      #expect(try await desk.ask(.pieces(of: "ada")) == 5, "a refused message leaves the state as it was")
    }
  }

  @Test("what is no typed reference sends the same as bytes, and wrong bytes are told apart")
  func untyped() async throws {
    try await withCluster("a", "b", kinds: kinds) { cluster in
      let node = try cluster["a"]
      _ = try await node.spawn(Counter.self, "hits")
      #expect(try await node.ask("hits", Message("5")).text == "5")
      #expect(try await cluster["b"].ask("hits", Message(encoding: 2)).decode(Int.self) == 7)
      #expect(try await code { _ = try await node.ask("hits", Message("many")) } == .undecodable)
      let gate = try await node.reference(to: "hits", as: Desk.self)
      #expect(try await code { _ = try await gate.ask(.fail) } == .undecodable, "another kind is there")
      #expect(try await node.ask("hits", Message("0")).text == "7")
      try await node.spawn("echo", "echo")
      let echo = try await node.reference(to: "echo", as: Counter.self)
      #expect(try await echo.ask(42) == 42, "what knows no types gets the bytes")
      #expect(try await code { _ = try await node.spawn(EchoOfNobody.self) } == .noSuchKind)
    }
  }

  private struct EchoOfNobody: ImmediateTypedActor {
    mutating func receive(_ text: String, _ context: ActorContext) -> String { text }
  }

  @Test("a value stays itself in a process, and what cannot be written does not leave it")
  func values() async throws {
    try await withCluster("a", "b", kinds: kinds) { cluster in
      let booth = try await cluster["a"].spawn(Booth.self, "booth")
      #expect(try await booth.ask(Ticket(1)).number == 2)
      let far = try await cluster["b"].reference(to: "booth", as: Booth.self)
      #expect(try await code { _ = try await far.ask(Ticket(1)) } == .undecodable)
      #expect(try await booth.ask(Ticket(2)).number == 3)
      // It is kept as a dead letter all the same: without a body.
      let nobody = try await cluster["a"].reference(to: "nobody", as: Booth.self)
      #expect(try await code { _ = try await nobody.ask(Ticket(1)) } == .noSuchActor)
      let desk = try await cluster["a"].reference(to: "no-desk", as: Desk.self)
      let letters = try await cluster["a"].deadLetters()
      desk.tell(.pieces(of: "ada"))
      let letter = try #require(await letters.first { $0.target == "no-desk" })
      #expect(letter.message.text == #"{"pieces":{"of":"ada"}}"# && letter.message.contentType == .json)
    }
  }

  @Test("a reply comes later, from whoever has it, and never twice")
  func later() async throws {
    try await withCluster("a", "b", kinds: kinds) { cluster in
      let gate = try await cluster["a"].spawn(Gate.self, "gate")
      let far = try await cluster["b"].reference(to: "gate", as: Gate.self)
      let answers = try await withThrowingTaskGroup(of: String.self) { group in
        for (index, way) in [gate, far, gate].enumerated() { group.addTask { try await way.ask("\(index)") } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers == ["go", "go", "go"])
      #expect(try await code { _ = try await gate.ask("forget") } == .handlerFailed, "nobody has it any more")
      _ = try await cluster["b"].spawn(Counter.self, "total")
      let front = try await cluster["a"].spawn(Front.self, "front", argument: Message("total"))
      #expect(try await front.ask(2) == 2, "the counter's reply")
      #expect(try await front.ask(3) == 5, "the counter's reply")
      let lost = try await cluster["a"].spawn(Front.self, "lost", argument: Message("nobody"))
      #expect(try await code { _ = try await lost.ask(1) } == .noSuchActor)
    }
  }

  @Test("lists, texts and bytes are messages as they are")
  func contents() throws {
    func again<Content: MessageContent & Equatable>(_ content: Content, _ type: ContentType, _ text: String?) throws {
      let message = try Message(body: content.bytes(), contentType: Content.contentType)
      #expect(message.contentType == type && (text == nil || message.text == text), "\(content)")
      #expect(try Content(reading: message) == content)
    }
    try again("a ö", .text, "a ö")
    try again([UInt8](0...255), .bytes, nil)
    try again([1, 2, 3], .json, "[1,2,3]")
    try again([UInt8](), .bytes, "")
    try again([Int](), .json, "[]")
    #expect(throws: GridError.self) { try [Int](reading: Message(body: [])) }
    try again(["a": [1]], .json, #"{"a":[1]}"#)
    try again(Optional<Int>.none, .json, "null")
    try again(2.5, .json, "2.5")
    try again(true, .json, "true")
    #expect(try String(reading: Message(body: Array(#""quoted""#.utf8), contentType: .json)) == "quoted")
    #expect(throws: GridError.self) { try Int(reading: Message("1.5")) }
    #expect(throws: GridError.self) { try Double.nan.bytes() }
  }

  @Test("a node runs as long as what was given to it")
  func scoped() async throws {
    let directory = "/tmp/gridctl-\(UInt32.random(in: 0...UInt32.max))"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let configuration = NodeConfiguration(
      namespace: "test", name: "a", listen: "127.0.0.1:0", stateDirectory: directory + "/state",
      runtimeDirectory: directory + "/run")
    let total = try await withGridNode(configuration, kinds: kinds) { node in
      let hits = try await node.spawn(Counter.self, "hits")
      hits.tell(2)
      return try await hits.ask(3)
    }
    #expect(total == 5)
    // The name is free at once: the node has left.
    let again = try await withGridNode(configuration, kinds: kinds) { try await $0.spawn(Counter.self, "hits").ask(1) }
    #expect(again == 1)
    #expect(
      try await code { try await withGridNode(configuration) { _ in throw GridError(.refused, "no") } } == .refused)
    var wrong = configuration
    wrong.name = "no name"
    #expect(try await code { try await withGridNode(wrong) { _ in } } == .usage)
  }
}
