import Foundation
import Glibc
import Testing

/// Another user of the machine, without an account: what only root can play.
struct OtherUser: Sendable {
  let identifier: UInt32
  /// Put before a command, runs it as that user, without root's exemptions and without `XDG_RUNTIME_DIR`.
  let prefix: String
  /// Where its sockets go.
  var substitute: String { "/tmp/gridctl-\(identifier)" }

  /// - Returns: nil when this process is not root, or that user could not run our binaries.
  static func make(in sandbox: Sandbox) async throws -> OtherUser? {
    guard Machine.isRoot else { return nil }
    let identifier = UInt32.random(in: 200_000_000...299_999_999)
    let home = "\(sandbox.directory)/home"
    let user = OtherUser(
      identifier: identifier,
      prefix: "setpriv --reuid=\(identifier) --regid=\(identifier) --clear-groups "
        + "env -u XDG_RUNTIME_DIR -u XDG_STATE_HOME HOME=\(home)")
    try await sandbox.output("mkdir -p \(home) && chown \(identifier) \(home) && chmod 711 .")
    return try await sandbox.run("\(user.prefix) gridctl --version").status == 0 ? user : nil
  }

  /// Removes what it has outside the sandbox.
  func remove() { try? FileManager.default.removeItem(atPath: substitute) }
}
