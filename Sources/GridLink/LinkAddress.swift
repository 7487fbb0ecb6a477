package import GridCore
internal import GridSystem
package import NIOCore

/// Where a node listens: `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`.
package enum LinkAddress: Sendable, Hashable, CustomStringConvertible {
  case tcp(host: String, port: Int)
  case unix(path: String)

  /// The longest path of a Unix socket: what the address structures of all systems have room for.
  package static let maximumSocketPathBytes = SocketPath.maximumBytes

  /// - Throws: ``GridError/Code/usage`` when the text is no address.
  package init(parsing text: String) throws(GridError) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty, path.utf8.count <= Self.maximumSocketPathBytes else {
        throw GridError(
          .usage, "invalid socket path \(NameRules.quoted(path))",
          hint: "1 to \(Self.maximumSocketPathBytes) bytes after unix:")
      }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port)
    else { throw Self.invalid(text) }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      throw Self.invalid(text)
    }
    guard NameRules.isHost(host) else { throw Self.invalid(text) }
    self = .tcp(host: host, port: port)
  }

  private static func invalid(_ text: String) -> GridError {
    GridError(
      .usage, "invalid address \(NameRules.quoted(text))", hint: "write HOST:PORT, [IPV6]:PORT or unix:PATH")
  }

  package var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  /// Whether only processes of this machine can reach it.
  package var isLocal: Bool {
    switch self {
    case .unix: true
    case .tcp(let host, _): host == "localhost" || host == "::1" || Self.isLoopback(host)
    }
  }

  /// Whether the text is an address of IPv4 that begins with 127: a name may begin so as well, and lead anywhere.
  private static func isLoopback(_ host: String) -> Bool {
    host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
  }

  /// The address a channel is bound to, or nil when it has none that is known.
  package init?(_ address: SocketAddress?) {
    switch address {
    case .v4, .v6:
      guard let host = address?.ipAddress, let port = address?.port else { return nil }
      self = .tcp(host: host, port: port)
    case .unixDomainSocket:
      guard let path = address?.pathname else { return nil }
      self = .unix(path: path)
    case nil: return nil
    }
  }
}
