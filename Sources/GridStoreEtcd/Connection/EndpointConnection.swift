internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import GRPCProtobuf
internal import GridCore
internal import GridSystem
internal import NIOCore
internal import NIOSSL
internal import SwiftProtobuf
internal import Synchronization

/// One connection to one member, used until its first failure. Calls on it that are in progress then go on to their
/// end; the last one closes it.
final class EndpointConnection: Sendable {
  let endpoint: EtcdConfiguration.Endpoint
  let client: GRPCClient<HTTP2ClientTransport.Posix>
  private let state: ConnectionState

  /// - Throws: ``GridError/Code/configuration`` when a certificate cannot be used.
  init(
    _ endpoint: EtcdConfiguration.Endpoint, _ configuration: EtcdConfiguration, executor: LoopExecutor,
    tasks: EngineTasks
  ) throws(GridError) {
    self.endpoint = endpoint
    let state = ConnectionState()
    self.state = state
    do {
      let transport = try HTTP2ClientTransport.Posix(
        target: Self.target(endpoint), transportSecurity: Self.security(configuration),
        config: .defaults { config in
          config.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
            state.opened(channel)
            return channel.eventLoop.makeCompletedFuture { try Self.answerPings(on: channel) }
          }
        }, eventLoopGroup: executor.loop)
      client = GRPCClient(transport: transport)
    } catch {
      throw GridError(
        .configuration, "the certificates for etcd cannot be used",
        hint: "see GRIDCTL_ETCD_CA, GRIDCTL_ETCD_CERT and GRIDCTL_ETCD_KEY",
        cause: (error as? RuntimeError)?.cause ?? error)
    }
    state.runs(tasks.start(on: executor) { [client] in try? await client.runConnections() })
  }

  /// Encryption, if any, stands before HTTP/2.
  private static func answerPings(on channel: any Channel) throws {
    let pipeline = channel.pipeline.syncOperations
    if let encryption = try? pipeline.handler(type: NIOSSLClientHandler.self) {
      try pipeline.addHandler(PingAnswerer(), position: .after(encryption))
    } else {
      try pipeline.addHandler(PingAnswerer(), position: .first)
    }
  }

  private static func target(_ endpoint: EtcdConfiguration.Endpoint) -> any ResolvableTarget {
    if endpoint.host.contains(":") { return .ipv6(address: endpoint.host, port: endpoint.port) }
    // A name of digits and dots only is no name.
    let isAddress = endpoint.host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
    if isAddress { return .ipv4(address: endpoint.host, port: endpoint.port) }
    return .dns(host: endpoint.host, port: endpoint.port)
  }

  private static func security(_ configuration: EtcdConfiguration) -> HTTP2ClientTransport.Posix.TransportSecurity {
    guard configuration.usesTLS else { return .plaintext }
    return .tls { tls in
      if let path = configuration.authorityFile { tls.trustRoots = .certificates([.file(path: path, format: .pem)]) }
      if let path = configuration.certificateFile { tls.certificateChain = [.file(path: path, format: .pem)] }
      if let path = configuration.keyFile { tls.privateKey = .file(path: path, format: .pem) }
    }
  }

  /// Counts a call; false when the connection takes none any more.
  func enter() -> Bool { state.enter() }

  func leave() { state.leave() }

  /// Takes no new calls, and closes behind the last of those in progress.
  func retire() { state.retire() }

  /// Sends requests on one stream and returns the answers to them.
  func call<Request, Response>(
    _ method: EtcdMethod<Request, Response>, _ requests: [Request], token: String?, sent: SentMark
  ) async throws(EtcdFailure) -> [Response] {
    let message = StreamingClientRequest<Request>(metadata: Self.metadata(token)) { writer in
      // Called only once the stream is open: what fails before has certainly not been sent.
      sent.set()
      for request in requests { try await writer.write(request) }
    }
    do {
      return try await client.bidirectionalStreaming(
        request: message, descriptor: method.descriptor, serializer: ProtobufSerializer<Request>(),
        deserializer: ProtobufDeserializer<Response>(), options: Self.options
      ) { response in
        var answers: [Response] = []
        for try await answer in response.messages { answers.append(answer) }
        return answers
      }
    } catch {
      throw failure(error, sent)
    }
  }

  func failure(_ error: any Error, _ sent: SentMark) -> EtcdFailure {
    if let failure = error as? EtcdFailure { return failure }
    if Task.isCancelled { return .cancelled(mayBeApplied: sent.isSet) }
    let failure = (error as? RPCError) ?? RPCError(code: .unavailable, message: "\(error)", cause: error)
    return EtcdFailure(failure, endpoint, wasSent: sent.isSet)
  }

  static func metadata(_ token: String?) -> Metadata {
    // A member that has lost its leader answers at once instead of waiting for one.
    var metadata: Metadata = ["hasleader": "true"]
    if let token { metadata.addString(token, forKey: "token") }
    return metadata
  }

  /// Readings come in pages of entries; a page of large ones may take this much.
  static let maximumAnswerBytes = 64 << 20

  static var options: CallOptions {
    var options = CallOptions.defaults
    options.waitForReady = false
    options.maxResponseMessageBytes = maximumAnswerBytes
    // The transport holds answers to the limit of requests.
    options.maxRequestMessageBytes = maximumAnswerBytes
    return options
  }
}

/// Who uses a connection, and what is to be ended behind the last of them.
private final class ConnectionState: Sendable {
  private struct State {
    var calls = 0
    var isRetired = false
    var task: Task<Void, Never>?
    var channels: [any Channel] = []
  }

  private let state = Mutex(State())

  func runs(_ task: Task<Void, Never>) { state.withLock { $0.task = task } }

  /// A connection is being made; on the event loop.
  func opened(_ channel: any Channel) {
    let isLate = state.withLock { state in
      if state.isRetired, state.calls == 0 { return true }
      state.channels = state.channels.filter(\.isActive) + [channel]
      return false
    }
    if isLate { channel.close(promise: nil) }
  }

  func enter() -> Bool {
    state.withLock { state in
      if !state.isRetired { state.calls += 1 }
      return !state.isRetired
    }
  }

  func leave() {
    endIfUnused { $0.calls -= 1 }
  }

  func retire() {
    endIfUnused { $0.isRetired = true }
  }

  private func endIfUnused(_ change: (inout State) -> Void) {
    let (task, channels) = state.withLock { state -> (Task<Void, Never>?, [any Channel]) in
      change(&state)
      guard state.isRetired, state.calls == 0 else { return (nil, []) }
      defer { state.channels = [] }
      return (state.task, state.channels)
    }
    task?.cancel()
    // An attempt to connect does not heed the cancellation: it would go on for ten seconds.
    for channel in channels { channel.close(promise: nil) }
  }
}

/// Whether a request may have left this process.
final class SentMark: Sendable {
  private let mark = Atomic(false)

  var isSet: Bool { mark.load(ordering: .acquiring) }

  func set() { mark.store(true, ordering: .releasing) }
}
