public import GridCore

/// How to reach an etcd cluster.
public struct EtcdConfiguration: Sendable, Equatable {
  /// One member of the cluster.
  public struct Endpoint: Sendable, Equatable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int = 2379) {
      self.host = host
      self.port = port
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  /// Tried in turn; any of them serves.
  public var endpoints: [Endpoint]
  /// Put in front of every key, so that several installations share one cluster. Empty by default.
  public var prefix: String
  /// The user to authenticate as; nil does not authenticate.
  public var user: String?
  /// The user's password. Never shown.
  public var password: String
  /// Whether to speak TLS, as `etcds://` asks for; also when one of the files below is given.
  public var usesTLS: Bool
  /// A PEM file of authorities; nil trusts the system's.
  public var authorityFile: String?
  /// PEM files of the client's own certificate and key, for clusters that ask for one.
  public var certificateFile: String?
  public var keyFile: String?
  /// How long one attempt at one member may take before the next is tried.
  public var attemptTimeout: Duration
  /// How long an operation may take in all.
  public var operationTimeout: Duration

  public init(endpoints: [Endpoint]) {
    self.endpoints = endpoints
    prefix = ""
    user = nil
    password = ""
    usesTLS = false
    authorityFile = nil
    certificateFile = nil
    keyFile = nil
    attemptTimeout = .milliseconds(1500)
    operationTimeout = .seconds(4)
  }

  /// Parses `etcd://[USER@]HOST[:PORT][,HOST[:PORT]…][/PREFIX]`; with `etcds://` TLS is spoken.
  ///
  /// The environment adds what does not belong in an argument: `GRIDCTL_ETCD_USER`, `GRIDCTL_ETCD_PASSWORD_FILE`,
  /// `GRIDCTL_ETCD_CA`, `GRIDCTL_ETCD_CERT`, `GRIDCTL_ETCD_KEY`.
  ///
  /// - Throws: ``GridError/Code/usage`` for a text of another form, ``GridError/Code/noInput`` when the password's file
  ///   cannot be read.
  public init(parsing text: String, environment: [String: String] = [:]) throws(GridError) {
    let schemes = ["etcd://", "etcds://"]
    guard let scheme = schemes.first(where: { text.hasPrefix($0) }) else { throw Self.malformed(text) }
    var rest = text.dropFirst(scheme.count)
    var prefix = ""
    if let slash = rest.firstIndex(of: "/") {
      prefix = String(rest[slash...])
      rest = rest[..<slash]
      while prefix.hasSuffix("/") { prefix.removeLast() }
    }
    var user = environment["GRIDCTL_ETCD_USER"]
    if let at = rest.lastIndex(of: "@") {
      user = String(rest[..<at])
      rest = rest[rest.index(after: at)...]
    }
    if let user, user.contains(":") {
      throw GridError(
        .usage, "a password does not belong in --store: others on the machine see it",
        hint: "put it into a file and name that in GRIDCTL_ETCD_PASSWORD_FILE")
    }
    var endpoints: [Endpoint] = []
    for part in rest.split(separator: ",", omittingEmptySubsequences: false) {
      guard let endpoint = Endpoint(parsing: part) else { throw Self.malformed(text) }
      endpoints.append(endpoint)
    }
    self.init(endpoints: endpoints)
    self.prefix = prefix
    self.user = user
    authorityFile = environment["GRIDCTL_ETCD_CA"]
    certificateFile = environment["GRIDCTL_ETCD_CERT"]
    keyFile = environment["GRIDCTL_ETCD_KEY"]
    usesTLS = scheme == "etcds://" || authorityFile != nil || certificateFile != nil
    if let file = environment["GRIDCTL_ETCD_PASSWORD_FILE"] { password = try SecretFile.read(file) }
  }

  private static func malformed(_ text: String) -> GridError {
    GridError(
      .usage, "\(NameRules.quoted(text)) is no etcd cluster",
      hint: "write etcd://HOST:2379 or etcd://HOST1:2379,HOST2:2379/PREFIX")
  }
}

extension EtcdConfiguration.Endpoint {
  /// `HOST`, `HOST:PORT` or `[IPv6]:PORT`.
  init?(parsing text: Substring) {
    var host = text
    var port = "2379"[...]
    if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
      host = text[text.index(after: text.startIndex)..<close]
      let after = text[text.index(after: close)...]
      guard after.isEmpty || after.hasPrefix(":") else { return nil }
      if !after.isEmpty { port = after.dropFirst() }
    } else if let colon = text.lastIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    guard !host.isEmpty, let number = Int(port), (1...65535).contains(number) else { return nil }
    self.init(host: String(host), port: number)
  }
}
