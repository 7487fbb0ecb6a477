internal import Glibc
internal import Synchronization

/// Names of the system's users.
package enum UserNames {
  /// Looking one up may ask a directory of the network; those that come again are known.
  private static let known = Mutex<[UInt32: String]>([:])
  /// Overflow: the others are looked up each time.
  private static let mostKnown = 100

  /// The name of a user, or its number when it has none.
  package static func name(of user: UInt32) -> String {
    if let name = known.withLock({ $0[user] }) { return name }
    let name = lookUp(user) ?? String(user)
    known.withLock { if $0.count < mostKnown { $0[user] = name } }
    return name
  }

  private static func lookUp(_ user: UInt32) -> String? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else {
      return nil
    }
    return String(cString: name)
  }
}
