internal import GridClient
internal import GridCore
internal import Synchronization

/// The connection of a command, which may be taken to another node.
final class ConnectionSeat: Sendable {
  private let present: Mutex<NodeConnection>

  init(_ connection: NodeConnection) { present = Mutex(connection) }

  var connection: NodeConnection { present.withLock { $0 } }

  func move(to connection: NodeConnection) { present.withLock { $0 = connection } }
}

extension CommandSession {
  /// What follows when a node has not answered a request.
  enum Succession: Equatable {
    /// The error is the answer.
    case none
    /// Another node can be asked: nothing was done, or it does no harm to do it again.
    case another
    /// It may have been done, and must not be done twice.
    case unknown

    /// - Parameter isLost: whether the connection is gone.
    init(_ error: GridError, _ effect: RequestEffect, isLost: Bool) {
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

  /// Asks the node of the session, and one after another the other nodes that the settings name, until one has done
  /// it or may have done it.
  func requestAnywhere(
    _ verb: String, _ arguments: JSONValue, until deadline: MonotonicTime, _ clock: any GridClock
  ) async throws(GridError) -> JSONValue {
    let effect = RequestEffect(verb, arguments)
    var tried: Set<String> = []
    var wasLost: String?
    while true {
      let asked = connection
      let failure: GridError
      do throws(GridError) {
        return try await asked.request(verb, arguments, timeout: deadline - clock.now())
      } catch {
        failure = error
      }
      switch Succession(failure, effect, isLost: asked.isClosed) {
      case .none: throw wasLost.map { Self.explained(failure, verb, lost: $0) } ?? failure
      case .unknown: throw Self.unknownOutcome(verb, at: asked.nodeName, failure)
      case .another:
        tried.insert(asked.endpoint)
        if failure.code != .notServing { wasLost = asked.nodeName }
        guard let next = await successor(of: asked, notAt: &tried, until: deadline, clock) else { throw failure }
        writer.warning("node \(asked.nodeName) is gone or leaves; goes on at node \(next.nodeName)")
        seat.move(to: next)
      }
    }
  }

  /// A connection to another node, nil when there is none in time. That of an interactive session moves by itself.
  private func successor(
    of lost: NodeConnection, notAt tried: inout Set<String>, until deadline: MonotonicTime, _ clock: any GridClock
  ) async -> NodeConnection? {
    guard !followsSession else { return nil }
    while clock.now() < deadline {
      let seen = tried
      let others = settings.knownEndpoints.filter { !seen.contains($0) }
      guard !others.isEmpty, let next = try? await settings.connect(to: others) else { return nil }
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
}
