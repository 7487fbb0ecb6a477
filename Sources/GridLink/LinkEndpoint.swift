package import GridCore
package import NIOCore
internal import NIOPosix

/// Our side of links: what we say of ourselves and who receives. Dials and listens.
package struct LinkEndpoint: Sendable {
  /// What we say of ourselves, asked anew for each connection (a node's incarnation changes when it rejoins).
  package var greeting: @Sendable () -> LinkGreeting
  package var receiver: any LinkReceiver
  package var clock: any GridClock
  /// A node link that is silent for so long is given up; nil turns the check off.
  package var silenceLimit: Duration?
  /// The secret of the namespace, asked when a connection is to be proved.
  package var secret: @Sendable () throws(GridError) -> NamespaceSecret
  /// Why a side that has dialled us, and is one of ours, is refused; nil accepts it.
  package var objection: @Sendable (LinkGreeting) -> GridError?
  /// Told of connections that never got through the greeting.
  package var rejected: @Sendable (GridError) -> Void

  package init(
    greeting: @escaping @Sendable () -> LinkGreeting, receiver: any LinkReceiver, clock: any GridClock,
    secret: @escaping @Sendable () throws(GridError) -> NamespaceSecret,
    silenceLimit: Duration? = .seconds(15),
    objection: @escaping @Sendable (LinkGreeting) -> GridError? = { _ in nil },
    rejected: @escaping @Sendable (GridError) -> Void = { _ in }
  ) {
    self.greeting = greeting
    self.receiver = receiver
    self.clock = clock
    self.secret = secret
    self.silenceLimit = silenceLimit
    self.objection = objection
    self.rejected = rejected
  }

  /// The same side without a claim to be a node, to ask something of one on this machine.
  package var asClient: LinkEndpoint {
    var endpoint = self
    let greeting = greeting
    endpoint.greeting = {
      let own = greeting()
      return LinkGreeting(namespace: own.namespace, role: .client, name: own.name, version: own.version)
    }
    return endpoint
  }

  /// Connects and greets.
  ///
  /// - Parameter objection: why the node that answers is not the one that was meant; nil accepts it.
  /// - Throws: ``GridError/Code/unavailable`` when nothing listens there, ``GridError/Code/protocolMismatch`` when what
  ///   listens is no node of our version and namespace, ``GridError/Code/refused`` when one of the two sides does not
  ///   know the secret of the other's namespace.
  package func dial(
    _ address: LinkAddress, on group: any EventLoopGroup, timeout: Duration = .seconds(5),
    objection: @escaping @Sendable (LinkGreeting) -> GridError? = Self.objectionToClients
  ) async throws(GridError) -> Link {
    do {
      return try await dialFuture(address, on: group, timeout: timeout, objection: objection).get()
    } catch {
      throw Self.dialError(error, to: address)
    }
  }

  /// Whoever listens is a node.
  package static let objectionToClients: @Sendable (LinkGreeting) -> GridError? = { other in
    other.role == .node ? nil : GridError(.protocolMismatch, "what answers there is no node")
  }

  /// The error of a dial as users read it.
  package static func dialError(_ error: any Error, to address: LinkAddress) -> GridError {
    if let error = error as? GridError {
      return GridError(error.code, "cannot reach \(address): \(error.message)", hint: error.hint, cause: error.cause)
    }
    return GridError(.unavailable, "cannot reach \(address)", cause: reason(error))
  }

  /// As ``dial(_:on:timeout:)``, for callers on an event loop; fails with the raw error.
  package func dialFuture(
    _ address: LinkAddress, on group: any EventLoopGroup, timeout: Duration,
    objection: @escaping @Sendable (LinkGreeting) -> GridError? = Self.objectionToClients
  ) -> EventLoopFuture<Link> {
    let loop = group.next()
    let promise = loop.makePromise(of: Link.self)
    let endpoint = self
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(.nanoseconds(timeout.wholeNanoseconds))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try Self.configure(channel)
          try channel.pipeline.syncOperations.addHandler(
            LinkChannelHandler(
              endpoint: endpoint, trust: address.trust, dialled: promise, objection: objection,
              patience: .nanoseconds(timeout.wholeNanoseconds)))
        }
      }
    let connected =
      switch address {
      case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
      case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
      }
    connected.whenFailure { promise.fail($0) }
    return promise.futureResult
  }

  /// Listens on `address`; accepted links go to the receiver.
  ///
  /// - Returns: the listening channel, and where it is bound (port 0 becomes the port that was free).
  /// - Throws: ``GridError/Code/unavailable`` when the address is in use or not ours, ``GridError/Code/refused``
  /// without
  ///   the permission.
  package func listen(
    on address: LinkAddress, group: any EventLoopGroup
  ) async throws(GridError) -> (channel: any Channel, bound: LinkAddress) {
    let endpoint = self
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try Self.configure(channel)
          let stranger = address.trust == .kernel ? PeerCredentials.objection(to: channel) : nil
          try channel.pipeline.syncOperations.addHandler(
            LinkChannelHandler(
              endpoint: endpoint, trust: address.trust, dialled: nil, objection: endpoint.objection,
              stranger: stranger))
        }
      }
    do {
      let channel =
        switch address {
        case .tcp(let host, let port): try await bootstrap.bind(host: host, port: port).get()
        case .unix(let path): try await bootstrap.bind(unixDomainSocketPath: path).get()
        }
      return (channel, LinkAddress(channel.localAddress) ?? address)
    } catch {
      let errno = (error as? IOError)?.errnoCode
      let code: GridError.Code = errno == EACCES || errno == EPERM ? .refused : .unavailable
      throw GridError(
        code, "cannot listen on \(address): \(Self.reason(error))",
        hint: errno == EADDRINUSE ? "another process listens there; choose another port with --listen" : nil)
    }
  }

  private static func configure(_ channel: any Channel) throws {
    guard let options = channel.syncOptions else { return }
    try options.setOption(
      .writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 256 * 1024, high: 1024 * 1024))
    try options.setOption(
      .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16 * 1024, maximum: 256 * 1024))
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
      error.connectionErrors.first.map { reason($0.error) } ?? "the name \(error.host) does not resolve"
    case ChannelError.connectTimeout: "no answer"
    default: String(describing: error)
    }
  }
}
