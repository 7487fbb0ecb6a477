internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridRequests

/// What one node asks of others: forwarding, gathering, merging of pages, and who did not answer.
final class ClusterCalls: Sendable {
  struct Gathered<Answer: Sendable>: Sendable {
    var answers: [(peer: NodeRecord, answer: Answer, seconds: Double)] = []
    var missing: [MissingNode] = []
  }

  static let gatherPatience = Duration.seconds(2)
  /// What is kept of a request's time to say why it was not enough.
  private static let timeToAnswer = Duration.milliseconds(200)
  /// A page of each of many nodes is no smaller.
  private static let leastShare = 64 * 1024

  private let node: NodeSelf
  private let membership: Membership
  private let peers: PeerTable
  private let health: Health
  let timers: any Timers
  private let deadlines: DeadlineList

  init(
    node: NodeSelf, membership: Membership, peers: PeerTable, health: Health, timers: any Timers,
    deadlines: DeadlineList
  ) {
    self.node = node
    self.membership = membership
    self.peers = peers
    self.health = health
    self.timers = timers
    self.deadlines = deadlines
  }

  // MARK: One node

  /// Asks another node to do it there, and nowhere else.
  ///
  /// - Throws: its failure; ``GridError/Code/noSuchNode`` or ``GridError/Code/unavailable`` when it cannot be asked.
  func ask<Request: NodeRequest>(
    _ request: Request, on name: String, _ call: RequestCall, until deadline: MonotonicTime? = nil,
    page: PageRequest = PageRequest()
  ) async throws(GridError) -> Request.Answer {
    let routed = RoutedRequest(request, routing: call.routing.forwarded(for: call.caller), page: page)
    let limit = deadline ?? call.deadline
    return try Request.Answer(json: try await send(Request.verb, routed.json, to: name, until: limit))
  }

  /// Passes a request on to the node that it names.
  func passOn<Request: NodeRequest>(
    _ routed: RoutedRequest<Request>, to name: String, _ call: RequestCall
  ) async throws(GridError) -> Request.Answer {
    var routed = routed
    routed.routing.caller = call.caller
    return try Request.Answer(json: try await send(Request.verb, routed.json, to: name, until: call.deadline))
  }

  private func send(
    _ verb: String, _ arguments: JSONValue, to name: String, until deadline: MonotonicTime
  ) async throws(GridError) -> JSONValue {
    guard let link = peers.link(to: name) else { throw unreachable(name) }
    var number: UInt64 = 0
    // The other node stops working for whoever has gone.
    defer { link.cancel(number) }
    let reply = try await PendingAsk.run(timeout: deadline - timers.now(), deadlines: deadlines) {
      number = link.request(verb, arguments, deadline: $1, responder: $0, correlation: 0)
    }
    return try reply.json()
  }

  private func unreachable(_ name: String) -> GridError {
    if membership.peer(name) != nil {
      return GridError(.unavailable, "node \(name) cannot be reached at the moment", hint: "see: gridctl peers")
    }
    let names = membership.peers.map(\.name) + [node.name]
    let similar = NameSimilarity.similar(to: name, in: names)
    return GridError(
      .noSuchNode, "no node \(name) in namespace \(node.namespace)",
      hint: similar.isEmpty
        ? "nodes: \(names.sorted().joined(separator: ", "))" : "similar: \(similar.joined(separator: ", "))")
  }

  /// When an answer is due that says why the time was not enough.
  func timeToSay(_ deadline: MonotonicTime) -> MonotonicTime {
    deadline + (.zero - min(Self.timeToAnswer, (deadline - timers.now()) / 10))
  }

  // MARK: Every node

  /// Asks all peers, at once, and waits for their answers as long as there is time to pass them on.
  ///
  /// - Parameter work: how long a node takes for its answer on purpose.
  func gather<Request: NodeRequest>(
    _ request: Request, _ call: RequestCall, page: PageRequest = PageRequest(), work: Duration = .zero
  ) async -> Gathered<Request.Answer> {
    // Who asks is to hear of those that answered, and which did not.
    let limit = min(timeToSay(call.deadline), timers.now() + work + Self.gatherPatience)
    let asked = asked(call)
    var gathered = await withTaskGroup(of: (NodeRecord, Result<Request.Answer, GridError>, Double).self) { group in
      for peer in asked {
        group.addTask {
          let began = self.timers.now()
          do throws(GridError) {
            let answer = try await self.ask(request, on: peer.name, call, until: limit, page: page)
            return (peer, .success(answer), (self.timers.now() - began).inSeconds)
          } catch {
            return (peer, .failure(error), 0)
          }
        }
      }
      var gathered = Gathered<Request.Answer>()
      for await (peer, result, seconds) in group {
        switch result {
        case .success(let answer): gathered.answers.append((peer, answer, seconds))
        case .failure(let error): gathered.missing.append(MissingNode(peer.name, error))
        }
      }
      return gathered
    }
    gathered.missing += outside
    return gathered
  }

  /// The peers that a request to every node goes to.
  func asked(_ call: RequestCall) -> [NodeRecord] {
    membership.peers.filter { !call.routing.without.contains($0.name) }
  }

  /// Whoever is outside of the cluster does not know who is in it: this node itself, where that is so.
  var outside: [MissingNode] {
    guard let problem = health.membershipProblem else { return [] }
    return [MissingNode(node.name, GridError(.notServing, "it is no member of the cluster: \(problem)"))]
  }

  /// The answer of the peer that has one first; the others need not go on.
  ///
  /// - Returns: nil when all have said that they have none.
  /// - Throws: ``GridError/Code/unavailable`` when there is none, but some have not answered.
  func first<Request: NodeRequest>(_ request: Request, _ call: RequestCall) async throws(GridError) -> Request.Answer? {
    // An answer may be long, and one of those that have none may be slow: there is the time that the asker gives.
    let limit = timeToSay(call.deadline)
    let (answer, silent) = await withTaskGroup(of: (String, Result<Request.Answer, GridError>).self) { group in
      for peer in asked(call) {
        group.addTask {
          do throws(GridError) {
            return (peer.name, .success(try await self.ask(request, on: peer.name, call, until: limit)))
          } catch {
            return (peer.name, .failure(error))
          }
        }
      }
      defer { group.cancelAll() }
      var silent: String?
      for await (name, result) in group {
        switch result {
        case .success(let answer): return (Request.Answer?.some(answer), silent)
        case .failure(let error): if error.code != .notFound { silent = silent ?? name }
        }
      }
      return (nil, silent)
    }
    if let answer { return answer }
    if let name = silent ?? outside.first?.node {
      throw GridError(.unavailable, "node \(name) did not answer")
    }
    return nil
  }

  /// Opens the list of another node: its own rows alone.
  ///
  /// - Parameter patience: how long each page may take.
  /// - Throws: ``GridError/Code/noSuchNode`` or ``GridError/Code/unavailable`` when it cannot be asked.
  func open<Request: ListRequest>(
    _ request: Request, on name: String, _ call: RequestCall, patience: Duration
  ) throws(GridError) -> ChannelReader {
    guard let link = peers.link(to: name) else { throw unreachable(name) }
    let routed = RoutedRequest(request, routing: call.routing.forwarded(for: call.caller), page: call.page)
    return link.openChannel(Request.verb, routed.json, patience: patience)
  }

  /// One page of a list: this node's own pages merged with those of all others.
  func list<Request: ListRequest>(
    _ request: Request, own: [ListPage], missing unread: [MissingNode] = [], _ call: RequestCall
  ) async -> Request.Answer {
    var (pages, missing) = (own, unread)
    if !call.isLocal {
      var share = call.page
      share.bytes = max(Self.leastShare, call.page.mostBytes / (membership.peers.count + 1))
      let gathered = await gather(request, call, page: share)
      pages += gathered.answers.map(\.answer.page)
      missing += gathered.missing
    }
    let merged = ListPage.merged(pages, Request.order, within: call.page.mostBytes, limit: call.page.mostItems)
    return ListAnswer(merged, missing: missing)
  }
}
