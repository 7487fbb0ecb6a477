#if Etcd
internal import Glibc
public import GridCore

extension EtcdConfiguration {
  /// Reads `etcd://[USER@]HOST[:PORT][,HOST[:PORT]…][/PREFIX]`, and from the environment what does not belong into an
  /// argument: `GRIDCTL_ETCD_USER`, `GRIDCTL_ETCD_PASSWORD_FILE` (or `GRIDCTL_ETCD_PASSWORD`), `GRIDCTL_ETCD_CA`,
  /// `GRIDCTL_ETCD_CERT` and `GRIDCTL_ETCD_KEY`.
  ///
  /// `etcds://`, or any of the last three, turns encryption on. IPv6 addresses stand in brackets.
  /// - Throws: ``GridError/Code/configuration`` with what is wrong; the text never holds a password.
  public init(parsing text: String, environment: [String: String] = [:]) throws(GridError) {
    guard let (scheme, rest) = Self.scheme(of: text) else {
      throw Self.malformed("the text must begin with etcd:// or etcds://")
    }
    let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    var hosts = parts[0]
    var user = environment["GRIDCTL_ETCD_USER"]
    if let at = hosts.lastIndex(of: "@") {
      let name = String(hosts[..<at])
      hosts = hosts[hosts.index(after: at)...]
      guard !name.contains(":") else {
        throw GridError(
          .configuration, "a password has no place in the address of etcd: other users of the machine can read it",
          hint: "put it into a file that only you can read and set GRIDCTL_ETCD_PASSWORD_FILE")
      }
      user = name
    }
    var endpoints: [Endpoint] = []
    for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
      endpoints.append(try Self.endpoint(host))
    }
    self.init(endpoints: endpoints, prefix: parts.count > 1 ? String(parts[1]) : "")
    self.user = user.flatMap { $0.isEmpty ? nil : $0 }
    if let path = environment["GRIDCTL_ETCD_PASSWORD_FILE"], !path.isEmpty {
      password = .file(path)
    } else if let text = environment["GRIDCTL_ETCD_PASSWORD"], !text.isEmpty {
      password = .text(text)
    }
    encryption = Self.encryption(environment, isWanted: scheme == "etcds")
    self = try validated()
  }

  private static func scheme(of text: String) -> (String, Substring)? {
    for scheme in ["etcd", "etcds"] where text.hasPrefix(scheme + "://") {
      return (scheme, text.dropFirst(scheme.count + 3))
    }
    return nil
  }

  private static func encryption(_ environment: [String: String], isWanted: Bool) -> Encryption? {
    func path(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let encryption = Encryption(
      authorities: path("GRIDCTL_ETCD_CA"), certificate: path("GRIDCTL_ETCD_CERT"), key: path("GRIDCTL_ETCD_KEY"))
    return isWanted || encryption != Encryption() ? encryption : nil
  }

  private static func endpoint(_ text: Substring) throws(GridError) -> Endpoint {
    guard !text.isEmpty else { throw malformed("a host is missing") }
    var host = text
    var port: Substring?
    if text.first == "[" {
      guard let close = text.firstIndex(of: "]") else { throw malformed("\(quoted(text)) has no closing bracket") }
      host = text[text.index(after: text.startIndex)..<close]
      let rest = text[text.index(after: close)...]
      guard rest.isEmpty || rest.first == ":" else { throw malformed("\(quoted(text)) is no host:port") }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
      guard port?.contains(":") == false else { throw malformed("an IPv6 address stands in brackets: [\(text)]") }
    }
    guard let port else { return Endpoint(host: String(host)) }
    guard let number = Int(port), (1...65_535).contains(number), !host.isEmpty else {
      throw malformed("\(quoted(text)) is no host:port")
    }
    return Endpoint(host: String(host), port: number)
  }

  private static func quoted(_ text: Substring) -> String { NameRules.quoted(String(text)) }

  private static func malformed(_ reason: String) -> GridError {
    GridError(
      .configuration, "the address of etcd cannot be read: \(reason)", hint: "write etcd://host:2379,host:2379/prefix")
  }
}

extension EtcdConfiguration.Password {
  /// The password itself. Reads the file, if there is one; for the start only.
  func load() throws(GridError) -> String {
    guard case .file(let path) = self else {
      guard case .text(let text) = self else { return "" }
      return text
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw GridError(
        .configuration, "the password file \(path) cannot be read", hint: "see GRIDCTL_ETCD_PASSWORD_FILE",
        cause: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0 else {
      throw GridError(.refused, "others can read the password file \(path)", hint: "chmod 600 \(path)")
    }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    guard count >= 0 else {
      throw GridError(
        .configuration, "the password file \(path) cannot be read", cause: String(cString: strerror(errno)))
    }
    return String(decoding: bytes.prefix(count).prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
  }
}
#endif
