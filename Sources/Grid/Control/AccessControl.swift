internal import GridCore
internal import GridRequests

/// What stands in front of every request: whether its caller may ask for it.
struct AccessControl: Sendable {
  let rules: AccessRules

  /// - Throws: ``GridError/Code/refused`` with the role that is needed.
  func check<Request: NodeRequest>(_ request: Request, _ call: RequestCall) throws(GridError) {
    if let objection = objection(to: Request.self, from: call.caller) { throw objection }
    // Another node that it names has rules of its own.
    guard call.routing.node == nil, let objection = request.objection(to: call.caller, rules) else { return }
    throw objection
  }

  /// What lets a new node in is good for one request: that one, and none that a node may ask for.
  private func objection<Request: NodeRequest>(to type: Request.Type, from caller: Caller) -> GridError? {
    if caller.isJoining, Request.verb == NodeSecretRequest.verb { return nil }
    return caller.objection(to: Request.verb, needing: Request.role)
  }

  /// As ``check(_:_:)``, for a stream.
  func check<Request: StreamRequest>(_ request: Request, for caller: Caller) throws(GridError) {
    if let objection = caller.objection(to: Request.verb, needing: Request.role) { throw objection }
    if let objection = request.objection(to: caller, rules) { throw objection }
  }

  /// Carries a request out once it is known that its caller may ask for it.
  ///
  /// - Parameter connection: who is at the other end of the connection; another one than the caller where a node speaks
  ///   for somebody.
  func checked<Request: NodeRequest>(
    _ request: Request, _ call: RequestCall, over connection: Caller, _ body: () async throws -> JSONValue
  ) async throws -> JSONValue {
    try check(request, call)
    return try await body()
  }
}
