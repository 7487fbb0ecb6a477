internal import Glibc
package import GridCore

/// A directory that only its user reads.
package enum PrivateDirectory {
  private static let hint = "choose another one with --state-dir, XDG_STATE_HOME or XDG_RUNTIME_DIR"

  /// Makes a directory and its parents, private to the user (mode 0700).
  ///
  /// - Throws: ``GridError/Code/inputOutput`` or ``GridError/Code/refused`` with the path and what to do.
  package static func make(_ path: String) throws(GridError) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/" + part
      if mkdir(made, 0o700) != 0, errno != EEXIST { throw failure("cannot make directory \(made)") }
    }
    guard isWritable(path) else { throw failure("cannot write to directory \(path)") }
  }

  /// Asked of the entry inside it, so that a file is told apart.
  private static func isWritable(_ directory: String) -> Bool { access(directory + "/.", W_OK | X_OK) == 0 }

  private static func failure(_ what: String) -> GridError {
    let isForbidden = errno == EACCES || errno == EPERM || errno == EROFS
    return GridError(
      isForbidden ? .refused : .inputOutput, "\(what): \(String(cString: strerror(errno)))", hint: hint)
  }

  /// Makes the directory for sockets, and makes sure that nobody else has a say in it.
  ///
  /// - Throws: what ``make(_:)`` and ``checkOwned(_:)`` throw.
  package static func makeOwned(_ path: String) throws(GridError) {
    let parent = parent(of: path)
    // Above first: inside somebody else's directory nothing may be made.
    try make(parent)
    if isOfGridctl(parent) { try checkOwned(parent) }
    if mkdir(path, 0o700) != 0, errno != EEXIST { throw failure("cannot make directory \(path)") }
    try checkOwned(path)
    guard isWritable(path) else { throw failure("cannot write to directory \(path)") }
  }

  /// Whether the directory for sockets is there. Whoever talks to what listens in it trusts its owner, so it must be
  /// the user's own.
  ///
  /// - Throws: ``GridError/Code/refused`` when it, or the one of gridctl above it, is somebody else's.
  package static func existsOwned(_ path: String) throws(GridError) -> Bool {
    let parent = parent(of: path)
    if isOfGridctl(parent), try !checkOwned(parent) { return false }
    return try checkOwned(path)
  }

  /// - Returns: whether there is anything at `path`.
  /// - Throws: ``GridError/Code/refused`` when it is a link, no directory, or open to other users.
  @discardableResult
  private static func checkOwned(_ path: String) throws(GridError) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return false }
      throw failure("cannot look at directory \(path)")
    }
    let user = geteuid()
    let objection: String? =
      switch status.st_mode & S_IFMT {
      case S_IFLNK: "it is a symbolic link"
      case S_IFDIR where status.st_uid != user: "it belongs to user \(status.st_uid), not to user \(user)"
      case S_IFDIR where status.st_mode & 0o022 != 0: "other users may write to it"
      case S_IFDIR: nil
      default: "it is no directory"
      }
    guard let objection else { return true }
    throw GridError(
      .refused, "the directory for sockets \(path) is not safe to use: \(objection)",
      hint: "remove it, or choose another place with XDG_RUNTIME_DIR; a node is also reached with --endpoint")
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Whether gridctl itself makes directories of that name; others above it are the system's or the user's affair.
  private static func isOfGridctl(_ path: String) -> Bool {
    guard let name = path.split(separator: "/").last else { return false }
    return name == "gridctl" || name.hasPrefix("gridctl-")
  }
}
