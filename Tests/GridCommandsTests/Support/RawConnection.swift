import Foundation
import Glibc

/// A plain socket of a test: what somebody who does not speak our protocol has.
struct RawConnection: ~Copyable {
  private let descriptor: Int32

  /// Connects to a port of this machine; reading and writing take a second at most.
  init?(port: UInt16) {
    descriptor = Self.socket()
    guard Self.withAddress(port, { connect(descriptor, $0, $1) }) == 0 else { return nil }
    bePatient()
  }

  /// Connects to a Unix socket.
  init?(path: String) {
    descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard connected == 0 else { return nil }
    bePatient()
  }

  private func bePatient() {
    var limit = timeval(tv_sec: 1, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  deinit { close(descriptor) }

  /// Sends what the other side takes; false when it has closed the connection.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  static func socket() -> Int32 {
    Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  }

  static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}

/// A server that accepts connections and says always the same, whatever it is told; nothing, when it is silent.
final class RawServer: Sendable {
  let port: UInt16
  private let listener: Int32

  init(says reply: String?) throws {
    listener = RawConnection.socket()
    let listener = listener
    guard RawConnection.withAddress(0, { bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0 else {
      throw POSIXError(.EADDRINUSE)
    }
    var bound = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &bound) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
    }
    port = UInt16(bigEndian: bound.sin_port)
    let thread = Thread {
      var accepted: [Int32] = []
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { break }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        accepted.append(connection)
        guard let reply else { continue }
        _ = Array(reply.utf8).withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        shutdown(connection, Int32(SHUT_WR))
      }
      for connection in accepted { close(connection) }
      close(listener)
    }
    thread.start()
  }

  /// Ends it, and its thread.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }
}
