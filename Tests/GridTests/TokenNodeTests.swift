internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import GridTestKit
internal import Testing

@testable internal import Grid
@testable internal import GridActors
@testable internal import GridCluster
@testable internal import GridLink

/// A process without the secret, which shows a token.
private final class Guest: LinkReceiver {
  func opened(_ link: Link) {}
  func received(_ envelopes: inout EnvelopeQueue, on link: Link) { while envelopes.popFirst() != nil {} }
  func received(_ request: RequestFrame, deadline: MonotonicTime, on link: Link) {}
  func received(_ signal: LinkSignal, on link: Link) {}
  func cancelled(_ correlation: UInt64, on link: Link) {}
  func readCompleted(_ link: Link) {}
  func undeliverable(_ envelope: Envelope, _ error: GridError) { envelope.resolve(.failure(error)) }
  func closed(_ link: Link, _ error: GridError) {}

  static func dial(_ wires: NodeWires, _ token: AccessToken) async throws(GridError) -> Link {
    var side = LinkEndpoint(
      greeting: { LinkGreeting(namespace: "test", role: .client, name: "client") }, receiver: Guest(),
      timers: wires.timers, transport: wires.ground.transport,
      secret: { () throws(GridError) in throw GridError(.refused, "a guest has no secret") })
    side.credential = .token(token)
    return try await side.dial(try LinkAddress(parsing: wires.node.address))
  }

  static func ask<Request: NodeRequest>(
    _ request: Request, on node: String? = nil, over link: Link, _ wires: NodeWires
  ) async throws(GridError) -> Request.Answer {
    let routed = RoutedRequest(request, routing: RequestRouting(node: node)).json
    let reply = try await PendingAsk.run(timeout: .seconds(20), deadlines: wires.traffic.deadlines) {
      _ = link.request(Request.verb, routed, deadline: $1, responder: $0, correlation: 0)
    }
    return try Request.Answer(json: try reply.json())
  }
}

extension TokenCreateRequest {
  fileprivate init(_ token: AccessToken, role: Role = .operator) {
    self.init()
    identifier = token.identifier
    (storedKey, serverKey) = token.keys
    tokenRole = role
    lifetime = .seconds(3600)
  }
}

private func token() -> AccessToken {
  var generator = SystemRandomNumberGenerator()
  return AccessToken(using: &generator)
}

private func code(_ body: () async throws(GridError) -> Void) async -> GridError? {
  do throws(GridError) { try await body() } catch { return error }
  return nil
}

@Suite("Who comes in with a token", .timeLimit(.minutes(5)))
struct TokenNodeTests {
  /// Makes a token, again where a node was held up for too long to say that it knows.
  private func make(_ request: TokenCreateRequest, at wires: NodeWires) async throws -> ChangedToken {
    for _ in 0..<20 {
      let made = try await wires.desks.tokens.create(request, wires.ownCall(timeout: .seconds(20)))
      if made.missing.isEmpty { return made }
    }
    return try await wires.desks.tokens.create(request, wires.ownCall(timeout: .seconds(20)))
  }

  @Test("made at one node it is good at the other; revoked there, it puts everybody out here and lets nobody in")
  func revocation() async throws {
    try await withCluster("a", "b") { cluster in
      let (first, second) = (try await cluster["a"].running(), try await cluster["b"].running())
      let (mine, other) = (token(), token())
      for made in [mine, other] {
        #expect(try await make(TokenCreateRequest(made), at: first).missing == [])
      }
      let links = [try await Guest.dial(first, mine), try await Guest.dial(second, mine)]
      let bystander = try await Guest.dial(second, other)
      for (link, wires) in zip(links, [first, second]) {
        #expect(try await Guest.ask(PingRequest(), over: link, wires).node == wires.node.name)
      }
      var revoke = TokenRevokeRequest()
      revoke.identifier = mine.identifier
      let answer = try await first.desks.tokens.revoke(revoke, first.ownCall(timeout: .seconds(20)))
      #expect(answer.missing == [] && answer.token.state == .revoked)
      // Whoever is told that it is revoked may rely on it, at every node.
      for wires in [first, second] {
        let refusal = await code { () throws(GridError) in _ = try await Guest.dial(wires, mine) }
        #expect(refusal?.code == .refused)
        #expect(
          refusal?.message.contains("token \(mine.identifier) was revoked") == true, "\(String(describing: refusal))")
      }
      for link in links { try await wait(for: "the connection to be closed") { link.isClosed } }
      #expect(!bystander.isClosed)
      #expect(try await Guest.ask(PingRequest(), over: bystander, second).node == "b")
    }
  }

  @Test("an expired token puts everybody out, and says so to whoever comes")
  func expiry() async throws {
    try await withCluster("a") { cluster in
      let wires = try await cluster["a"].running()
      let mine = token()
      var request = TokenCreateRequest(mine)
      request.lifetime = .seconds(5)
      _ = try await make(request, at: wires)
      let link = try await Guest.dial(wires, mine)
      try await wait(for: "the connection to be closed") { link.isClosed }
      let refusal = await code { () throws(GridError) in _ = try await Guest.dial(wires, mine) }
      #expect(refusal?.message.contains("token \(mine.identifier) has expired") == true)
    }
  }

  @Test("of many that come in with a token for one connection one does, and stays")
  func singleUse() async throws {
    try await withCluster("a", "b") { cluster in
      let nodes = [try await cluster["a"].running(), try await cluster["b"].running()]
      let mine = token()
      var request = TokenCreateRequest(mine)
      request.isSingleUse = true
      _ = try await make(request, at: nodes[0])
      let results = await withTaskGroup(of: Result<Link, GridError>.self) { group in
        for number in 0..<10 {
          group.addTask {
            do throws(GridError) { return .success(try await Guest.dial(nodes[number % 2], mine)) } catch {
              return .failure(error)
            }
          }
        }
        return await group.reduce(into: [Result<Link, GridError>]()) { $0.append($1) }
      }
      let links = results.compactMap { try? $0.get() }
      #expect(links.count == 1)
      for case .failure(let error) in results {
        #expect(error.code == .refused && error.message.contains("was good for one connection"), "\(error)")
      }
      let link = try #require(links.first)
      let isAtFirst = link.remote.name == "a"
      #expect(try await Guest.ask(PingRequest(), over: link, nodes[isAtFirst ? 0 : 1]).node == link.remote.name)
    }
  }

  @Test("a node that starts knows the tokens by the time that it is ready")
  func knownFromTheFirstMoment() async throws {
    let server = InMemoryStoreServer()
    let keys = StoreKeys(namespace: "test")
    let mine = token()
    var record = TokenRecord()
    record.name = mine.identifier
    (record.storedKey, record.serverKey) = mine.keys
    record.expiresAt = CalendarTime(millisecondsSince1970: .max)
    _ = try await StoreTokens(store: InMemoryCoordinationStore(server: server), keys: keys).create(record)
    try await withCluster("a", configure: { $0.store = InMemoryCoordinationStore(server: server) }) { cluster in
      let wires = try await cluster["a"].running()
      #expect(try await Guest.ask(PingRequest(), over: Guest.dial(wires, mine), wires).node == "a")
    }
  }

  @Test("a token of role node is told the secret, and nothing else")
  func joining() async throws {
    try await withCluster("a") { cluster in
      let wires = try await cluster["a"].running()
      let mine = token()
      _ = try await make(TokenCreateRequest(mine, role: .node), at: wires)
      let link = try await Guest.dial(wires, mine)
      for refusal in [
        await code { () throws(GridError) in _ = try await Guest.ask(PingRequest(), over: link, wires) },
        await code { () throws(GridError) in _ = try await Guest.ask(PeersRequest(), over: link, wires) },
        await code { () throws(GridError) in _ = try await Guest.ask(TokensRequest(), over: link, wires) },
        await code { () throws(GridError) in _ = try await Guest.ask(NodeStopRequest(), over: link, wires) },
        await code { () throws(GridError) in
          _ = try await PendingAsk.run(timeout: .seconds(20), deadlines: wires.traffic.deadlines) { ask, deadline in
            link.send(
              Envelope(
                target: "x", message: Message("x"), expectation: .acceptance, deadline: deadline, responder: ask))
          }
        },
      ] {
        #expect(refusal?.code == .refused && refusal?.message.contains("lets a new node in") == true)
      }
      let malformed = await code { () throws(GridError) in
        _ = try await Guest.ask(NodeSecretRequest(publicKey: [1]), over: link, wires)
      }
      #expect(malformed?.code == .undecodable)
      // Nobody else is told it, not even who may do everything else.
      for caller in [Caller.node("b"), Caller(name: "root", role: .operator, source: .socket, isHere: true)] {
        #expect(NodeSecretRequest().objection(to: caller, AccessRules())?.code == .refused)
      }
      // To say to be somebody else does not help.
      let claim = RoutedRequest(PeersRequest(), routing: RequestRouting().forwarded(for: .node("a"))).json
      let claimed = await code { () throws(GridError) in
        _ = try await PendingAsk.run(timeout: .seconds(20), deadlines: wires.traffic.deadlines) {
          _ = link.request(PeersRequest.verb, claim, deadline: $1, responder: $0, correlation: 0)
        }
      }
      #expect(claimed?.code == .refused)
    }
  }

  @Test("a node's rules hold whichever way a request comes to it")
  func ways() async throws {
    try await withCluster("a", "b", configure: { $0.accessRules = AccessRules() }) { cluster in
      let wires = try await cluster["a"].running()
      let mine = token()
      _ = try await make(TokenCreateRequest(mine), at: wires)
      let link = try await Guest.dial(wires, mine)
      for node in [nil, "a", "b"] as [String?] {
        let stop = await code { () throws(GridError) in
          _ = try await Guest.ask(NodeStopRequest(), on: node, over: link, wires)
        }
        #expect(stop?.code == .refused, "\(node ?? "-")")
        let spawn = SpawnRequest(kind: "exec", name: "p", command: ExecSpecification(command: ["/bin/true"]))
        let exec = await code { () throws(GridError) in _ = try await Guest.ask(spawn, on: node, over: link, wires) }
        #expect(exec?.code == .refused, "\(node ?? "-")")
        let ping = try await Guest.ask(PingRequest(), on: node, over: link, wires)
        #expect(ping.node == node ?? "a")
      }
    }
  }

  @Test(
    "nobody gives more than they have",
    arguments: [
      (Caller(name: "v", role: .viewer, source: .token), Role.viewer, false, true),
      (Caller(name: "v", role: .viewer, source: .token), .viewer, true, false),
      (Caller(name: "v", role: .viewer, source: .token, readsBodies: true), .viewer, true, true),
      (Caller(name: "v", role: .viewer, source: .token, readsBodies: true), .operator, false, false),
      (Caller(name: "o", role: .operator, source: .token), .operator, true, true),
      (Caller(name: "o", role: .operator, source: .token), .node, false, false),
      (Caller(name: "o", role: .operator, source: .certificate), .node, false, false),
      (Caller(name: "o", role: .operator, source: .secret), .node, false, true),
      (Caller(name: "u", role: .operator, source: .socket, isHere: true), .node, false, true),
      (Caller(name: "j", role: .node, source: .token), .viewer, false, false),
      (Caller(name: "j", role: .node, source: .token), .node, false, false),
    ])
  func giving(caller: Caller, role: Role, bodies: Bool, isAllowed: Bool) {
    var request = TokenCreateRequest()
    (request.tokenRole, request.readsBodies) = (role, bodies)
    #expect((request.objection(to: caller, AccessRules()) == nil) == isAllowed)
  }

  @Test("what is no token, or would last for ever, is not kept")
  func limits() async throws {
    try await withCluster("a") { cluster in
      let wires = try await cluster["a"].running()
      let changes: [(inout TokenCreateRequest) -> Void] = [
        { $0.identifier = "ABC" }, { $0.identifier = "../../nodes/" }, { $0.storedKey = [] }, { $0.serverKey = [1] },
        { $0.lifetime = .zero }, { $0.lifetime = .seconds(-1) }, { $0.lifetime = .seconds(400_000_000) },
        { $0.comment = String(repeating: "x", count: 257) },
      ]
      for change in changes {
        var request = TokenCreateRequest(token())
        change(&request)
        await #expect(throws: GridError(.usage, "")) { try await make(request, at: wires) }
      }
      #expect(try await wires.traffic.membership.tokens.lookUpAll().isEmpty)
    }
  }
}
