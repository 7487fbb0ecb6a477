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
}
