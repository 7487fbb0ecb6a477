internal import GridCluster
internal import GridCore
internal import GridLink
internal import GridRequests
internal import GridSecurity

/// Makes, lists and revokes tokens, and gives new nodes the secret of the namespace.
struct TokenDesk: Sendable {
  /// Ten years; longer is for ever, and no token is.
  private static let longestLifetime = Duration.seconds(10 * 365 * 86_400)
  private static let longestComment = 256
  /// How long a node has to hear of a change.
  private static let hearing = Duration.seconds(1)

  let node: NodeSelf
  let tokens: StoreTokens
  let secret: NamespaceSecret
  let calls: ClusterCalls
  let timers: any Timers

  func create(_ request: TokenCreateRequest, _ call: RequestCall) async throws -> ChangedToken {
    let now = timers.date()
    let record = try Self.record(request, by: call.caller, at: now)
    let revision = try await tokens.create(record)
    return ChangedToken(TokenReport(record, at: now), missing: await heard(record.name, revision, call))
  }

  private static func record(
    _ request: TokenCreateRequest, by caller: Caller, at now: CalendarTime
  ) throws(GridError) -> TokenRecord {
    let keys = [request.storedKey, request.serverKey]
    guard AccessToken.isIdentifier(request.identifier), keys.allSatisfy({ $0.count == AccessToken.secretBytes }) else {
      throw GridError(.usage, "the token is none", hint: "it is made by: gridctl token create")
    }
    guard request.lifetime >= .milliseconds(1), request.lifetime <= longestLifetime else {
      throw GridError(.usage, "a token expires, in ten years at the latest", hint: "say when: --expires 24h")
    }
    guard request.comment.utf8.count <= longestComment else {
      throw GridError(.usage, "the comment of a token has at most \(longestComment) bytes")
    }
    var record = TokenRecord()
    record.name = request.identifier
    record.role = request.tokenRole
    record.readsBodies = request.readsBodies || request.tokenRole == .operator
    record.isSingleUse = request.isSingleUse
    (record.storedKey, record.serverKey) = (request.storedKey, request.serverKey)
    record.createdAt = now
    record.createdBy = "\(caller.name) (\(caller.source.rawValue))"
    record.expiresAt = CalendarTime(
      millisecondsSince1970: now.millisecondsSince1970.addingClamped(request.lifetime.wholeNanoseconds / 1_000_000))
    record.comment = request.comment
    return record
  }

  func list(_ request: TokensRequest, _ call: RequestCall) async throws -> ListAnswer<TokenReport> {
    let now = timers.date()
    return ListAnswer(call.page.page(try await tokens.lookUpAll().map { TokenReport($0, at: now) }))
  }

  func revoke(_ request: TokenRevokeRequest, _ call: RequestCall) async throws -> ChangedToken {
    let identifier = try NameRules.validated(request.identifier, as: "token")
    let now = timers.date()
    let (record, revision) = try await tokens.revoke(identifier, at: now)
    return ChangedToken(TokenReport(record, at: now), missing: await heard(identifier, revision, call))
  }

  /// Returns when all nodes know of a change.
  ///
  /// - Returns: those that have not said so.
  private func heard(_ identifier: String, _ revision: Int64, _ call: RequestCall) async -> [MissingNode] {
    let request = TokenHeardRequest(identifier, revision: revision)
    async let others = call.isLocal ? [] : calls.gather(request, call, work: Self.hearing).missing
    var missing: [MissingNode] = []
    do throws(GridError) { _ = try await hears(request) } catch { missing.append(MissingNode(node.name, error)) }
    return missing + (await others)
  }

  func hears(_ request: TokenHeardRequest) async throws(GridError) -> NodeReference {
    guard
      await tokens.hears(of: request.identifier, revision: request.revision, atMost: Self.hearing, on: timers)
    else { throw GridError(.unavailable, "it has not heard of the change yet: the store tells it nothing") }
    return NodeReference(node: node.name)
  }

  // MARK: Joining

  /// The secret of the namespace, sealed with what this node and whoever asks know of the token.
  func secret(_ request: NodeSecretRequest, _ call: RequestCall) throws(GridError) -> SealedSecret {
    guard let token = tokens[call.caller.name] else {
      throw GridError(
        .refused, "\(call.caller.described) is not known here any more",
        hint: "on the machine of a node, as its user: gridctl token create --role node")
    }
    if let closure = token.closure(at: timers.date()) { throw closure }
    return try SecretSeal(stored: token.storedKey, server: token.serverKey, namespace: node.namespace)
      .sealed(secret, to: request.publicKey)
  }
}

extension TokenReport {
  init(_ record: TokenRecord, at now: CalendarTime) {
    self.init()
    identifier = record.name
    role = record.role
    readsBodies = record.readsBodies
    isSingleUse = record.isSingleUse
    state =
      switch record.state(at: now) {
      case .live: .live
      case .revoked: .revoked
      case .used: .used
      case .expired: .expired
      }
    expiresAt = record.expiresAt.rfc3339
    createdAt = record.createdAt.rfc3339
    createdBy = record.createdBy
    revokedAt = record.revokedAt?.rfc3339
    usedAt = record.usedAt?.rfc3339
    comment = record.comment
  }
}
