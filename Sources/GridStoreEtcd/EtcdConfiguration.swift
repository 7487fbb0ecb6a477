#if Etcd
public import GridCore

/// How to reach an etcd cluster: its members, who we are, and how long to wait.
public struct EtcdConfiguration: Sendable, Equatable {
  /// One member's client address.
  public struct Endpoint: Sendable, Equatable, CustomStringConvertible {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    public var host: String
    public var port: Int

    public init(host: String, port: Int = 2379) {
      self.host = host
      self.port = port
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  /// Where the password of ``user`` comes from. It is read once, when the store is made.
  public enum Password: Sendable, Equatable, CustomStringConvertible {
    case text(String)
    /// The first line of a file that only its owner may read.
    case file(String)

    /// Says where from, never what.
    public var description: String {
      switch self {
      case .text: "a password"
      case .file(let path): "the password in \(path)"
      }
    }
  }

  /// Certificates, as files in PEM form.
  public struct Encryption: Sendable, Equatable {
    /// Whom to trust; nil trusts whom the machine trusts.
    public var authorities: String?
    /// Our certificate (with its chain), when the members ask for one.
    public var certificate: String?
    /// The key of our certificate.
    public var key: String?

    public init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
      self.authorities = authorities
      self.certificate = certificate
      self.key = key
    }
  }

  /// At least one. The store uses one at a time and goes on to the next when it fails.
  public var endpoints: [Endpoint]
  /// Put in front of every key, so that clusters can share an etcd; empty by default.
  public var prefix: String
  /// nil signs in as nobody.
  public var user: String?
  public var password: Password?
  /// nil speaks without encryption.
  public var encryption: Encryption?
  /// How long one attempt at one member may take before the next is tried; doubled when there is only one member.
  public var attemptTimeout: Duration
  /// How long a call may take with all its attempts.
  public var callTimeout: Duration
  /// How often each watch compares what it delivered with a complete reading.
  public var verificationInterval: Duration

  public init(endpoints: [Endpoint], prefix: String = "") {
    self.endpoints = endpoints
    self.prefix = prefix
    attemptTimeout = .milliseconds(1500)
    callTimeout = .seconds(5)
    verificationInterval = .seconds(30)
  }

  /// The addresses and the prefix, without user or password.
  public var place: String {
    let scheme = encryption == nil ? "etcd" : "etcds"
    let path = prefix.isEmpty ? "" : "/" + prefix
    return "\(scheme)://" + endpoints.map(\.description).joined(separator: ",") + path
  }

  /// - Throws: ``GridError/Code/configuration`` with the field at fault.
  func validated() throws(GridError) -> EtcdConfiguration {
    guard !endpoints.isEmpty else {
      throw GridError(.configuration, "etcd has no endpoint", hint: "write etcd://host:2379")
    }
    for endpoint in endpoints where endpoint.host.isEmpty || !(1...65_535).contains(endpoint.port) {
      throw GridError(.configuration, "\(endpoint) is no address of an etcd member", hint: "write host:2379")
    }
    for (name, duration) in [("attempt", attemptTimeout), ("call", callTimeout), ("verification", verificationInterval)]
    where duration < .milliseconds(10) || duration > .seconds(3600) {
      throw GridError(.configuration, "the \(name) time of etcd must be between 10ms and 1h")
    }
    if password != nil, user == nil {
      throw GridError(
        .configuration, "there is a password for etcd and no user", hint: "set GRIDCTL_ETCD_USER, or etcd://user@host")
    }
    if user != nil, password == nil {
      throw GridError(
        .configuration, "there is a user for etcd and no password",
        hint: "set GRIDCTL_ETCD_PASSWORD_FILE to a file that only you can read")
    }
    if let encryption, (encryption.certificate == nil) != (encryption.key == nil) {
      throw GridError(
        .configuration, "a client certificate for etcd needs both the certificate and its key",
        hint: "set both GRIDCTL_ETCD_CERT and GRIDCTL_ETCD_KEY")
    }
    return self
  }
}
#endif
