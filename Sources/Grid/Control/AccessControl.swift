internal import GridCore
internal import GridRequests

/// What stands in front of every request: whether its caller may ask for it, and that it is written down.
///
/// The node that a client is connected to writes, once: what one node asks another on somebody's behalf was written by
/// the one that was asked.
struct AccessControl: Sendable {
  let rules: AccessRules
  let audit: AuditTrail

  /// - Parameter connection: who is at the other end of the connection; another one than the caller where a node speaks
  ///   for somebody.
  /// - Throws: ``GridError/Code/refused`` with the role that is needed.
  func check<Request: NodeRequest>(
    _ request: Request, _ call: RequestCall, over connection: Caller
  ) throws(GridError) {
    // Another node that it names has rules of its own.
    let isHere = call.routing.node == nil
    guard
      let objection = objection(to: Request.self, from: call.caller)
        ?? (isHere ? request.objection(to: call.caller, rules) : nil)
    else { return }
    if connection.source != .node {
      audit.denied(Request.verb, Self.subject(of: request, call), call.caller, objection)
    }
    throw objection
  }

  /// What lets a new node in is good for one request: that one, and none that a node may ask for.
  private func objection<Request: NodeRequest>(to type: Request.Type, from caller: Caller) -> GridError? {
    if caller.isJoining, Request.verb == NodeSecretRequest.verb { return nil }
    return caller.objection(to: Request.verb, needing: Request.role)
  }

  /// Carries a request out once it is known that its caller may ask for it.
  func checked<Request: NodeRequest>(
    _ request: Request, _ call: RequestCall, over connection: Caller, _ body: () async throws -> JSONValue
  ) async throws -> JSONValue {
    try check(request, call, over: connection)
    guard Request.isAudited, connection.source != .node else { return try await body() }
    let entry = try audit.begin(Request.verb, Self.subject(of: request, call), call.caller)
    do {
      let answer = try await body()
      audit.end(entry, nil)
      return answer
    } catch {
      let failure = GridError.wrapping(error, as: .failed, "the request failed")
      audit.end(entry, Request.auditsMessages ? failure : GridError(failure.code, ""))
      throw error
    }
  }

  /// As ``checked(_:_:over:_:)``, for a stream, which is done once it has begun.
  func checked<Request: StreamRequest>(
    _ request: Request, for caller: Caller, over connection: Caller, _ start: () throws -> Void
  ) throws {
    let isWritten = connection.source != .node
    let objection =
      caller.objection(to: Request.verb, needing: Request.role) ?? request.objection(to: caller, rules)
    if let objection {
      if isWritten { audit.denied(Request.verb, request.json, caller, objection) }
      throw objection
    }
    guard Request.isAudited, isWritten else { return try start() }
    let entry = try audit.begin(Request.verb, request.json, caller)
    do {
      try start()
      audit.end(entry, nil)
    } catch {
      audit.end(entry, GridError.wrapping(error, as: .failed, "the request failed"))
      throw error
    }
  }

  private static func subject<Request: NodeRequest>(of request: Request, _ call: RequestCall) -> JSONValue {
    call.routing.node.map { request.auditSubject.with("node", .string($0)) } ?? request.auditSubject
  }
}
