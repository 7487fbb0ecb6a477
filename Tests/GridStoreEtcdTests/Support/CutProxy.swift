internal import GridStoreEtcd
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Stands between a client and one member, and can lose answers: it goes on handing over what the client sends, keeps
/// back what the member answers, and then cuts the connection.
final class CutProxy: Sendable {
  private let target: Int
  private let listener: any Channel
  private let state = Mutex(State())

  private struct State {
    var isLosingAnswers = false
    var clients: [any Channel] = []
    var lost = 0
  }

  static func with(_ target: Int, _ body: (CutProxy) async throws -> Void) async throws {
    let pending = Mutex<CutProxy?>(nil)
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { channel in
        guard let proxy = pending.withLock({ $0 }) else { return channel.close() }
        return proxy.accept(channel)
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let proxy = CutProxy(target, listener)
    pending.withLock { $0 = proxy }
    do { try await body(proxy) } catch {
      await proxy.close()
      throw error
    }
    await proxy.close()
  }

  private init(_ target: Int, _ listener: any Channel) {
    self.target = target
    self.listener = listener
  }

  var endpoint: EtcdConfiguration.Endpoint { .init(host: "127.0.0.1", port: listener.localAddress?.port ?? 0) }

  /// How many times something that the member sent was kept back.
  var lost: Int { state.withLock { $0.lost } }

  /// From now on answers are kept back.
  func loseAnswers() { state.withLock { $0.isLosingAnswers = true } }

  /// Cuts what is connected and behaves from then on.
  func cut() async {
    let clients = state.withLock { state in
      state.isLosingAnswers = false
      defer { state.clients = [] }
      return state.clients
    }
    for client in clients { try? await client.close() }
  }

  private func close() async {
    try? await listener.close()
    await cut()
  }

  private func accept(_ client: any Channel) -> EventLoopFuture<Void> {
    let connected = ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
      .connect(host: "127.0.0.1", port: target)
    return connected.flatMap { member in
      self.state.withLock { $0.clients.append(client) }
      return client.eventLoop.makeCompletedFuture {
        try client.pipeline.syncOperations.addHandler(Forwarder(to: member) { true })
        try member.pipeline.syncOperations.addHandler(
          Forwarder(to: client) {
            self.state.withLock { state in
              if state.isLosingAnswers { state.lost += 1 }
              return !state.isLosingAnswers
            }
          })
      }.flatMap {
        member.setOption(.autoRead, value: true).and(client.setOption(.autoRead, value: true)).map { _ in }
      }
    }
  }

  private final class Forwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private let passes: () -> Bool

    init(to other: any Channel, passes: @escaping () -> Bool) {
      self.other = other
      self.passes = passes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      if passes() { other.writeAndFlush(unwrapInboundIn(data), promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}
