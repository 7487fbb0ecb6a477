internal import GridCore
internal import GridRequests
internal import Testing

@testable internal import Grid

/// Who may ask what: every request with every role.
@Suite("Roles", .timeLimit(.minutes(5)))
struct AccessTests {
  private static let callers = [
    Caller(name: "eve", role: .viewer, source: .token), Caller(name: "ada", role: .operator, source: .certificate),
    Caller.node("b"),
  ]

  @Test("every request and stream is in the table, and nothing else")
  func theTableIsWhole() async throws {
    try await withCluster("a") { cluster in
      let wires = try await cluster["a"].running()
      let access = AccessControl(rules: AccessRules(), audit: wires.traffic.audit)
      let table = wires.desks.requests(RequestTable(node: wires.node, calls: wires.traffic.calls, access: access))
      let known = table.verbs + wires.desks.streams.keys
      #expect(known.sorted() == RequestCatalogue.all.map(\.verb))
      for entry in RequestCatalogue.all {
        #expect((table[entry.verb]?.role ?? wires.desks.streams[entry.verb]?.role) == entry.role, "\(entry.verb)")
      }
    }
  }

  @Test("what takes more than a role is marked in the table")
  func permissions() throws {
    for entry in RequestCatalogue.all {
      let words = [Role.viewer, .operator].map { entry.permission(of: $0) }
      let expected: [RequestCatalogue.Permission] =
        switch entry.verb {
        case DeadLetterBodyRequest.verb: [.granted, .yes]
        case NodeStopRequest.verb: [.no, .here]
        default: [Role.viewer, .operator].map { $0 >= entry.role ? .yes : .no }
        }
      #expect(words == expected, "\(entry.verb)")
    }
  }

  @Test("a request is refused for its role exactly where the table says so")
  func everyVerbWithEveryRole() async throws {
    try await withCluster("a") { cluster in
      let wires = try await cluster["a"].running()
      let deadline = wires.timers.now() + .seconds(5)
      for entry in RequestCatalogue.all where !entry.isStream && !["node.stop", "bench"].contains(entry.verb) {
        for caller in Self.callers {
          // Enough for each of them to be read; what comes after its role does not matter here.
          let arguments: JSONValue = [
            "name": "nobody", "id": "none", "kind": "no-such", "token": 1, "startedMilliseconds": 1,
            "windowMilliseconds": 1, "revision": 1, "role": "viewer", "storedKey": "AQ==", "serverKey": "AQ==",
            "publicKey": "AQ==",
          ]
          var refusal: GridError?
          do {
            _ = try await wires.control.answer(entry.verb, arguments, until: deadline, for: caller)
          } catch let error as GridError where error.message.contains("needs the role") {
            refusal = error
          } catch {}
          #expect((refusal != nil) == (caller.role < entry.role), "\(caller.role) \(entry.verb): \(refusal as Any)")
          if let refusal { #expect(refusal.code == .refused && refusal.hint?.contains("help roles") == true) }
        }
      }
    }
  }

  @Test("programs of one's choice and the end of a node are for its own machine")
  func elsewhere() {
    func stop(_ caller: Caller, _ rules: AccessRules) -> Bool { NodeStopRequest().objection(to: caller, rules) == nil }
    func exec(_ caller: Caller, _ rules: AccessRules, kind: String = "exec") -> Bool {
      SpawnRequest(kind: kind, name: "x").objection(to: caller, rules) == nil
    }
    let here = Caller(name: "root", role: .operator, source: .socket, isHere: true)
    let elsewhere = Caller(name: "ada", role: .operator, source: .certificate)
    let (closed, open) = (AccessRules(), AccessRules(allowsExec: true, allowsStop: true))
    #expect(stop(here, closed) && exec(here, closed))
    #expect(!stop(elsewhere, closed) && !exec(elsewhere, closed))
    #expect(exec(elsewhere, closed, kind: "resize"), "the node's own kinds are no programs of the caller's choice")
    #expect(stop(elsewhere, open) && exec(elsewhere, open))
  }

  @Test("a node's rules hold also for a request that names it")
  func named() async throws {
    try await withCluster("a", configure: { $0.accessRules = AccessRules() }) { cluster in
      let wires = try await cluster["a"].running()
      let elsewhere = Caller(name: "ada", role: .operator, source: .certificate)
      for arguments in [[:], ["node": "a"]] as [JSONValue] {
        await #expect(throws: GridError(.refused, "")) {
          try await wires.control.answer(
            NodeStopRequest.verb, arguments, until: wires.timers.now() + .seconds(5), for: elsewhere)
        }
      }
    }
  }

  @Test("what another machine says of its users is no word about this one")
  func travelling() {
    let here = Caller(name: "root", role: .operator, source: .socket, from: "unix", isHere: true)
    var near = Caller.node("b")
    #expect(near.speaking(for: here) == here)
    near.isHere = false
    #expect(!near.speaking(for: here).isHere)
    #expect(near.speaking(for: nil) == near)
    // Who is no node speaks for himself alone.
    #expect(here.speaking(for: .node("c")) == here)
  }

  @Test("a viewer sees no bodies unless that was granted")
  func bodies() {
    let viewer = Caller(name: "eve", role: .viewer, source: .token)
    let reader = Caller(name: "eve", role: .viewer, source: .token, readsBodies: true)
    var trace = TraceStreamRequest()
    for rules in [AccessRules(), AccessRules(allowsExec: true, allowsStop: true)] {
      #expect(DeadLetterBodyRequest("1", offset: 0).objection(to: viewer, rules)?.code == .refused)
      #expect(DeadLetterBodyRequest("1", offset: 0).objection(to: reader, rules) == nil)
      trace.showsBody = true
      #expect(trace.objection(to: viewer, rules)?.code == .refused && trace.objection(to: reader, rules) == nil)
      trace.showsBody = false
      #expect(trace.objection(to: viewer, rules) == nil)
    }
  }
}
