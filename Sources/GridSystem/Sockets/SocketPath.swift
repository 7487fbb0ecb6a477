package import Glibc

/// What holds for the paths of Unix sockets.
package enum SocketPath {
  /// The longest one: what the address structures of all systems have room for.
  package static let maximumBytes = 103

  /// Calls `body` with the address of the socket at a path, as `bind` and `connect` want it.
  ///
  /// - Returns: nil for a path for which the system's structure has no room.
  package static func withAddress<Result>(
    of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { place in
      guard bytes.count < place.count else { return false }
      place.copyBytes(from: bytes)
      return true
    }
    guard fits else { return nil }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
