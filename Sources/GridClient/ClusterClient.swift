internal import GridConcurrency
@_exported public import GridCore
internal import GridRequests
internal import GridSystem
internal import Synchronization

/// A live way into a cluster without being a node of it: messages to its actors, actors made and stopped, events.
///
/// ```swift
/// let cluster = try await ClusterClient.connect(
///   to: ["10.0.0.1:4743", "10.0.0.2:4743"], namespace: "shop", secretFile: "/etc/shop/secret")
/// let answer = try await cluster.ask("calc", Message("2^10"))
/// cluster.close()
/// ```
///
/// The connection is one to one node. When that node goes, whatever is asked next goes on at another one, as does a
/// request that was certainly not carried out or may be carried out twice; a message that may have arrived fails with
/// ``GridError/Code/nodeLost``, and so does a stream. Every method may be called from any task, and many at once.
public final class ClusterClient: Sendable {
  private struct State {
    var places: ClusterPlaces
    var connection: NodeConnection?
    /// The nodes that are there, as the one that was asked last knew them.
    var peers: [PeerReport] = []
    var wasConnected = false
    /// Connections that were left but may still carry a stream.
    var retired: [NodeConnection] = []
    /// When the search for a node that serves has to end; nil while one serves.
    var searchEnds: MonotonicTime?
    var isClosed = false
  }

  /// The longest that a connection is waited for, whatever its answers may take.
  package static let connectPatience = Duration.seconds(5)
  private static let firstPause = Duration.milliseconds(100)
  private static let longestPause = Duration.seconds(2)

  private let state: Mutex<State>
  /// The client whose connection this one has borrowed: it goes where that one goes.
  private let host: ClusterClient?
  /// How long a node is waited for where nobody said otherwise.
  private let patience: Duration
  private let endsWithIt: Bool
  /// Raised when the connection has become another one, or is closed.
  let changed = Signal<Void>()
  package let timers: any Timers

  // MARK: Making one

  /// Not connected yet.
  ///
  /// - Parameters:
  ///   - patience: how long a node is waited for, where nobody says otherwise.
  ///   - endsWithIt: whether the connection is closed when nobody has the client any more.
  package init(
    _ places: ClusterPlaces, patience: Duration = ClusterClient.connectPatience,
    endsWithIt: Bool = false, timers: any Timers = ProcessTimers.shared
  ) {
    self.endsWithIt = endsWithIt
    state = Mutex(State(places: places))
    host = nil
    self.patience = patience
    self.timers = timers
  }

  /// For one command of a session: it stays with the connection that the session has now, and goes on where the session
  /// goes.
  ///
  /// - Throws: what ``connection(timeout:)`` throws.
  package init(borrowing host: ClusterClient, timeout: Duration) async throws(GridError) {
    let connection = try await host.connection(timeout: timeout)
    state = Mutex(State(places: host.places, connection: connection, wasConnected: true))
    self.host = host
    endsWithIt = false
    patience = timeout
    timers = host.timers
  }

  deinit { if endsWithIt { close() } }

  /// Connects to the first node that answers.
  ///
  /// - Parameters:
  ///   - endpoints: nodes to try in order, as `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; a program that is an
  ///     actor has its node's in the environment variable `GRIDCTL_ENDPOINT`.
  ///   - namespace: the cluster.
  ///   - secretFile: a file with the secret of the namespace, which nodes over TCP want proved; its mode is 0600 and
  ///     its user the program's. Not needed for a Unix socket.
  ///   - tls: the files of TLS, for nodes over TCP that encrypt; with a certificate of its own the program needs no
  ///     secret.
  ///   - tokenFile: a file with a token that `gridctl token create` has made, which is shown over TCP instead; its mode
  ///     is 0600 and its user the program's.
  ///   - timeout: how long it may take altogether for one node to answer.
  /// - Throws: ``GridError/Code/usage`` for what is no endpoint, ``GridError/Code/unavailable`` when none answers,
  ///   ``GridError/Code/protocolMismatch`` when what answers is no node of the namespace, ``GridError/Code/refused``
  ///   when one of the two sides does not know the secret, or the token is not or no longer good.
  public static func connect(
    to endpoints: [String], namespace: String = "default", secretFile: String? = nil, tokenFile: String? = nil,
    tls: TLSFiles? = nil,
    timeout: Duration = .seconds(5)
  ) async throws(GridError) -> ClusterClient {
    guard !endpoints.isEmpty else { throw GridError(.usage, "no endpoint was named") }
    try NameRules.validated(namespace, as: "namespace")
    var places = ClusterPlaces(
      namespace: namespace, endpoints: endpoints,
      directories: GridDirectories(environment: [:], namespace: namespace, user: ProcessEnvironment.user),
      secretFile: secretFile ?? "")
    places.tls = tls
    if let tokenFile { places.token = { () async throws(GridError) in try TokenFile.read(tokenFile) } }
    let client = ClusterClient(places, patience: timeout, endsWithIt: true)
    _ = try await client.connection(timeout: timeout)
    return client
  }

  // MARK: The connection

  package var places: ClusterPlaces { state.withLock { $0.places } }

  /// The connection as it is now; nil while there is none.
  package var current: NodeConnection? { state.withLock { $0.connection } }

  /// The name of the node at the other end; empty while there is none.
  public var node: String { current?.nodeName ?? "" }

  /// Whether it goes where a session goes.
  package var isBorrowed: Bool { host != nil }

  package var isClosed: Bool { state.withLock { $0.isClosed } }

  package var wasConnected: Bool { state.withLock { $0.wasConnected } }

  /// Takes note of the nodes that are there: where to go on when the present one goes.
  package func knows(_ peers: [PeerReport]) { state.withLock { $0.peers = peers } }

  /// The connection; waits while there is none.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when no node answers: at once for whoever has never had one, after
  ///   `timeout` for whoever has lost one.
  package func connection(timeout: Duration) async throws(GridError) -> NodeConnection {
    let limit = timers.now() + timeout
    var pause = Self.firstPause
    while true {
      if let connection = current { return connection }
      do throws(GridError) {
        return try await connect()
      } catch {
        let waits = state.withLock { $0.wasConnected && !$0.isClosed } && error.code == .unavailable
        guard waits, timers.now() + pause < limit, await timers.sleep(for: pause) else { throw error }
        pause = min(pause * 2, Self.longestPause)
      }
    }
  }

  /// Connects to any node of the cluster, the ones that are most likely there first.
  private func connect() async throws(GridError) -> NodeConnection {
    if let host { return install(try await host.connection(timeout: patience)) }
    let (places, others) = (places, others())
    if !others.isEmpty, let connection = try? await places.connect(to: others, timeout: patience) {
      return install(connection)
    }
    return install(try await places.connect(timeout: patience))
  }

  /// The alive peers that are known from before: by their socket on this machine, else by their address.
  private func others() -> [String] {
    let (places, peers) = state.withLock { ($0.places, $0.peers) }
    guard !peers.isEmpty else { return [] }
    let local = Dictionary(places.local.map { ($0.node, $0.endpoint) }) { first, _ in first }
    return peers.filter { $0.status == .alive }.map { local[$0.name] ?? $0.address }
  }

  /// Takes the connection, unless another task was quicker.
  private func install(_ connection: NodeConnection) -> NodeConnection {
    let (chosen, surplus) = state.withLock { state -> (NodeConnection, NodeConnection?) in
      if state.isClosed { return (connection, nil) }
      if let present = state.connection { return (present, connection) }
      state.connection = connection
      state.wasConnected = true
      return (connection, nil)
    }
    if host == nil { surplus?.close() }
    changed.raise()
    return chosen
  }

  /// Forgets a connection that was lost.
  ///
  /// - Returns: false when it is not the present one any more.
  @discardableResult
  func forget(_ lost: NodeConnection) -> Bool {
    state.withLock { state in
      guard state.connection === lost else { return false }
      state.connection = nil
      return true
    }
  }

  /// Goes over to another connection; the one before may still carry streams, see ``closeRetired()``.
  func replace(with connection: NodeConnection) {
    state.withLock { state in
      if let old = state.connection, host == nil { state.retired.append(old) }
      state.connection = connection
      state.wasConnected = true
    }
    changed.raise()
  }

  /// Goes to another cluster.
  ///
  /// - Throws: what connecting throws; then it stays where it is.
  package func use(_ places: ClusterPlaces) async throws(GridError) {
    let connection = try await places.connect(timeout: patience)
    state.withLock { ($0.places, $0.peers) = (places, []) }
    replace(with: connection)
  }

  /// Closes the connections that were left; when no stream needs them.
  package func closeRetired() {
    let retired = state.withLock { state in
      defer { state.retired = [] }
      return state.retired
    }
    for connection in retired { connection.close() }
  }

  /// Closes the connection; what is still awaited fails.
  public func close() {
    let connection = state.withLock { state in
      state.isClosed = true
      defer { state.connection = nil }
      return state.connection
    }
    if host == nil { connection?.close() }
    closeRetired()
    changed.raise()
  }

  // MARK: Going on

  /// Notes that a node serves: the next search begins anew.
  package func serves() { state.withLock { $0.searchEnds = nil } }

  /// When the search that is under way has to end, and whether it has just begun.
  func search(_ patience: Duration) -> (ends: MonotonicTime, isNew: Bool) {
    let ends = timers.now() + patience
    return state.withLock { state in
      defer { state.searchEnds = state.searchEnds ?? ends }
      return (state.searchEnds ?? ends, state.searchEnds == nil)
    }
  }

  /// One try to find a node after `lost` is gone.
  ///
  /// - Throws: ``GridError/Code/refused`` when one is there that lets us in no more: to try again changes nothing.
  func attempt(after lost: NodeConnection) async throws(GridError) -> NodeConnection? {
    if host == nil { lost.close() }
    forget(lost)
    do throws(GridError) { return try await connect() } catch {
      if error.code == .refused { throw error }
      return nil
    }
  }
}
