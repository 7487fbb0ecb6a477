internal import Foundation
internal import Grid
internal import Testing

@Suite("Broadcasts", .timeLimit(.minutes(5)))
struct BroadcastTests {
  /// Asks all whose names are in the message, and answers with how many have replied.
  struct Teller: GridActor {
    mutating func receive(_ message: Message, _ context: ActorContext) async throws {
      let names = message.text.split(separator: " ").map(String.init)
      let result = try await context.broadcast(Message("hello"), to: names)
      context.reply(Message("\(result.replies.count) of \(result.members.count), \(result.isComplete)"))
    }
  }

  private func kinds(_ registry: inout KindRegistry) { registry.register("teller") { _ in Teller() } }

  @Test("goes to actors on every node, and a failure is one of its own")
  func everywhere() async throws {
    try await withCluster("a", "b", kinds: kinds) { cluster in
      let node = try cluster["a"]
      try await node.spawn("echo", "here")
      try await cluster["b"].spawn("echo", "there")
      try await cluster["b"].spawn("counter", "hits")
      let result = try await node.broadcast(Message("many"), to: ["here", "there", "hits", "nobody", "here"])
      #expect(result.members.map(\.address) == ["here", "there", "hits", "nobody"])
      #expect(result.replies.mapValues(\.text) == ["here": "many", "there": "many"])
      #expect(result.failures.mapValues(\.code) == ["hits": .undecodable, "nobody": .noSuchActor])
      #expect(!result.isComplete)

      var options = BroadcastOptions()
      options.requirement = .quorum
      #expect(try await node.broadcast(Message("1"), to: ["here", "hits", "nobody"], options).isComplete)
      options = BroadcastOptions()
      options.endsWithFirst = true
      let race = try await node.broadcast(Message("2"), to: ["nobody", "there"], options)
      #expect(race.isComplete && race.replies["there"]?.text == "2")
      #expect(try await code { _ = try await node.broadcast(Message(""), to: []) } == .usage)
      #expect(try await code { _ = try await node.broadcast(Message(""), to: ["no name"]) } == .usage)

      try await node.spawn("teller", "teller")
      #expect(try await node.ask("teller", Message("here there nobody")).text == "2 of 3, false")
    }
  }
}
