internal import GridConcurrency
package import GridCore
package import GridRequests

/// Going on at another node when the present one goes.
extension ClusterClient {
  /// What follows when a node has not answered a request.
  package enum Succession: Equatable, Sendable {
    /// The error is the answer.
    case none
    /// Another node can be asked: nothing was done, or it does no harm to do it again.
    case another
    /// It may have been done, and must not be done twice.
    case unknown

    /// - Parameter isLost: whether the connection is gone.
    package init(_ error: GridError, _ effect: RequestEffect, isLost: Bool) {
      if effect == .own || effect == .ownChange {
        self = .none
      } else if error.code == .notServing {
        self = .another
      } else if !isLost || ![.nodeLost, .unavailable].contains(error.code) {
        self = .none
      } else {
        self = effect == .once ? .unknown : .another
      }
    }
  }

  /// Whether an error means that the node at the other end is gone or hangs, and another one may know more.
  package static func isLoss(_ error: any Error) -> Bool {
    guard let error = error as? GridError else { return false }
    return [.nodeLost, .notServing, .unavailable, .deadline].contains(error.code)
  }

  // MARK: Requests

  /// Asks the node, and one after another the other nodes that are known without asking, until one has done it or may
  /// have done it; the answer is as it came.
  ///
  /// - Parameter moved: told when it goes on at another node.
  /// - Throws: what the last node answered; ``GridError/Code/nodeLost`` when it may have been done, and must not be
  ///   done twice.
  package func json<Request: NodeRequest>(
    _ routed: RoutedRequest<Request>, until deadline: MonotonicTime,
    moved: (_ from: String, _ to: String) -> Void = { _, _ in }
  ) async throws(GridError) -> JSONValue {
    var tried: Set<String> = []
    var wasLost: String?
    while true {
      let asked = try await connection(timeout: deadline - timers.now())
      let failure: GridError
      do throws(GridError) {
        return try await asked.request(Request.verb, routed.json, timeout: deadline - timers.now())
      } catch {
        failure = error
      }
      switch Succession(failure, routed.request.effect, isLost: asked.isClosed) {
      case .none: throw wasLost.map { Self.explained(failure, Request.verb, lost: $0) } ?? failure
      case .unknown: throw Self.unknownOutcome(Request.verb, at: asked.nodeName, failure)
      case .another:
        tried.insert(asked.endpoint)
        if failure.code != .notServing { wasLost = asked.nodeName }
        guard let next = try await successor(of: asked, notAt: &tried, until: deadline) else { throw failure }
        moved(asked.nodeName, next.nodeName)
        replace(with: next)
      }
    }
  }

  /// As ``json(_:until:moved:)``, understood.
  package func request<Request: NodeRequest>(
    _ request: Request, to node: String? = nil, timeout: Duration
  ) async throws(GridError) -> Request.Answer {
    try Request.Answer(
      json: try await json(
        RoutedRequest(request, routing: RequestRouting(node: node)), until: timers.now() + timeout))
  }

  /// A list of the cluster as a whole: page after page, each within the time-out.
  package func list<Request: ListRequest>(
    _ request: Request, routing: RequestRouting = RequestRouting(), limit: Int = .max, timeout: Duration
  ) async throws(GridError) -> ClusterList<Request.Item> {
    if Request.isStreamed {
      return try await rowList(request, routing: routing, limit: limit, timeout: timeout)
    }
    return try await ClusterList.gathered(request, routing: routing, limit: limit) { routed throws(GridError) in
      try ListAnswer(json: try await json(routed, until: timers.now() + timeout))
    }
  }

  /// A connection to another node, nil when there is none in time. That of a session moves by itself.
  ///
  /// - Throws: ``GridError/Code/refused`` when we are not let in any more.
  func successor(
    of lost: NodeConnection, notAt tried: inout Set<String>, until deadline: MonotonicTime
  ) async throws(GridError) -> NodeConnection? {
    guard !isBorrowed else { return nil }
    let places = places
    while timers.now() < deadline {
      let seen = tried
      let others = places.known.filter { !seen.contains($0) }
      guard !others.isEmpty else { return nil }
      let next: NodeConnection
      do throws(GridError) { next = try await places.connect(to: others, timeout: Self.connectPatience) } catch {
        if error.code == .refused { throw error }
        return nil
      }
      tried.insert(next.endpoint)
      if next.nodeName != lost.nodeName { return next }
      // The same node by another address.
      next.close()
    }
    return nil
  }

  private static func unknownOutcome(_ verb: String, at node: String, _ cause: GridError) -> GridError {
    GridError(
      .nodeLost, "node \(node) was lost before it answered \(verb): it may have been done, or not",
      hint: "look before you repeat it: gridctl actors, gridctl inspect ACTOR", cause: cause.description)
  }

  /// What the next node says of something that the lost one may have done.
  private static func explained(_ error: GridError, _ verb: String, lost node: String) -> GridError {
    guard [.noSuchActor, .nameTaken, .notFound].contains(error.code) else { return error }
    var error = error
    error.hint = "node \(node) was lost while it was asked to \(verb): it may have done so"
    return error
  }

  // MARK: Streams

  private static let searchPause: Duration = .milliseconds(100)

  /// Asks where the other nodes listen: afterwards there is nobody to ask. What cannot be learnt now is not missed
  /// before the node is gone.
  package func learn(timeout: Duration) async {
    guard let list = try? await list(PeersRequest(), timeout: timeout), let peers = try? list.items() else { return }
    let node = node
    knows(peers.filter { $0.name != node })
  }

  /// The connection to another node of the cluster, for a stream that was lost with its node.
  ///
  /// - Parameters:
  ///   - patience: how long the search may take until a node serves; see ``serves()``.
  ///   - told: hears what people are to be told.
  /// - Throws: ``GridError/Code/unavailable`` when none has served in time, ``GridError/Code/refused`` when we are not
  ///   let in any more.
  package func successor(
    of lost: NodeConnection, patience: Duration, told: (String) -> Void
  ) async throws(GridError) -> NodeConnection {
    let name = lost.nodeName
    told("node \(name) is gone; looking for another one")
    let search = search(patience)
    // One that answers and does not serve is not asked without a pause.
    if !search.isNew { await timers.sleep(for: Self.searchPause) }
    while true {
      if let next = try await attempt(after: lost), next !== lost {
        told("goes on at node \(next.nodeName)")
        return next
      }
      guard timers.now() < search.ends else {
        throw GridError(
          .unavailable, "the stream was lost: node \(name) is gone, and no other one answers",
          hint: "connect to another node with --endpoint HOST:PORT")
      }
      guard await timers.sleep(for: Self.searchPause) else { throw GridError(.cancelled, "cancelled") }
    }
  }
}
