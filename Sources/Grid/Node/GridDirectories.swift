/// Where a namespace's files are, from the environment; pure.
///
/// A variable that is empty or not an absolute path counts as unset, as the base directory specification wants it.
package struct GridDirectories: Sendable, Equatable {
  /// Names and leases, dead letters, logs: `$XDG_STATE_HOME/gridctl/NAMESPACE`, else `~/.local/state/…`.
  package var state: String
  /// Sockets of local nodes: `$XDG_RUNTIME_DIR/gridctl/NAMESPACE`, else `/tmp/gridctl-USER/NAMESPACE`.
  package var runtime: String

  /// - Parameter user: the numeric identifier of the user; names the directory that stands in for a missing one.
  package init(environment: [String: String], namespace: String, user: UInt32) {
    let substitute = "/tmp/gridctl-\(user)"
    // No namespace starts with a dot, so state cannot meet the sockets of one that is called "state".
    let home = Self.absolute(environment["HOME"]).map { $0 + "/.local/state/gridctl" } ?? substitute + "/.state"
    state = (Self.absolute(environment["XDG_STATE_HOME"]).map { $0 + "/gridctl" } ?? home) + "/" + namespace
    runtime = (Self.absolute(environment["XDG_RUNTIME_DIR"]).map { $0 + "/gridctl" } ?? substitute) + "/" + namespace
  }

  private static func absolute(_ path: String?) -> String? {
    guard var path, path.hasPrefix("/") else { return nil }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }
}
