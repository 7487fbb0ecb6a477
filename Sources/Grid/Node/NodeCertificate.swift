internal import GridCore
internal import GridLink
internal import GridRequests
internal import Logging

/// The certificate of a node: who it is by it, and how long it is good.
struct NodeCertificate: Sendable {
  /// So long before its end whoever looks after the cluster is told.
  static let notice = Duration.seconds(14 * 86_400)
  private static let day = Duration.seconds(86_400)

  let encryption: CertificateEncryption
  private let identity: CertificateIdentity
  private let clock: any GridClock

  /// Reads the files of TLS.
  ///
  /// - Returns: nil without TLS.
  /// - Throws: ``GridError`` with the file at fault, or when it is no certificate for a node of the namespace.
  init?(_ configuration: NodeConfiguration, clock: any GridClock) throws(GridError) {
    guard let files = configuration.tls else { return nil }
    guard let path = files.certificate else {
      throw GridError(
        .usage, "a node with TLS has a certificate of its own",
        hint: "name it with --tls-cert and --tls-key; a new one: \(Self.issue(configuration))")
    }
    let logger = configuration.logger
    encryption = try CertificateEncryption(files, listens: true, clock: clock) { result in
      switch result {
      case .success(let own):
        logger.notice("certificate read again", metadata: ["expires": "\(own?.notAfter.rfc3339 ?? "")"])
      case .failure(let error):
        logger.warning("changed certificate cannot be used: the one before stays", metadata: ["error": "\(error)"])
      }
    }
    guard let own = encryption.own else { throw GridError(.configuration, "\(path) holds no certificate") }
    identity = try own.identity
    self.clock = clock
    let isForNode = identity.role == .node && identity.namespace == configuration.namespace
    guard isForNode, configuration.name.map({ $0 == identity.name }) ?? true else {
      throw GridError(
        .refused,
        "the certificate \(path) is of \(identity.dnsName), and the node is to be "
          + "\(configuration.name.map { "\($0) in " } ?? "in ")namespace \(configuration.namespace)",
        hint: Self.issue(configuration))
    }
    if let objection = encryption.objection { throw objection }
  }

  /// The configuration with the name that is in the certificate.
  func named(_ configuration: NodeConfiguration) -> NodeConfiguration {
    var configuration = configuration
    configuration.name = identity.name
    return configuration
  }

  private static func issue(_ configuration: NodeConfiguration) -> String {
    "gridctl tls issue --ca DIR --namespace \(configuration.namespace) --name \(configuration.name ?? "NAME")"
  }

  /// How a node comes to listen on an address that others can reach.
  static func threeCommands(_ configuration: NodeConfiguration, listen: String) -> String {
    let name = configuration.name ?? "n1"
    let namespace = configuration.namespace == "default" ? "" : " --namespace \(configuration.namespace)"
    let files = "--tls-ca ca/ca.pem --tls-cert ca/\(name).pem --tls-key ca/\(name).key"
    return [
      "gridctl tls init-ca ca", "gridctl tls issue --ca ca\(namespace) --name \(name)",
      "gridctl node start\(namespace) --name \(name) --listen \(listen) \(files)",
      "or, in a network you trust: --insecure, with a copy of one --secret-file on every machine",
    ].joined(separator: "\n")
  }

  // MARK: Its end

  /// Whom it stands for, as it is written in it.
  var name: String { identity.dnsName }

  /// When it ends; the files may have been replaced.
  var expiry: CalendarTime? { encryption.own?.notAfter }

  /// Why its files, which have been replaced, cannot be used: the certificate before stays; nil when they can.
  var fault: GridError? { encryption.fault }

  /// How long it is good from now on; negative when it has expired.
  var remaining: Duration? {
    expiry.map { .milliseconds($0.millisecondsSince1970.subtractingClamped(clock.date().millisecondsSince1970)) }
  }

  /// Tells once a day of an end that comes near. Until the task is cancelled.
  func watch(_ node: String, _ events: EventLog, _ timers: any Timers, _ logger: Logger) async {
    repeat {
      guard let expiry, let remaining, remaining < Self.notice else { continue }
      events.record(.certificateExpires(at: expiry), node, node: node)
      logger.warning("the certificate of the node expires", metadata: ["at": "\(expiry.rfc3339)"])
    } while await timers.sleep(for: Self.day)
  }
}
