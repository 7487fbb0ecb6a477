internal import ArgumentParser
internal import Glibc
internal import Grid
internal import GridClient
internal import GridCore

/// One command at work: its settings, its connection, its output.
struct CommandSession {
  let settings: Settings
  let connection: NodeConnection
  let renderer: Renderer
  /// Whether the connection is that of the interactive session, which may move.
  let followsSession: Bool

  var timeout: Duration { settings.timeout }
  var writer: OutputWriter { renderer.writer }

  /// Connects as the options say: the endpoints given, else any node of the namespace on this machine.
  init(_ options: GlobalOptions) async throws(GridError) {
    try await self.init(try Settings(options), namesNoNode: options.namesNoNode)
  }

  /// - Parameter namesNoNode: whether a session's command goes where the session is.
  init(_ settings: Settings, namesNoNode: Bool = true) async throws(GridError) {
    self.settings = settings
    renderer = settings.renderer
    followsSession = CommandEnvironment.current != nil && namesNoNode
    if let environment = CommandEnvironment.current, followsSession {
      connection = try await environment.connections.connection(timeout: settings.timeout)
      return
    }
    connection = try await settings.connect()
    CommandEnvironment.current?.adopt(connection)
    if settings.verbosity != .normal {
      let place = settings.context.map { " (context \($0.name))" } ?? ""
      writer.error("connected to node \(connection.nodeName) at \(connection.endpoint)\(place)")
    }
  }

  private init(_ session: CommandSession, _ connection: NodeConnection) {
    settings = session.settings
    renderer = session.renderer
    followsSession = session.followsSession
    self.connection = connection
    CommandEnvironment.current?.adopt(connection)
  }

  /// The same command over another connection.
  func moved(to connection: NodeConnection) -> CommandSession { CommandSession(self, connection) }

  /// Sends a request, which with `-vv` is told on standard error with the time it took.
  ///
  /// - Parameter patience: how long to wait where nobody said otherwise with `--timeout`.
  func request(
    _ verb: String, _ arguments: JSONValue = [:], patience: Duration? = nil
  ) async throws(GridError) -> JSONValue {
    let timeout = settings.sources.timeout == .standard ? patience ?? timeout : timeout
    let clock = SystemClock()
    let began = clock.now()
    defer {
      if settings.verbosity == .most {
        writer.error("request \(verb) \(arguments.text): \(HumanText.duration(clock.now() - began))")
      }
    }
    do throws(GridError) {
      return try await connection.request(verb, arguments, timeout: timeout)
    } catch {
      // A deadline before ours is that of a node behind this one, and has its own words.
      guard error.code == .deadline, clock.now() - began >= timeout else { throw error }
      throw GridError(
        .deadline, "node \(connection.nodeName) did not answer within \(HumanText.duration(timeout))",
        hint: "it may be paused or overloaded; ask another one with --endpoint HOST:PORT", cause: error.cause)
    }
  }

  /// Asks before something is done that cannot be undone; see ``Confirmation``.
  func confirm(_ action: String, asksAnyway: Bool = false) async throws(GridError) {
    try await Confirmation(settings: settings, writer: writer).require(action, asksAnyway: asksAnyway)
  }

  /// Asks for a list, however long: page after page, each within the time-out.
  ///
  /// - Parameter limit: items wanted.
  func items(
    _ verb: String, _ arguments: JSONValue = [:], limit: Int = .max
  ) async throws(GridError) -> ClusterList {
    try await ClusterList.gathered(arguments, limit: limit) { arguments throws(GridError) in
      try await request(verb, arguments)
    }
  }

  /// Asks for a list, prints it, and names the nodes that are missing from it.
  func list(_ verb: String, _ arguments: JSONValue, _ description: ListDescription<JSONValue>) async throws {
    let list = try await items(verb, arguments)
    try renderer.list(list.items, description)
    try warnOfMissing(list.missing)
  }

  /// A list that is not whole says so, and ends with 3.
  func warnOfMissing(_ missing: [JSONValue]) throws {
    for node in missing {
      let name = node["node"]?.stringValue ?? "?"
      writer.warning("node \(name) did not answer: \(node["message"]?.stringValue ?? "")")
    }
    if !missing.isEmpty { throw ExitCode(ExitStatus.partial.rawValue) }
  }
}

extension Settings {
  /// Connects to the first node that answers: of `others` when given, else as the options say, else any node of the
  /// namespace on this machine.
  func connect(to others: [String] = []) async throws(GridError) -> NodeConnection {
    let chosen = others.isEmpty ? endpoints : others
    let sockets = try chosen.isEmpty ? LocalSockets.find(in: directories.runtime) : []
    do throws(GridError) {
      return try await NodeConnection.open(
        others.isEmpty ? reachableEndpoints() : others, namespace: namespace, timeout: min(timeout, .seconds(5)),
        clock: SystemClock())
    } catch {
      // Sockets that killed nodes left behind are no nodes.
      throw !sockets.isEmpty && sockets.allSatisfy(LocalSockets.isAbandoned) ? noLocalNode : error
    }
  }

  /// The endpoints to try: those that were named, else the sockets of this machine's nodes.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when there is none.
  func reachableEndpoints() throws(GridError) -> [String] {
    if !endpoints.isEmpty { return endpoints }
    let sockets = try LocalSockets.find(in: directories.runtime)
    guard !sockets.isEmpty else { throw noLocalNode }
    return sockets.map { "unix:\($0)" }
  }

  private var noLocalNode: GridError {
    GridError(
      .unavailable, "no node of namespace \(namespace) runs on this machine",
      hint: "start one with: gridctl node start --detach    or name one with: --endpoint HOST:PORT")
  }
}
