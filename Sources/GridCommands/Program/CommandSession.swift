internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests

/// One command at work: its settings, its way into the cluster, its output.
struct CommandSession {
  let settings: Settings
  let renderer: Renderer
  /// The way into the cluster; in an interactive session it goes where the session goes.
  let cluster: ClusterClient
  /// The node that was reached first.
  private let first: NodeConnection

  /// The connection to the node that is asked, which requests may move to another one.
  var connection: NodeConnection { cluster.current ?? first }
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
    if let environment = CommandEnvironment.current, namesNoNode {
      cluster = try await ClusterClient(borrowing: environment.cluster, timeout: settings.timeout)
      first = try await cluster.connection(timeout: settings.timeout)
      return
    }
    cluster = settings.client()
    first = try await cluster.connection(timeout: settings.connectPatience)
    CommandEnvironment.current?.adopt(cluster)
    if settings.verbosity != .normal {
      let place = settings.context.map { " (context \($0.name))" } ?? ""
      writer.remark("connected to node \(first.nodeName) at \(first.endpoint)\(place)")
    }
  }

  // MARK: Requests

  /// Sends a request, which with `-vv` is told on standard error with the time it took.
  ///
  /// Where the node leaves or is lost, and it is certain that nothing was done or twice is as good as once, the
  /// command goes on at another node.
  ///
  /// - Parameters:
  ///   - node: the node that is to carry it out, when it is not the one that is asked.
  ///   - patience: how long to wait where nobody said otherwise with `--timeout`.
  ///   - work: how long the node takes for it on purpose, beside all time-outs.
  func request<Request: NodeRequest>(
    _ request: Request, to node: String? = nil, patience: Duration? = nil, work: Duration = .zero
  ) async throws(GridError) -> Request.Answer {
    let routed = RoutedRequest(request, routing: RequestRouting(node: node))
    return try Request.Answer(json: try await json(routed, patience: patience, work: work))
  }

  /// As ``request(_:to:patience:)``, for an answer that is only shown: what a newer node adds is in it.
  func json<Request: NodeRequest>(
    _ request: Request, to node: String? = nil, patience: Duration? = nil
  ) async throws(GridError) -> JSONValue {
    try await json(RoutedRequest(request, routing: RequestRouting(node: node)), patience: patience)
  }

  private func json<Request: NodeRequest>(
    _ routed: RoutedRequest<Request>, patience: Duration?, work: Duration = .zero
  ) async throws(GridError) -> JSONValue {
    let timeout = (settings.sources.timeout == .standard ? patience ?? timeout : timeout) + work
    let clock = cluster.timers
    let began = clock.now()
    defer {
      if settings.verbosity == .most {
        writer.remark("request \(Request.verb) \(routed.json.text): \(HumanText.duration(clock.now() - began))")
      }
    }
    let first = connection
    do throws(GridError) {
      return try await cluster.json(routed, until: began + timeout, moved: tellOfMove)
    } catch {
      // A deadline before ours is that of a node behind this one, and has its own words.
      guard error.code == .deadline, clock.now() - began >= timeout else { throw error }
      throw silent(first, timeout, error)
    }
  }

  private func tellOfMove(from lost: String, to next: String) {
    writer.warning("node \(lost) is gone or leaves; goes on at node \(next)")
  }

  private func silent(_ node: NodeConnection, _ timeout: Duration, _ error: GridError) -> GridError {
    GridError(
      .deadline, "node \(node.nodeName) did not answer within \(HumanText.duration(timeout))",
      hint: "it may be paused or overloaded; ask another one with --endpoint HOST:PORT", cause: error.cause)
  }

  /// Asks before something is done that cannot be undone; see ``Confirmation``.
  func confirm(_ action: String, asksAnyway: Bool = false) async throws(GridError) {
    try await Confirmation(settings: settings, writer: writer).require(action, asksAnyway: asksAnyway)
  }

  /// Asks for a list as a whole: page after page, each within the time-out.
  ///
  /// - Parameters:
  ///   - node: the only node whose items are wanted.
  ///   - limit: items wanted.
  func items<Request: ListRequest>(
    _ request: Request, on node: String? = nil, limit: Int = .max
  ) async throws(GridError) -> ClusterList<Request.Item> {
    if Request.isStreamed {
      var list = ClusterList<Request.Item>()
      let end = try await rows(request, on: node, limit: limit) { page throws(GridError) in try list.add(page) }
      list.finish(end)
      return list
    }
    return try await ClusterList.gathered(request, routing: RequestRouting(node: node), limit: limit) {
      routed throws(GridError) in try ListAnswer(json: try await json(routed, patience: nil))
    }
  }

  /// Asks for a list, prints it, and names the nodes that are missing from it.
  func list<Request: ListRequest>(_ request: Request, _ description: ListDescription<JSONValue>) async throws {
    let list = try await items(request)
    try renderer.list(list.elements, description)
    try warnOfMissing(list.missing)
  }

  /// Reads a list whose rows come over a channel; `each` takes its pages as they come, however many there are.
  ///
  /// - Throws: what `each` throws, which ends the list; a node's failure.
  func rows<Request: ListRequest>(
    _ request: Request, on node: String? = nil, limit: Int = .max, each: (RowPage) throws(GridError) -> Void
  ) async throws(GridError) -> RowListEnd {
    let clock = cluster.timers
    let began = clock.now()
    var heard = began
    let routing = RequestRouting(node: node)
    defer {
      if settings.verbosity == .most {
        let asked = RoutedRequest(request, routing: routing, page: PageRequest(limit: limit == .max ? nil : limit))
        writer.remark("request \(Request.verb) \(asked.json.text): \(HumanText.duration(clock.now() - began))")
      }
    }
    let first = connection
    do throws(GridError) {
      return try await cluster.rows(
        request, routing: routing, limit: limit, timeout: timeout, moved: tellOfMove
      ) { page throws(GridError) in
        try each(page)
        heard = clock.now()
      }
    } catch {
      guard error.code == .deadline, clock.now() - heard >= timeout else { throw error }
      throw silent(first, timeout, error)
    }
  }

  /// A list that is not whole says so, and ends with 3.
  func warnOfMissing(_ missing: [MissingNode]) throws {
    for node in missing {
      // A node that is outside of the cluster answers, and cannot know what the others would.
      let isOutside = node.code == GridError.Code.notServing.label && node.node == connection.nodeName
      writer.warning("node \(node.node)\(isOutside ? "" : " did not answer"): \(node.message)")
    }
    if !missing.isEmpty { throw ExitCode(ExitStatus.partial.rawValue) }
  }

  // MARK: Going on

  /// How long a node is searched for where nobody said otherwise.
  private static let searchPatience: Duration = .seconds(10)

  /// Goes to another node of the cluster, for a stream that was lost with its node; both nodes are named on standard
  /// error.
  ///
  /// - Parameter told: hears what people are told; warnings, unless something else is on the screen.
  /// - Throws: ``GridError/Code/unavailable`` when none has served within 10 seconds, or `--timeout`.
  func goOn(after lost: NodeConnection, told: ((String) -> Void)? = nil) async throws(GridError) {
    let patience = settings.sources.timeout == .standard ? Self.searchPatience : timeout
    _ = try await cluster.successor(of: lost, patience: patience) { text in
      if let told { told(text) } else { writer.warning(text) }
    }
  }
}
