internal import Glibc
internal import GridSystem
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
    let flags = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let descriptor = socket(AF_UNIX, Int32(flags), 0)
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
    let result = SocketPath.withAddress(of: path) { address, length in
      fchmod(descriptor, 0o600) == 0 ? bind(descriptor, address, length) : -1
    }
    guard result == 0 else {
      let failure = result == nil ? ENAMETOOLONG : errno
      close(descriptor)
      throw IOError(errnoCode: failure, reason: "bind")
    }
    return descriptor
  }
}
