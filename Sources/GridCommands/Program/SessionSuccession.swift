internal import GridClient
internal import GridCore
internal import GridSystem
internal import Synchronization

/// Takes a command that follows the cluster from a node that is gone to another one.
///
/// It knows where the other nodes listen from ``learn(from:)``, since afterwards there is nobody to ask. Inside an
/// interactive session the command goes where the session goes.
final class SessionSuccession: Sendable {
  private struct State {
    /// Where the other nodes listen.
    var others: [String] = []
    /// When the search for a node that serves has to end; nil while one serves.
    var limit: MonotonicTime?
  }

  private let state = Mutex(State())
  /// Tells people where it goes.
  private let remark: @Sendable (CommandSession, String) -> Void
  private let clock = SystemClock()

  /// - Parameter remark: what is done with what people are told; warnings, unless something else is on the screen.
  init(remark: @escaping @Sendable (CommandSession, String) -> Void = { $0.writer.warning($1) }) {
    self.remark = remark
  }

  private static let patience: Duration = .seconds(10)
  private static let pause: Duration = .milliseconds(100)

  /// Whether an error means that the node at the other end is gone or hangs, and another one may know more.
  static func isLoss(_ error: any Error) -> Bool {
    guard let error = error as? GridError else { return false }
    return [.nodeLost, .notServing, .unavailable, .deadline].contains(error.code)
  }

  /// Asks where the other nodes listen. What cannot be learnt now is not missed before the node is gone.
  func learn(from session: CommandSession) async {
    guard let peers = try? await session.items("peers").items else { return }
    let addresses =
      peers
      .filter { $0["status"]?.stringValue == "alive" && $0["name"]?.stringValue != session.connection.nodeName }
      .compactMap { $0["address"]?.stringValue }
    state.withLock { $0.others = addresses }
  }

  /// Notes that a node serves: the search for the next one begins anew.
  func serves() { state.withLock { $0.limit = nil } }

  /// The session at another node of the cluster; both nodes are named on standard error.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when none has served within 10 seconds, or `--timeout`.
  func successor(of lost: CommandSession) async throws(GridError) -> CommandSession {
    let name = lost.connection.nodeName
    remark(lost, "node \(name) is gone; looking for another one")
    // That of an interactive session is not ours to close.
    if !lost.followsSession { lost.connection.close() }
    let patience = lost.settings.sources.timeout == .standard ? Self.patience : lost.timeout
    let now = clock.now()
    let (limit, isFirst) = state.withLock { state in
      defer { state.limit = state.limit ?? now + patience }
      return (state.limit ?? now + patience, state.limit == nil)
    }
    // One that answers and does not serve is not asked without a pause.
    if !isFirst { try? await Task.sleep(for: Self.pause) }
    while true {
      if let next = await attempt(lost), next.connection !== lost.connection {
        remark(lost, "goes on at node \(next.connection.nodeName)")
        return next
      }
      guard clock.now() < limit else {
        throw GridError(
          .unavailable, "the stream was lost: node \(name) is gone, and no other one answers",
          hint: "connect to another node with --endpoint HOST:PORT")
      }
      do { try await Task.sleep(for: Self.pause) } catch { throw GridError(.cancelled, "cancelled") }
    }
  }

  private func attempt(_ lost: CommandSession) async -> CommandSession? {
    if lost.followsSession { return try? await CommandSession(lost.settings) }
    let others = state.withLock { $0.others }
    if !others.isEmpty, let connection = try? await lost.settings.connect(to: others) {
      return lost.moved(to: connection)
    }
    return (try? await lost.settings.connect()).map { lost.moved(to: $0) }
  }
}
