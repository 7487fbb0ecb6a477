internal import Glibc
package import GridCore

/// A directory that only its user reads.
package enum PrivateDirectory {
  /// Makes a directory and its parents, private to the user (mode 0700).
  ///
  /// - Throws: ``GridError/Code/inputOutput`` or ``GridError/Code/refused`` with the path and what to do.
  package static func make(_ path: String) throws(GridError) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/" + part
      if mkdir(made, 0o700) != 0, errno != EEXIST {
        let reason = String(cString: strerror(errno))
        throw GridError(
          errno == EACCES || errno == EROFS ? .refused : .inputOutput, "cannot make directory \(made): \(reason)",
          hint: "choose another one with --state-dir, XDG_STATE_HOME or XDG_RUNTIME_DIR")
      }
    }
    guard access(path, W_OK | X_OK) == 0 else {
      throw GridError(
        .refused, "cannot write to directory \(path): \(String(cString: strerror(errno)))",
        hint: "choose another one with --state-dir, XDG_STATE_HOME or XDG_RUNTIME_DIR")
    }
  }
}
