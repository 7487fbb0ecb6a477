internal import GridConcurrency
package import GridCore
internal import GridLink
package import GridRequests
internal import GridSystem
package import NIOCore
internal import NIOPosix

/// A client's connection to one node: typed requests, and streams. A client is no member of the cluster.
///
/// Every method may be called from any task.
package final class NodeConnection: Sendable {
  private let link: Link
  private let receiver: ClientReceiver
  private let clock: any GridClock
  private let group: any EventLoopGroup
  /// The endpoint that answered.
  package let endpoint: String

  /// Connects to the first endpoint that answers.
  ///
  /// - Parameters:
  ///   - secretFile: the file with the secret of the namespace; read when a node over TCP wants it proved.
  ///   - tls: the files of TLS, for nodes over TCP; nil without.
  ///   - token: what is shown there instead.
  /// - Throws: ``GridError/Code/unavailable`` when none does, ``GridError/Code/protocolMismatch`` when what answers
  ///   is no node of our version and namespace, ``GridError/Code/refused`` when one of the two sides does not know the
  ///   secret of the other's namespace.
  package static func open(
    _ endpoints: [String], namespace: String, timeout: Duration, clock: any GridClock,
    secretFile: String, tls: TLSFiles? = nil, token: String? = nil,
    group: any EventLoopGroup = NodeConnection.sharedGroup
  ) async throws(GridError) -> NodeConnection {
    let receiver = ClientReceiver()
    let loop = group.next()
    var side = LinkEndpoint(
      greeting: { LinkGreeting(namespace: namespace, role: .client, name: "client") }, receiver: receiver,
      timers: LoopTimers(loop), transport: NIOTransport(loop),
      secret: { () throws(GridError) in try SecretFile.readForClient(secretFile, namespace: namespace) })
    if let tls, endpoints.contains(where: { !$0.hasPrefix("unix:") }) {
      side.encryption = try CertificateEncryption(tls, listens: false, clock: clock)
      if tls.certificate != nil { side.credential = .certificate }
    }
    if let token { side.credential = .token(try AccessToken(parsing: token)) }
    do {
      let (link, endpoint) = try await DialRace(endpoints, from: side, timeout: timeout).run()
      return NodeConnection(link: link, receiver: receiver, clock: clock, group: group, endpoint: endpoint)
    } catch {
      throw error.summary
    }
  }

  /// The threads of client connections; started by the first one.
  package static let sharedGroup: any EventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  private init(
    link: Link, receiver: ClientReceiver, clock: any GridClock, group: any EventLoopGroup, endpoint: String
  ) {
    self.link = link
    self.receiver = receiver
    self.clock = clock
    self.group = group
    self.endpoint = endpoint
  }

  /// The name of the node at the other end.
  package var nodeName: String { link.remote.name }

  /// Closes the connection; what is still awaited fails.
  package func close() { link.closeGracefully("done") }

  /// Whether the connection is lost or closed.
  package var isClosed: Bool { link.isClosed }

  /// Returns when the connection is lost or closed.
  package func untilClosed() async { await link.untilClosed() }

  // MARK: Messages

  /// Sends a message and returns once it is in the target's mailbox; with `waitsForRoom` a full mailbox is waited for.
  package func tell(
    _ target: String, _ message: Message, timeout: Duration, waitsForRoom: Bool = false
  ) async throws(GridError) {
    if waitsForRoom, !link.windowIsOpen(for: target) { try await link.windowOpens(for: target) }
    _ = try await exchange(target, message, .acceptance, timeout: timeout, waitsForRoom: waitsForRoom)
  }

  /// Sends a message of a stream and returns as soon as it has left; `outcome` hears what became of it, on the
  /// connection's thread. Suspends while the target's window is closed, so memory stays flat.
  package func streamTell(
    _ target: String, _ message: Message, _ responder: any ExchangeResponder, _ correlation: UInt64
  )
    async throws(GridError)
  {
    if !link.windowIsOpen(for: target) { try await link.windowOpens(for: target) }
    link.send(
      Envelope(
        target: target, message: message, sender: "client", expectation: .acceptance, waitsForRoom: true,
        responder: responder, correlation: correlation))
  }

  /// Sends a message without waiting for anything but its departure.
  package func post(_ target: String, _ message: Message, waitsForRoom: Bool = false) async throws(GridError) {
    if waitsForRoom, !link.windowIsOpen(for: target) { try await link.windowOpens(for: target) }
    link.send(Envelope(target: target, message: message, sender: "client", waitsForRoom: waitsForRoom))
  }

  /// Sends a message and returns the handler's reply.
  package func ask(_ target: String, _ message: Message, timeout: Duration) async throws(GridError) -> Message {
    try await exchange(target, message, .reply, timeout: timeout, waitsForRoom: false)
  }

  private func exchange(
    _ target: String, _ message: Message, _ expectation: Envelope.Expectation, timeout: Duration, waitsForRoom: Bool
  ) async throws(GridError) -> Message {
    let exchange = PendingAsk()
    link.send(
      Envelope(
        target: target, message: message, sender: "client", expectation: expectation, waitsForRoom: waitsForRoom,
        deadline: clock.now() + timeout, responder: exchange))
    return try await exchange.reply()
  }

  // MARK: Requests

  /// Sends a request and returns its answer as it came.
  ///
  /// - Throws: ``GridError/Code/notServing`` when the node certainly did nothing, since it was gone already or leaves.
  func request(_ verb: String, _ arguments: JSONValue, timeout: Duration) async throws(GridError) -> JSONValue {
    if link.isClosed {
      throw GridError(.notServing, "node \(nodeName) is gone: nothing was asked of it", hint: "ask another node")
    }
    let exchange = PendingAsk()
    let number = link.request(
      verb, arguments, deadline: clock.now() + timeout, responder: exchange, correlation: 0)
    // The node stops working for whoever has gone.
    defer { link.cancel(number) }
    return try await exchange.reply().json()
  }

  /// As ``ask(_:routing:timeout:)``, for what is only shown: what a newer node adds is in it.
  package func json<Request: NodeRequest>(
    _ request: Request, routing: RequestRouting = RequestRouting(), timeout: Duration
  ) async throws(GridError) -> JSONValue {
    try await self.request(Request.verb, RoutedRequest(request, routing: routing).json, timeout: timeout)
  }

  /// Sends a request and returns its answer.
  ///
  /// - Throws: ``GridError/Code/notServing`` when the node certainly did nothing, since it was gone already or leaves.
  package func ask<Request: NodeRequest>(
    _ request: Request, routing: RequestRouting = RequestRouting(), timeout: Duration
  ) async throws(GridError) -> Request.Answer {
    try Request.Answer(json: try await json(request, routing: routing, timeout: timeout))
  }

  /// Asks for a list as a whole, which may be longer than a frame.
  ///
  /// - Parameters:
  ///   - limit: items wanted; what is beyond shows in ``ClusterList/total``.
  ///   - pages: no more pages than these, of a list that comes page by page.
  ///   - timeout: how long the node may take for each page.
  package func list<Request: ListRequest>(
    _ request: Request, routing: RequestRouting = RequestRouting(), limit: Int = .max, pages: Int = .max,
    timeout: Duration
  ) async throws(GridError) -> ClusterList<Request.Item> {
    if Request.isStreamed {
      return try await rowList(request, routing: routing, limit: limit, timeout: timeout)
    }
    return try await ClusterList.gathered(request, routing: routing, limit: limit, pages: pages) {
      routed throws(GridError) in
      try ListAnswer(json: try await self.request(Request.verb, routed.json, timeout: timeout))
    }
  }

  /// Opens a channel.
  ///
  /// - Parameter patience: how long each item may be waited for.
  func channel(_ verb: String, _ arguments: JSONValue, patience: Duration) -> ChannelReader {
    link.openChannel(verb, arguments, patience: patience)
  }

  /// Bytes of a tail that wait here for whoever reads it.
  private static let tailWindow = 1024 * 1024

  /// Follows a stream until it ends (nil), the connection is lost (throws), or the task is cancelled. It is given up
  /// with the last reference to it. Items are as they came; ``StreamRequest/streamItem(_:)`` understands them.
  ///
  /// The node leaves items out, and counts them, when this side reads too slowly.
  package func stream<Request: StreamRequest>(_ request: Request) -> AsyncThrowingStream<JSONValue, any Error> {
    let reader = link.openChannel(Request.verb, request.json, window: Self.tailWindow)
    return AsyncThrowingStream {
      do {
        while let item = try await reader.next() {
          // What this version cannot read is skipped, as it skips members that it does not know.
          if let value = try? JSONValue(parsing: item) { return value }
        }
        return nil
      } catch {
        if Task.isCancelled { return nil }
        throw error
      }
    }
  }
}

/// A client takes no messages and no requests; failures of what it sends go to whoever waits.
private final class ClientReceiver: LinkReceiver {
  func opened(_ link: Link) {}

  func received(_ envelopes: inout EnvelopeQueue, on link: Link) {
    while let envelope = envelopes.popFirst() {
      envelope.resolve(.failure(GridError(.noSuchActor, "a client has no actors")))
    }
  }

  func received(_ request: RequestFrame, deadline: MonotonicTime, on link: Link) {
    link.resolve(request.correlation, .failure(GridError(.refused, "a client answers no requests")))
  }

  func received(_ signal: LinkSignal, on link: Link) {}
  func cancelled(_ correlation: UInt64, on link: Link) {}
  func readCompleted(_ link: Link) {}

  func undeliverable(_ envelope: Envelope, _ error: GridError) { envelope.resolve(.failure(error)) }

  func closed(_ link: Link, _ error: GridError) {}
}
