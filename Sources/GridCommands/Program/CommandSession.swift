internal import ArgumentParser
internal import Glibc
internal import GridClient
internal import GridCore
internal import GridSystem

/// One command at work: its settings, its connection, its output.
struct CommandSession {
  let settings: Settings
  let renderer: Renderer
  /// Whether the connection is that of the interactive session, which may move.
  let followsSession: Bool

  /// The connection to the node that is asked, which requests may move to another one.
  let seat: ConnectionSeat

  var connection: NodeConnection { seat.connection }
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
      seat = ConnectionSeat(try await environment.connections.connection(timeout: settings.timeout))
      return
    }
    let connection = try await settings.connect()
    seat = ConnectionSeat(connection)
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
    seat = ConnectionSeat(connection)
    CommandEnvironment.current?.adopt(connection)
  }

  /// The same command over another connection.
  func moved(to connection: NodeConnection) -> CommandSession { CommandSession(self, connection) }

  /// Sends a request, which with `-vv` is told on standard error with the time it took.
  ///
  /// Where the node leaves or is lost, and it is certain that nothing was done or twice is as good as once, the
  /// command goes on at another node.
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
    let first = connection
    do throws(GridError) {
      return try await requestAnywhere(verb, arguments, until: began + timeout, clock)
    } catch {
      // A deadline before ours is that of a node behind this one, and has its own words.
      guard error.code == .deadline, clock.now() - began >= timeout else { throw error }
      throw GridError(
        .deadline, "node \(first.nodeName) did not answer within \(HumanText.duration(timeout))",
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
      // A node that is outside of the cluster answers, and cannot know what the others would.
      let isOutside = node["code"]?.stringValue == GridError.Code.notServing.label && name == connection.nodeName
      writer.warning("node \(name)\(isOutside ? "" : " did not answer"): \(node["message"]?.stringValue ?? "")")
    }
    if !missing.isEmpty { throw ExitCode(ExitStatus.partial.rawValue) }
  }
}
