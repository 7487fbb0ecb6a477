package import GridCore

/// Where a namespace's files are, from the environment; pure.
///
/// A variable that is empty or not an absolute path counts as unset, as the base directory specification wants it.
package struct GridDirectories: Sendable, Equatable {
  /// Names and leases, dead letters, logs: in the directory `gridctl` of `$STATE_DIRECTORY`, which a service manager
  /// has made, else `$XDG_STATE_HOME/gridctl/NAMESPACE`, else `~/.local/state/…`.
  package var state: String
  /// Where a node makes its socket: in the directory `gridctl` of `$RUNTIME_DIRECTORY`, else
  /// `$XDG_RUNTIME_DIR/gridctl/NAMESPACE`, else `/tmp/gridctl-USER/NAMESPACE`.
  package var runtime: String
  /// Where a client looks for sockets, in order: nodes may have been started where `XDG_RUNTIME_DIR` was another or
  /// none, as services and in sessions without a login.
  package var searched: [String]
  /// The file with the secret of the namespace.
  package var secret: String { state + "/" + SecretFile.name }

  /// - Parameter user: the numeric identifier of the user; names the directory that stands in for a missing one.
  package init(environment: [String: String], namespace: String, user: UInt32) {
    let substitute = "/tmp/gridctl-\(user)"
    // No namespace starts with a dot, so state cannot meet the sockets of one that is called "state".
    let home = Self.absolute(environment["HOME"]).map { $0 + "/.local/state/gridctl" } ?? substitute + "/.state"
    let ownState = Self.ofService(environment["STATE_DIRECTORY"])
    let userState = Self.absolute(environment["XDG_STATE_HOME"]).map { $0 + "/gridctl" } ?? home
    state = (ownState ?? userState) + "/" + namespace
    let session = Self.absolute(environment["XDG_RUNTIME_DIR"]).map { $0 + "/gridctl" }
    let own = Self.ofService(environment["RUNTIME_DIRECTORY"])
    runtime = Self.sockets(of: namespace, in: own ?? session ?? substitute)
    let places = (own.map { [$0] } ?? []) + [session ?? "/run/user/\(user)/gridctl", Self.service, substitute]
    searched = places.reduce(into: []) { places, place in
      let directory = Self.sockets(of: namespace, in: place)
      if !places.contains(directory) { places.append(directory) }
    }
  }

  /// Where the sockets of services are: what lies there root has made, or let somebody make.
  static let service = "/run/gridctl"

  private static func sockets(of namespace: String, in directory: String) -> String {
    let room = socketPathLength - directory.utf8.count - 2 - shortestSocket
    return directory + "/" + shortened(namespace, to: room)
  }

  // MARK: Sockets

  private static let socketPathLength = SocketPath.maximumBytes
  private static let suffix = ".sock"
  /// Bytes of the shortest form of a name in ``socket(of:in:)``.
  private static let shortestSocket = 17 + suffix.utf8.count

  /// The socket of a node. A name that the path has no room for is cut, and told apart by a number made from it.
  package static func socket(of node: String, in directory: String) -> String {
    let room = socketPathLength - directory.utf8.count - 1 - suffix.utf8.count
    return directory + "/" + shortened(node, to: room) + suffix
  }

  /// - Throws: ``GridError/Code/configuration`` when sockets in the directory would have paths that are too long.
  package static func checkRoom(forSocketsIn directory: String) throws(GridError) {
    let room = socketPathLength - 1 - shortestSocket
    guard directory.utf8.count > room else { return }
    throw GridError(
      .configuration, "the directory for sockets \(directory) has a path of \(directory.utf8.count) bytes, too long",
      hint: "choose one of at most \(room) bytes with XDG_RUNTIME_DIR")
  }

  /// `name` itself when it has at most `room` bytes, else its beginning, `~` (which no name has) and 16 digits.
  private static func shortened(_ name: String, to room: Int) -> String {
    guard name.utf8.count > room else { return name }
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(hash, radix: 16)
    let beginning = String(decoding: name.utf8.prefix(max(0, room - 17)), as: UTF8.self)
    return beginning + "~" + String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Of the directories that a service manager has made for this service the one that is meant for gridctl. The service
  /// may be another program's, which only runs gridctl: others are left alone.
  private static func ofService(_ list: String?) -> String? {
    guard let list else { return nil }
    return list.split(separator: ":").lazy.compactMap { absolute(String($0)) }.first { $0.hasSuffix("/gridctl") }
  }

  private static func absolute(_ path: String?) -> String? {
    guard var path, path.hasPrefix("/") else { return nil }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }
}
