import Foundation
import Glibc

/// The place of a service manager: a datagram socket that `NOTIFY_SOCKET` names.
final class NotifyReceiver {
  /// For `NOTIFY_SOCKET`.
  let name: String
  private let descriptor: Int32

  /// - Parameter path: where the socket is made; nil makes one outside of the file system.
  init(path: String?) throws {
    name = path ?? "@gridctl-test-\(UUID().uuidString)"
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    if path == nil { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(2 + bytes.count + (path == nil ? 0 : 1))
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    guard descriptor >= 0, result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL) }
  }

  deinit { close(descriptor) }

  /// The lines of the next message, or nil when none is there.
  func next() -> [String]? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count >= 0 else { return nil }
    return String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// The next message that has the line, for 30 s at most, and those before it.
  func until(_ line: String) async throws -> [[String]] {
    let limit = ContinuousClock.now + .seconds(30)
    var messages: [[String]] = []
    while ContinuousClock.now < limit {
      guard let message = next() else {
        try await Task.sleep(for: .milliseconds(5))
        continue
      }
      messages.append(message)
      if message.contains(line) { return messages }
    }
    return messages
  }
}
