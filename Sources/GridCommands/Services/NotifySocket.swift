internal import Glibc
internal import GridCore
internal import GridSystem

/// The datagram socket at which a service manager listens, as `NOTIFY_SOCKET` names it: a path, or `@NAME` for one
/// outside of the file system.
struct NotifySocket: Sendable, Equatable {
  /// What stands in `sun_path`; of an abstract name it begins with NUL, and none follows.
  let address: [UInt8]

  /// - Throws: ``GridError/Code/configuration`` for what is neither, or too long for an address.
  init(parsing text: String) throws(GridError) {
    var bytes = Array(text.utf8)
    let isAbstract = text.hasPrefix("@")
    let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
    guard isAbstract || text.hasPrefix("/"), bytes.count > 1, bytes.count < room else {
      throw GridError(
        .configuration, "NOTIFY_SOCKET: \(NameRules.quoted(text)) is no address of a socket",
        hint: "it is an absolute path, or @ and a name, of at most \(room - 1) bytes")
    }
    if isAbstract { bytes[0] = 0 }
    address = bytes
  }

  /// Sends one message, without waiting for room.
  ///
  /// - Returns: 0, or the number of the error.
  func send(_ message: String) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address) }
    let path = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    // A path ends with NUL, which is there already; an abstract name is as long as it is said to be.
    let length = socklen_t(path + address.count + (address[0] == 0 ? 0 : 1))
    let bytes = Array(message.utf8)
    let count = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        sendto(descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL), pointer, length)
      }
    }
    return count < 0 ? errno : 0
  }
}
