internal import Glibc
package import GridCore

extension EtcdConfiguration {
  /// Parses `etcd://[USER@]HOST[:PORT][,HOST[:PORT]…][/PREFIX]`; with `etcds://` TLS is spoken. IPv6 addresses stand
  /// in brackets.
  ///
  /// The environment adds what does not belong in an argument: `GRIDCTL_ETCD_USER`, `GRIDCTL_ETCD_PASSWORD_FILE` (or,
  /// less well hidden, `GRIDCTL_ETCD_PASSWORD`), `GRIDCTL_ETCD_CA`, `GRIDCTL_ETCD_CERT`, `GRIDCTL_ETCD_KEY`.
  ///
  /// - Throws: ``GridError/Code/usage`` for a text of another form, ``GridError/Code/noInput`` when the password's file
  ///   cannot be read, ``GridError/Code/refused`` when others can read it too.
  package init(parsing text: String, environment: [String: String] = [:]) throws(GridError) {
    let schemes = ["etcd://", "etcds://"]
    guard let scheme = schemes.first(where: { text.hasPrefix($0) }) else { throw Self.malformed(text) }
    var rest = text.dropFirst(scheme.count)
    var prefix = ""
    if let slash = rest.firstIndex(of: "/") {
      prefix = String(rest[slash...])
      rest = rest[..<slash]
      while prefix.hasSuffix("/") { prefix.removeLast() }
    }
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    var user = variable("GRIDCTL_ETCD_USER")
    if let at = rest.lastIndex(of: "@") {
      user = String(rest[..<at])
      rest = rest[rest.index(after: at)...]
    }
    if let user, user.utf8.contains(UInt8(ascii: ":")) {
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
    authorityFile = variable("GRIDCTL_ETCD_CA")
    certificateFile = variable("GRIDCTL_ETCD_CERT")
    keyFile = variable("GRIDCTL_ETCD_KEY")
    usesTLS = scheme == "etcds://" || authorityFile != nil || certificateFile != nil || keyFile != nil
    if let file = variable("GRIDCTL_ETCD_PASSWORD_FILE") {
      password = try SecretFile.read(file)
    } else if let text = variable("GRIDCTL_ETCD_PASSWORD") {
      password = text
    }
    self = try validated()
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
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<close]
      let after = text[text.index(after: close)...]
      guard after.isEmpty || after.hasPrefix(":") else { return nil }
      if !after.isEmpty { port = after.dropFirst() }
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    guard NameRules.isHost(host), let number = Int(port), (1...65_535).contains(number) else { return nil }
    self.init(host: String(host), port: number)
  }
}

/// A secret in a file that only its owner may read.
enum SecretFile {
  /// More than any password.
  private static let limit = 4096
  /// How long a pipe may take, in milliseconds.
  private static let patience: Int32 = 10_000

  /// The first line of the file. Reads it at once: for the start, not for a task. A FIFO that nobody writes to holds
  /// nobody up.
  static func read(_ path: String) throws(GridError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw unreadable(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable(path) }
    guard status.st_mode & 0o077 == 0 else {
      throw GridError(.refused, "others can read the password file \(path)", hint: "chmod 600 \(path)")
    }
    let sort = status.st_mode & S_IFMT
    guard sort == S_IFREG || sort == S_IFIFO else {
      throw GridError(
        .noInput, "the password file \(path) is no file", hint: "name a file in GRIDCTL_ETCD_PASSWORD_FILE")
    }
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&ready, 1, patience) != 0 else {
      throw GridError(
        .deadline, "nobody wrote to the password file \(path), which is a pipe, within 10s",
        hint: "see GRIDCTL_ETCD_PASSWORD_FILE")
    }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    guard count >= 0 else { throw unreadable(path) }
    let line = bytes.prefix(count).prefix { $0 != 0x0A && $0 != 0x0D }
    guard let password = String(validating: line, as: UTF8.self) else {
      throw GridError(.configuration, "the password file \(path) is not UTF-8")
    }
    return password
  }

  private static func unreadable(_ path: String) -> GridError {
    GridError(
      .noInput, "the password file \(path) cannot be read", hint: "see GRIDCTL_ETCD_PASSWORD_FILE",
      cause: String(cString: strerror(errno)))
  }
}
