internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import Logging

extension NodeRuntime {
  /// Answers one control request of a client or a peer.
  func answer(_ request: RequestFrame, _ deadline: MonotonicTime, _ link: Link, abandoned: Latch) async {
    defer { requests.closed(request.correlation, on: link) }
    var effect = RequestEffect.own
    do {
      let arguments = request.arguments.isEmpty ? .object([:]) : try JSONValue(parsing: request.arguments)
      if try startStream(request.verb, arguments, request.correlation, link) {
        // Given up before it had begun: nobody else ends it.
        if abandoned.isOpen { streams.stop(link, request.correlation) }
        return
      }
      effect = RequestEffect(request.verb, arguments)
      // Answered before it counts as done: a node that leaves says goodbye after the answers.
      try await requestsUnderWay.counting(effect) {
        let limit = min(deadline, clock.now() + .seconds(3600))
        let answer = try await OpenRequests.run(until: limit, timers: clock, on: link, abandoned: abandoned) {
          try await self.perform(request.verb, arguments, deadline: limit)
        }
        guard let body = answer.serialized(within: LinkFrame.maximumPayloadBytes) else {
          throw GridError(.undecodable, "the answer to \(request.verb) does not fit into a frame")
        }
        link.resolve(request.correlation, .reply(Message(body: body, contentType: .json)))
      }
    } catch {
      let failure = GridError.wrapping(error, as: .failed, "the request failed")
      link.resolve(request.correlation, .failure(told(failure, request.verb, effect)))
    }
  }

  /// Runs a verb here, or on the node that its argument `node` names.
  func perform(_ verb: String, _ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    if let node = arguments["node"]?.stringValue, node != nodeName, verb != "actors", verb != "spawn" {
      return try await forward(verb, arguments, to: node, deadline: deadline)
    }
    switch verb {
    case "ping": return ["node": .string(nodeName)]
    case "node.info": return nodeInfo()
    case "node.stop":
      let isForced = arguments["force"]?.boolValue ?? false
      logger.notice("stop requested by a client", metadata: ["force": "\(isForced)"])
      if isForced { hurry.open() }
      stopRequested.open()
      return ["node": .string(nodeName)]
    case "load": return load()
    case "store":
      let store = try await store.describe()
      return ["engine": .string(store.engine), "version": .string(store.version), "place": .string(store.place)]
    case "health": return try await health(arguments, deadline: deadline)
    case "peers": return try await peers(arguments, deadline: deadline)
    case "actors": return try await actors(arguments, deadline: deadline)
    case "kinds": return kindList(arguments)
    case "events.list": return await listEvents(arguments, deadline: deadline)
    case "inspect": return try await inspect(arguments, deadline: deadline)
    case "spawn": return try await spawn(SpawnRequest(json: arguments), deadline: deadline).json
    case "stop": return try await stopActor(arguments, deadline: deadline)
    case "restart": return try await restartActor(arguments, deadline: deadline)
    case "deadLetters.list": return try await listDeadLetters(arguments, deadline: deadline)
    case "deadLetters.show": return try await showDeadLetter(arguments, deadline: deadline)
    case "deadLetters.body": return try await deadLetterBody(arguments, deadline: deadline)
    case "deadLetters.find": return try await findDeadLetter(arguments)
    case "deadLetters.counts": return try await countDeadLetters(arguments, deadline: deadline)
    case "deadLetters.purge": return try await purgeDeadLetters(arguments, deadline: deadline)
    case "deadLetters.replay": return try await replayDeadLetter(arguments, deadline: deadline)
    case "leader.list": return try await listLeaders(arguments, deadline: deadline)
    case "leader.show": return try await showLeader(arguments, deadline: deadline)
    case "leader.keep": return try keepLeadership(arguments)
    case "leader.resign": return try await resignLeadership(arguments, deadline: deadline)
    case "leader.lastRun": return try await lastRun(arguments)
    case "leader.record": return try await recordRun(arguments)
    case "singletons": return await listSingletons(arguments, deadline: deadline)
    case "names.count": return try countNames(arguments)
    case "bench": return try await bench(arguments, deadline: deadline)
    default:
      throw GridError(
        .protocolMismatch, "node \(nodeName) does not know the request \(NameRules.quoted(verb))",
        hint: "the client is newer than the node: use the same version")
    }
  }

  // MARK: Other nodes

  /// Asks another node to carry a request out.
  func forward(
    _ verb: String, _ arguments: JSONValue, to node: String, deadline: MonotonicTime
  ) async throws(GridError) -> JSONValue {
    guard let link = peerLinks.link(to: node) else { throw unreachable(node) }
    return try await request(verb, arguments, over: link, deadline: deadline)
  }

  func request(
    _ verb: String, _ arguments: JSONValue, over link: Link, deadline: MonotonicTime
  ) async throws(GridError) -> JSONValue {
    var number: UInt64 = 0
    // The other node stops working for whoever has gone.
    defer { link.cancel(number) }
    let reply = try await PendingAsk.run(timeout: deadline - clock.now(), deadlines: deadlines) {
      number = link.request(verb, arguments, deadline: $1, responder: $0, correlation: 0)
    }
    return try reply.json()
  }

  private func unreachable(_ node: String) -> GridError {
    if membership.peer(node) != nil {
      return GridError(.unavailable, "node \(node) cannot be reached at the moment", hint: "see: gridctl peers")
    }
    let names = membership.peers.map(\.name) + [nodeName]
    let similar = NameSimilarity.similar(to: node, in: names)
    return GridError(
      .noSuchNode, "no node \(node) in namespace \(namespace)",
      hint: similar.isEmpty
        ? "nodes: \(names.sorted().joined(separator: ", "))" : "similar: \(similar.joined(separator: ", "))")
  }

  /// How long a peer has to answer its part of a list.
  private static let gatherPatience = Duration.seconds(2)

  /// Asks every peer at once; those that do not answer are named, never left out silently.
  func gather(
    _ verb: String, _ arguments: JSONValue, deadline: MonotonicTime
  ) async -> (answers: [(peer: NodeRecord, answer: JSONValue, seconds: Double)], missing: [JSONValue]) {
    let now = clock.now()
    // Who asks is to hear of those that answered, and which did not.
    let limit = min(timeToSay(deadline, from: now), now + Self.gatherPatience)
    let local = arguments.with("local", true)
    return await withTaskGroup(of: (NodeRecord, Result<JSONValue, GridError>, Double).self) { group in
      for peer in membership.peers where !arguments.leavesOut(peer.name) {
        group.addTask {
          let began = self.clock.now()
          do throws(GridError) {
            let answer = try await self.forward(verb, local, to: peer.name, deadline: limit)
            return (peer, .success(answer), (self.clock.now() - began).inSeconds)
          } catch {
            return (peer, .failure(error), 0)
          }
        }
      }
      var answers: [(peer: NodeRecord, answer: JSONValue, seconds: Double)] = []
      var missing: [JSONValue] = []
      for await (peer, result, seconds) in group {
        switch result {
        case .success(let answer): answers.append((peer, answer, seconds))
        case .failure(let error): missing.append(Self.missing(peer.name, error))
        }
      }
      // Whoever is outside of the cluster does not know who is in it.
      if let problem = membershipProblem {
        missing.append([
          "node": .string(nodeName), "code": .string(GridError.Code.notServing.label),
          "message": .string("it is no member of the cluster: \(problem)"),
        ])
      }
      return (answers, missing)
    }
  }
}

extension JSONValue {
  /// The required text member `key`.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when it is missing.
  func required(_ key: String) throws(GridError) -> String {
    guard let value = self[key]?.stringValue else { throw GridError(.undecodable, "the request lacks \(key)") }
    return value
  }

  /// Whether the request is a peer's own part of a cluster-wide one.
  var isLocal: Bool { self["local"]?.boolValue ?? false }
}
