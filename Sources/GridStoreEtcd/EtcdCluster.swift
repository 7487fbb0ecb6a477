internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import GridCore
internal import SwiftProtobuf
internal import Synchronization

typealias EtcdClient = GRPCClient<HTTP2ClientTransport.Posix>

/// The members of an etcd cluster and the way to the one that answers.
///
/// An operation is tried at the member that answered last; when that one is silent or says that it cannot, at the next
/// one, each attempt under a short deadline of its own: a paused member would hold it for ever otherwise.
final class EtcdCluster: Sendable {
  let configuration: EtcdConfiguration
  private let clients: [EtcdClient]
  private let state = Mutex(State())

  private struct State {
    /// Counts up; the member is its remainder.
    var preferred = 0
    var token: String?
  }

  /// - Throws: ``GridError/Code/configuration`` when a certificate cannot be read.
  init(_ configuration: EtcdConfiguration, thread: EtcdThread) throws(GridError) {
    self.configuration = configuration
    do {
      let security = Self.security(configuration)
      clients = try configuration.endpoints.map { endpoint in
        GRPCClient(
          transport: try HTTP2ClientTransport.Posix(
            target: .dns(host: endpoint.host, port: endpoint.port), transportSecurity: security,
            config: .defaults { config in
              config.backoff.initial = .milliseconds(50)
              config.backoff.max = .seconds(1)
              config.connection.maxIdleTime = nil
            }, eventLoopGroup: thread.group))
      }
    } catch {
      throw GridError(.configuration, "the connection to etcd cannot be set up: \(error)")
    }
  }

  private static func security(
    _ configuration: EtcdConfiguration
  ) -> HTTP2ClientTransport.Posix.TransportSecurity {
    guard configuration.usesTLS else { return .plaintext }
    return .tls { tls in
      if let file = configuration.authorityFile {
        tls.trustRoots = .certificates([.file(path: file, format: .pem)])
      }
      if let certificate = configuration.certificateFile, let key = configuration.keyFile {
        tls.certificateChain = [.file(path: certificate, format: .pem)]
        tls.privateKey = .file(path: key, format: .pem)
      }
    }
  }

  /// Keeps the connections until the task is cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      for client in clients {
        group.addTask { try? await client.runConnections() }
      }
    }
  }

  func close() { for client in clients { client.beginGracefulShutdown() } }

  /// Runs `body` at one member after another until one answers, for the operation's time at most.
  ///
  /// - Parameter isRepeatable: whether it may be tried again although an earlier attempt may have been carried out.
  /// - Throws: the last failure; when that left the outcome open, its message says so.
  func attempt<Result: Sendable>(
    isRepeatable: Bool = true, timeout: Duration? = nil,
    _ body: (EtcdClient, Metadata, CallOptions) async throws -> Result
  ) async throws(GridError) -> Result {
    let until = ContinuousClock.now + (timeout ?? configuration.operationTimeout)
    var pause = Duration.milliseconds(20)
    while true {
      let number = state.withLock { $0.preferred }
      let failure: EtcdFailure
      do {
        let metadata = try await credentials()
        var options = CallOptions.defaults
        options.timeout = max(.milliseconds(1), min(configuration.attemptTimeout, until - .now))
        options.waitForReady = true
        return try await body(clients[number % clients.count], metadata, options)
      } catch {
        failure = (error as? EtcdFailure) ?? EtcdFailure(error)
      }
      if failure.error.code == .refused { state.withLock { $0.token = nil } }
      guard failure.isTransient, !Task.isCancelled else { throw failure.error }
      passOver(number)
      guard isRepeatable || failure.isCertain else {
        throw GridError(
          .unavailable, "etcd did not answer: the change may have been made or not", cause: failure.error)
      }
      guard ContinuousClock.now + pause < until else { throw failure.error }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(300))
    }
  }

  /// Goes on to the next member, unless somebody else has already.
  private func passOver(_ number: Int) {
    state.withLock { state in
      if state.preferred == number { state.preferred += 1 }
    }
  }

  /// The member to open a stream at, its credentials, and what to call when it proves to be silent.
  func member() async throws -> (client: EtcdClient, metadata: Metadata, passOver: @Sendable () -> Void) {
    let number = state.withLock { $0.preferred }
    return (clients[number % clients.count], try await credentials(), { self.passOver(number) })
  }

  /// What authenticates a request; empty without a user.
  private func credentials() async throws -> Metadata {
    guard let user = configuration.user else { return [:] }
    if let token = state.withLock({ $0.token }) { return ["token": "\(token)"] }
    let number = state.withLock { $0.preferred }
    let request = Etcdserverpb_AuthenticateRequest.with {
      $0.name = user
      $0.password = configuration.password
    }
    var options = CallOptions.defaults
    options.timeout = configuration.attemptTimeout
    options.waitForReady = true
    let client = Etcdserverpb_Auth.Client(wrapping: clients[number % clients.count])
    do {
      let response = try await client.authenticate(request, options: options)
      state.withLock { $0.token = response.token }
      return ["token": "\(response.token)"]
    } catch let error as RPCError where error.message.contains("authentication is not enabled") {
      // A cluster that asks nobody takes everybody.
      return [:]
    }
  }
}
