internal import GridCore
internal import GridLink
internal import GridRequests

/// What a handler knows of a request beside what it asks.
struct RequestCall: Sendable {
  var routing: RequestRouting
  var page: PageRequest
  var deadline: MonotonicTime
  /// On whose behalf it is carried out.
  var caller: Caller

  /// Another node has asked, and goes on with the answer itself.
  var isLocal: Bool { routing.isLocal }
}

/// The requests that a node answers, each with what carries it out.
///
/// A request that names a node is passed on to it here, whatever it asks; a handler never sees those of others.
struct RequestTable: Sendable {
  struct Handler: Sendable {
    let role: Role
    /// Reads what came.
    let read: @Sendable (JSONValue) throws -> Reading
  }

  /// A request that has been read, and waits to be carried out.
  struct Reading: Sendable {
    let effect: RequestEffect
    let answer: @Sendable (MonotonicTime, Caller) async throws -> JSONValue
  }

  /// Answers a list over a channel, which ends with it: what was asked, until when each page is waited for, who asks.
  typealias ListHandler = @Sendable (JSONValue, MonotonicTime, Caller, ChannelWriter) async throws -> Void

  private var handlers: [String: Handler] = [:]
  private var lists: [String: ListHandler] = [:]
  private let node: NodeSelf
  private let calls: ClusterCalls
  private let access: AccessControl

  init(node: NodeSelf, calls: ClusterCalls, access: AccessControl) {
    self.node = node
    self.calls = calls
    self.access = access
  }

  /// The verbs of all of them.
  var verbs: [String] { handlers.keys.sorted() }

  subscript(verb: String) -> Handler? { handlers[verb] }

  /// What answers the list of that verb over a channel; nil when it is a list that is answered page by page, or none.
  func list(_ verb: String) -> ListHandler? { lists[verb] }

  mutating func on<Request: NodeRequest>(
    _ type: Request.Type, _ body: @escaping @Sendable (Request, RequestCall) async throws -> Request.Answer
  ) {
    let (node, calls, access) = (node, calls, access)
    handlers[Request.verb] = Handler(role: Request.role) { json in
      let routed = try RoutedRequest<Request>(json: json)
      return Reading(effect: routed.request.effect) { deadline, caller in
        let call = RequestCall(routed, until: deadline, for: caller).arrived(at: node.name, for: Request.self)
        return try await access.checked(routed.request, call, over: caller) {
          if let other = call.routing.node { return try await calls.passOn(routed, to: other, call).json }
          return try await body(routed.request, call).json
        }
      }
    }
  }

  mutating func on<Request: NodeRequest>(
    _ type: Request.Type, _ body: @escaping @Sendable (Request) async throws -> Request.Answer
  ) {
    on(type) { request, _ in try await body(request) }
  }

  /// - Parameter own: this node's part of it.
  mutating func onRows<Request: ListRequest>(
    of type: Request.Type, _ own: @escaping @Sendable (Request, PageRequest) -> any OwnRows
  ) {
    let (node, calls, access) = (node, calls, access)
    lists[Request.verb] = { json, deadline, caller, writer in
      let routed = try RoutedRequest<Request>(json: json)
      let call = RequestCall(routed, until: deadline, for: caller)
      try access.check(routed.request, call.arrived(at: node.name, for: Request.self), over: caller)
      let listing = RowListing(node: node, calls: calls, request: routed.request, call: call)
      try await listing.send({ own(routed.request, routed.page) }, to: writer)
    }
  }
}

extension RequestCall {
  fileprivate init<Request>(_ routed: RoutedRequest<Request>, until deadline: MonotonicTime, for caller: Caller) {
    self.init(
      routing: routed.routing, page: routed.page, deadline: deadline,
      caller: caller.speaking(for: routed.routing.caller))
  }

  /// At the node that it names it names no other one any more: it is carried out there, and so held to that node's
  /// rules.
  func arrived<Request: NodeRequest>(at node: String, for type: Request.Type) -> RequestCall {
    guard routing.node == node else { return self }
    var call = self
    call.routing = Request.routingAtNamedNode(routing)
    return call
  }
}

extension NodeRequest {
  /// What is asked of every node is asked of the named one alone; what any node knows is told as that one sees it.
  static func routingAtNamedNode(_ routing: RequestRouting) -> RequestRouting {
    var routing = routing
    routing.node = nil
    if scope != .cluster { routing.isLocal = true }
    return routing
  }
}
