/// Where a namespace's files are, from the environment; pure.
package struct GridDirectories: Sendable, Equatable {
  package var state: String
  package var runtime: String
  package init(environment: [String: String], namespace: String) {
    state =
      (environment["XDG_STATE_HOME"] ?? (environment["HOME"] ?? "/tmp") + "/.local/state") + "/gridctl/" + namespace
    runtime = (environment["XDG_RUNTIME_DIR"].map { $0 + "/gridctl" } ?? "/tmp/gridctl-0") + "/" + namespace
  }
}
