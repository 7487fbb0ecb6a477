internal import GridClient
internal import GridCommands
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// The session's connection to the cluster: one node at a time, another one when it is lost.
final class Attachment: ConnectionProvider {
  /// News of the connection, told once.
  enum News: Sendable, Equatable {
    case attached(node: String)
    case lost(node: String)
    /// No node answers; told once per loss.
    case alone(GridError)
  }

  private struct State {
    var connection: NodeConnection?
    /// The alive nodes, as the node that was asked last knew them.
    var peers: [JSONValue] = []
    var wasAttached = false
    /// Connections that were left but may still carry a background stream.
    var retired: [NodeConnection] = []
    var isClosed = false
  }

  private static let firstPause = Duration.milliseconds(100)
  private static let longestPause = Duration.seconds(2)

  private let state = Mutex(State())
  private let services: Mutex<SessionServices>
  private let changed = Signal<Void>()
  private let clock: any GridClock

  init(_ services: SessionServices) {
    self.services = Mutex(services)
    clock = SessionServices.clock
  }

  /// The node at the other end, nil while there is none.
  var node: String? { current?.nodeName }

  var current: NodeConnection? { state.withLock { $0.connection } }

  func knows(peers: [JSONValue]) { state.withLock { $0.peers = peers } }

  // MARK: Connections

  func connection(timeout: Duration) async throws(GridError) -> NodeConnection {
    let limit = clock.now() + timeout
    var pause = Self.firstPause
    while true {
      if let connection = current { return connection }
      do throws(GridError) {
        return try await connect()
      } catch {
        // Whoever has never had a node hears at once why; whoever lost one waits for the next.
        let waits = state.withLock { $0.wasAttached && !$0.isClosed } && error.code == .unavailable
        guard waits, clock.now() + pause < limit, (try? await Task.sleep(for: pause)) != nil else { throw error }
        pause = min(pause * 2, Self.longestPause)
      }
    }
  }

  /// Connects to any node of the cluster, the ones that are most likely there first.
  private func connect() async throws(GridError) -> NodeConnection {
    let services = services.withLock { $0 }
    let others = candidates(services)
    if !others.isEmpty, let connection = try? await services.connect(to: others) { return install(connection) }
    return install(try await services.connect())
  }

  /// The alive peers that are known from before: by their socket on this machine, else by their address.
  private func candidates(_ services: SessionServices) -> [String] {
    let local = Dictionary(
      services.localEndpoints.map { ($0.node, $0.endpoint) }, uniquingKeysWith: { first, _ in first })
    return state.withLock { $0.peers }.filter { $0["status"]?.stringValue == "alive" }.compactMap { peer in
      peer["name"]?.stringValue.flatMap { local[$0] } ?? peer["address"]?.stringValue
    }
  }

  /// Takes the connection, unless another task was quicker.
  private func install(_ connection: NodeConnection) -> NodeConnection {
    let (chosen, surplus) = state.withLock { state -> (NodeConnection, NodeConnection?) in
      if state.isClosed { return (connection, nil) }
      if let present = state.connection { return (present, connection) }
      state.connection = connection
      state.wasAttached = true
      return (connection, nil)
    }
    surplus?.close()
    changed.raise()
    return chosen
  }

  /// Moves to the node of that name.
  ///
  /// - Throws: ``GridError/Code/noSuchNode``, or ``GridError/Code/unavailable`` when it does not answer.
  func attach(to node: String, timeout: Duration) async throws(GridError) {
    let services = services.withLock { $0 }
    let peers = try await connection(timeout: timeout).list("peers", timeout: timeout).items
    guard let peer = peers.first(where: { $0["name"]?.stringValue == node }) else {
      let names = peers.compactMap { $0["name"]?.stringValue }
      let similar = NameSimilarity.similar(to: node, in: names)
      throw GridError(
        .noSuchNode, "there is no node \(node)",
        hint: similar.isEmpty
          ? "nodes: \(names.joined(separator: ", "))" : "similar: \(similar.joined(separator: ", "))")
    }
    let local = services.localEndpoints.filter { $0.node == node }.map(\.endpoint)
    let connection = try await services.connect(to: local + [peer["address"]?.stringValue ?? ""].filter { !$0.isEmpty })
    replace(with: connection)
  }

  /// Goes to another cluster: that of other options.
  ///
  /// - Throws: what connecting throws; then the session stays where it is.
  func use(_ other: SessionServices) async throws(GridError) {
    let connection = try await other.connect()
    services.withLock { $0 = other }
    state.withLock { $0.peers = [] }
    replace(with: connection)
  }

  private func replace(with connection: NodeConnection) {
    state.withLock { state in
      if let old = state.connection { state.retired.append(old) }
      state.connection = connection
      state.wasAttached = true
    }
    changed.raise()
  }

  /// What tells the cluster it goes to from others.
  var cluster: String { services.withLock { $0.cluster } }

  /// Closes the connections that were left; when no background stream needs them.
  func closeRetired() {
    let retired = state.withLock { state in
      defer { state.retired = [] }
      return state.retired
    }
    for connection in retired { connection.close() }
  }

  func close() {
    let connection = state.withLock { state in
      state.isClosed = true
      defer { state.connection = nil }
      return state.connection
    }
    connection?.close()
    closeRetired()
    changed.raise()
  }

  // MARK: Keeping it

  /// Keeps the session attached until the task is cancelled.
  ///
  /// - Parameters:
  ///   - isEager: whether to connect before a command asks for it.
  ///   - news: hears of what changes.
  ///   - follow: runs beside each connection, and is cancelled when it is left.
  func run(
    isEager: Bool, news: @escaping @Sendable (News) -> Void,
    follow: @escaping @Sendable (NodeConnection) async -> Void
  ) async {
    // Each connection is watched until it is closed, which ``close()`` does at the latest.
    await withDiscardingTaskGroup { watchers in
      var isAlone = false
      while !Task.isCancelled, !state.withLock({ $0.isClosed }) {
        guard let connection = current else {
          guard isEager || state.withLock({ $0.wasAttached }) else {
            await changed.wait()
            continue
          }
          do throws(GridError) {
            _ = try await self.connection(timeout: .zero)
            isAlone = false
          } catch {
            if !isAlone { news(.alone(error)) }
            isAlone = true
            try? await Task.sleep(for: .milliseconds(500))
          }
          continue
        }
        news(.attached(node: connection.nodeName))
        let closed = Latch()
        watchers.addTask {
          await connection.untilClosed()
          closed.open()
        }
        let isLost = await stays(connection, closed, follow)
        if isLost, !Task.isCancelled { news(.lost(node: connection.nodeName)) }
      }
    }
  }

  /// Returns true when the connection was lost, false when the session has left it.
  private func stays(
    _ connection: NodeConnection, _ closed: Latch, _ follow: @escaping @Sendable (NodeConnection) async -> Void
  ) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await closed.wait()
        return true
      }
      group.addTask { [self] in
        while !Task.isCancelled, current === connection { await changed.wait() }
        return true
      }
      group.addTask {
        await follow(connection)
        return false
      }
      defer { group.cancelAll() }
      while let isOver = await group.next(), !isOver {}
      return state.withLock { state in
        guard state.connection === connection, closed.isOpen else { return false }
        state.connection = nil
        return true
      }
    }
  }
}
