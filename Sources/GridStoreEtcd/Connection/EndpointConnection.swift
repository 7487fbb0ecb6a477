#if Etcd
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import GridCore
internal import SwiftProtobuf
internal import Synchronization

/// One connection to one member, used until its first failure. Calls on it that are in progress then go on to their
/// end; the last one closes it.
final class EndpointConnection: Sendable {
  private struct State {
    var calls = 0
    var isRetired = false
    var task: Task<Void, Never>?
  }

  let endpoint: EtcdConfiguration.Endpoint
  let client: GRPCClient<HTTP2ClientTransport.Posix>
  private let state = Mutex(State())

  /// - Throws: ``GridError/Code/configuration`` when a certificate cannot be used.
  init(
    _ endpoint: EtcdConfiguration.Endpoint, _ encryption: EtcdConfiguration.Encryption?, executor: LoopExecutor,
    tasks: EngineTasks
  ) throws(GridError) {
    self.endpoint = endpoint
    do {
      let transport = try HTTP2ClientTransport.Posix(
        target: Self.target(endpoint), transportSecurity: Self.security(encryption), eventLoopGroup: executor.loop)
      client = GRPCClient(transport: transport)
    } catch {
      throw GridError(
        .configuration, "the certificates for etcd cannot be used",
        hint: "see GRIDCTL_ETCD_CA, GRIDCTL_ETCD_CERT and GRIDCTL_ETCD_KEY",
        cause: (error as? RuntimeError)?.cause ?? error)
    }
    let task = tasks.start(on: executor) { [client] in try? await client.runConnections() }
    state.withLock { $0.task = task }
  }

  private static func target(_ endpoint: EtcdConfiguration.Endpoint) -> any ResolvableTarget {
    if endpoint.host.contains(":") { return .ipv6(address: endpoint.host, port: endpoint.port) }
    // A name of digits and dots only is no name.
    let isAddress = endpoint.host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
    if isAddress { return .ipv4(address: endpoint.host, port: endpoint.port) }
    return .dns(host: endpoint.host, port: endpoint.port)
  }

  private static func security(
    _ encryption: EtcdConfiguration.Encryption?
  ) -> HTTP2ClientTransport.Posix.TransportSecurity {
    guard let encryption else { return .plaintext }
    return .tls { tls in
      if let path = encryption.authorities { tls.trustRoots = .certificates([.file(path: path, format: .pem)]) }
      if let path = encryption.certificate { tls.certificateChain = [.file(path: path, format: .pem)] }
      if let path = encryption.key { tls.privateKey = .file(path: path, format: .pem) }
    }
  }

  /// Counts a call; false when the connection takes none any more.
  func enter() -> Bool {
    state.withLock { state in
      if !state.isRetired { state.calls += 1 }
      return !state.isRetired
    }
  }

  func leave() {
    let ended = state.withLock { state -> Task<Void, Never>? in
      state.calls -= 1
      return state.isRetired && state.calls == 0 ? state.task : nil
    }
    ended?.cancel()
  }

  /// Takes no new calls, and closes behind the last of those in progress.
  func retire() {
    let ended = state.withLock { state -> Task<Void, Never>? in
      state.isRetired = true
      return state.calls == 0 ? state.task : nil
    }
    ended?.cancel()
  }

  /// Sends one request and returns the answer to it.
  func call<Request, Response>(
    _ method: EtcdMethod<Request, Response>, _ request: Request, token: String?, sent: SentMark
  ) async throws(EtcdFailure) -> Response {
    let message = StreamingClientRequest<Request>(metadata: Self.metadata(token)) { writer in
      // Called only once the stream is open: what fails before has certainly not been sent.
      sent.set()
      try await writer.write(request)
    }
    do {
      return try await client.clientStreaming(
        request: message, descriptor: method.descriptor, serializer: ProtobufSerializer(),
        deserializer: ProtobufDeserializer(), options: Self.options
      ) { response in try response.message }
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
    return options
  }
}

/// Whether a request may have left this process.
final class SentMark: Sendable {
  private let mark = Atomic(false)

  var isSet: Bool { mark.load(ordering: .acquiring) }

  func set() { mark.store(true, ordering: .releasing) }
}
#endif
