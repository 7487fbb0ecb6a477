internal import GridCore
internal import GridRequests
internal import Testing

@testable internal import Grid

@Suite("Who asks", .timeLimit(.minutes(5)))
struct RequestTableTests {
  @Test("nodes speak for others; a client that says to be somebody is not believed")
  func callers() async throws {
    try await withCluster("a") { cluster in
      let wires = try await cluster["a"].running()
      var table = RequestTable(
        node: wires.node, calls: wires.traffic.calls,
        access: AccessControl(rules: AccessRules(), audit: wires.traffic.audit))
      table.on(PingRequest.self) { _, call in NodeReference(node: "\(call.caller.name) \(call.caller.role.rawValue)") }
      let claim: JSONValue = ["caller": ["name": "root", "role": "node"]]
      func answer(_ arguments: JSONValue, to caller: Caller) async throws -> JSONValue? {
        let reading = try #require(table[PingRequest.verb]).read(arguments)
        return try await reading.answer(wires.timers.now() + .seconds(5), caller)["node"]
      }
      #expect(
        try await answer(claim, to: Caller(name: "client", role: .operator, source: .socket)) == "client operator")
      #expect(try await answer([:], to: .node("b")) == "b node")
      #expect(try await answer(claim, to: .node("b")) == "root node")
    }
  }

  @Test("what a newer client asks is refused by its name, as text and nothing else")
  func unknown() async throws {
    try await withCluster("a") { cluster in
      let wires = try await cluster["a"].running()
      for verb in ["novel", "Grid.GridNode", "", "\u{1B}]0;x", String(repeating: "x", count: 100_000)] {
        let deadline = wires.timers.now() + .seconds(5)
        let error = await #expect(throws: GridError.self) {
          try await wires.control.answer(verb, ["type": "Grid.GridNode"], until: deadline, for: .node("b"))
        }
        #expect(error?.code == .protocolMismatch && error?.hint?.contains("same version") == true)
        #expect(error?.message.contains("\u{1B}") == false && (error?.message.utf8.count ?? .max) < 1000)
      }
    }
  }
}
