internal import GridConcurrency
package import GridCore
package import NIOCore
internal import NIOPosix

/// Connections over the system's sockets: TCP and Unix.
package struct NIOTransport: Transport {
  private let group: any EventLoopGroup

  /// - Parameter group: whose loops the connections live on, in turn.
  package init(_ group: any EventLoopGroup) { self.group = group }

  package func connect(
    to address: LinkAddress, within limit: Duration,
    _ prepare: @escaping @Sendable (any Channel) throws -> Void, failed: @escaping @Sendable (GridError) -> Void
  ) {
    let bootstrap = ClientBootstrap(group: group)
      .connectTimeout(.nanoseconds(limit.wholeNanoseconds))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try Self.configure(channel)
          try prepare(channel)
        }
      }
    Self.connect(bootstrap, to: address).whenFailure { error in
      failed(Self.explained(error, address))
    }
  }

  /// Why there is no connection: what was thrown while it was prepared, or what the system says.
  private static func explained(_ error: any Error, _ address: LinkAddress) -> GridError {
    let first = (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
    guard let error = first as? GridError else {
      // A socket that we may not even touch is no node that is away.
      if case .unix = address, let error = first as? IOError, [EACCES, EPERM].contains(error.errnoCode) {
        return GridError(
          .refused, "cannot reach \(address)", hint: PeerCredentials.hintToOthers, cause: reason(error))
      }
      return GridError(.unavailable, "cannot reach \(address)", cause: reason(error))
    }
    return GridError(error.code, "cannot reach \(address): \(error.message)", hint: error.hint, cause: error.cause)
  }

  private static func connect(_ bootstrap: ClientBootstrap, to address: LinkAddress) -> EventLoopFuture<any Channel> {
    switch address {
    case .tcp(let host, let port):
      // Numbers need no resolver, nor the race between its answers: one-shot commands are a fifth faster without.
      if let numbers = try? SocketAddress(ipAddress: host, port: port) {
        bootstrap.connect(to: numbers)
      } else {
        bootstrap.connect(host: host, port: port)
      }
    case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
    }
  }

  package func listen(
    on address: LinkAddress, _ prepare: @escaping @Sendable (any Channel) throws -> Void
  ) async throws(GridError) -> any LinkListener {
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AcceptPause()) }
      }
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try Self.configure(channel)
          try prepare(channel)
        }
      }
    do {
      let channel =
        switch address {
        case .tcp(let host, let port): try await bootstrap.bind(host: host, port: port).get()
        case .unix(let path): try await bootstrap.withBoundSocket(try PrivateSocket.bound(to: path)).get()
        }
      return Listener(channel: channel, address: LinkAddress(channel.localAddress) ?? address)
    } catch {
      let errno = (error as? IOError)?.errnoCode
      let code: GridError.Code = errno == EACCES || errno == EPERM ? .refused : .unavailable
      throw GridError(
        code, "cannot listen on \(address): \(Self.reason(error))",
        hint: errno == EADDRINUSE ? "another process listens there; choose another port with --listen" : nil)
    }
  }

  private struct Listener: LinkListener {
    let channel: any Channel
    let address: LinkAddress

    func close() async { try? await channel.close() }
  }

  package func presence(at address: LinkAddress, within limit: Duration) async -> LinkPresence {
    let bootstrap = ClientBootstrap(group: group).connectTimeout(.nanoseconds(limit.wholeNanoseconds))
    do {
      let channel = try await Self.connect(bootstrap, to: address).get()
      try? await channel.close()
      return .listens
    } catch {
      return Self.isRefusal(error) ? .gone : .silent
    }
  }

  private static func isRefusal(_ error: any Error) -> Bool {
    switch error {
    case let error as IOError: [ECONNREFUSED, ENOENT].contains(error.errnoCode)
    case let error as NIOConnectionError:
      !error.connectionErrors.isEmpty && error.connectionErrors.allSatisfy { isRefusal($0.error) }
    default: false
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
