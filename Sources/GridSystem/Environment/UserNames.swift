internal import Synchronization

/// Names of the system's users.
package enum UserNames {
  /// Those that come again are not looked up again.
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
    SystemDatabase.user { $0.number == user }?.name
  }
}
