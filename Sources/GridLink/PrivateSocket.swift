internal import Glibc
internal import NIOCore
internal import NIOPosix

/// A Unix socket that nobody but its owner may ever connect to.
enum PrivateSocket {
  /// A socket bound to the path with mode 0600, whatever the process's mask: a bound socket file gets the mode of the
  /// socket, so that there is no moment in which it has another one.
  ///
  /// - Returns: the descriptor, for the caller to listen on and close.
  /// - Throws: `IOError` as binding does.
  static func bound(to path: String) throws -> NIOBSDSocket.Handle {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { place in
      guard bytes.count < place.count else { return false }
      place.copyBytes(from: bytes)
      return true
    }
    guard fits else { throw IOError(errnoCode: ENAMETOOLONG, reason: "bind") }
    let flags = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let descriptor = socket(AF_UNIX, Int32(flags), 0)
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        fchmod(descriptor, 0o600) == 0 ? bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) : -1
      }
    }
    guard result == 0 else {
      let failure = errno
      close(descriptor)
      throw IOError(errnoCode: failure, reason: "bind")
    }
    return descriptor
  }
}
