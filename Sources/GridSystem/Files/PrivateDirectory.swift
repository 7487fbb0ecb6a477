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

  /// What a directory is for: whoever has a say in it has a say in what is trusted because it lies there.
  package enum Purpose: Sendable {
    /// Sockets: whoever talks to what listens in it trusts its owner.
    case sockets
    /// Names and leases, letters, the secret.
    case state

    fileprivate var words: String {
      switch self {
      case .sockets: "the directory for sockets"
      case .state: "the state directory"
      }
    }

    fileprivate func hint(_ path: String, isOpen: Bool) -> String {
      let mending = isOpen ? "chmod go-w \(path)    when you trust what is in it, or" : "remove it, or"
      switch self {
      case .sockets:
        return "\(mending) choose another place with XDG_RUNTIME_DIR; a node is also reached with --endpoint"
      case .state: return "\(mending) choose another place with --state-dir or XDG_STATE_HOME"
      }
    }
  }

  /// Makes a directory, and makes sure that nobody else has a say in it, in what is inside it, and in the one of
  /// gridctl above it.
  ///
  /// - Throws: what ``make(_:)`` throws, and ``GridError/Code/refused`` when somebody else has a say in it.
  package static func makeOwned(_ path: String, for purpose: Purpose) throws(GridError) {
    let parent = parent(of: path)
    // Above first: inside somebody else's directory nothing may be made. Where somebody has made the directory for us
    // the one above it is not ours to write to.
    if access(path, F_OK) != 0 { try make(parent) }
    if isOfGridctl(parent) { try checkOwned(parent, purpose) }
    if mkdir(path, 0o700) != 0, errno != EEXIST { throw failure("cannot make directory \(path)") }
    try checkOwned(path, purpose)
    guard isWritable(path) else { throw failure("cannot write to directory \(path)") }
    for directory in directories(in: path) { try checkOwned(directory, purpose) }
  }

  /// Lets the members of a group look into a directory of ours, and into the one of gridctl above it: first it is the
  /// group's, then it is open to it. What is above these is the system's affair.
  ///
  /// - Throws: ``GridError/Code/refused`` when this user may not give it to the group.
  package static func share(_ path: String, with group: UInt32) throws(GridError) {
    for directory in [parent(of: path), path] where directory == path || isOfGridctl(directory) {
      var status = Glibc.stat()
      guard lstat(directory, &status) == 0, status.st_uid == geteuid() else { continue }
      guard lchown(directory, uid_t.max, group) == 0, chmod(directory, 0o750) == 0 else {
        throw SystemGroup.failure(directory, group, errno)
      }
    }
  }

  /// The directories directly inside another one; links are none.
  private static func directories(in path: String) -> [String] {
    guard let handle = opendir(path) else { return [] }
    defer { closedir(handle) }
    var found: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      var status = stat()
      guard name != ".", name != "..", lstat("\(path)/\(name)", &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR { found.append("\(path)/\(name)") }
    }
    return found.sorted()
  }

  /// Whether the directory for sockets is there. Whoever talks to what listens in it trusts its owner, so it must be
  /// the user's own.
  ///
  /// - Throws: ``GridError/Code/refused`` when it, or the one of gridctl above it, is somebody else's.
  package static func existsOwned(_ path: String) throws(GridError) -> Bool {
    let parent = parent(of: path)
    if isOfGridctl(parent), try !checkOwned(parent, .sockets) { return false }
    return try checkOwned(path, .sockets)
  }

  /// - Returns: whether there is anything at `path`.
  /// - Throws: ``GridError/Code/refused`` when it is a link, no directory, or open to other users.
  @discardableResult
  private static func checkOwned(_ path: String, _ purpose: Purpose) throws(GridError) -> Bool {
    var status = Glibc.stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return false }
      throw failure("cannot look at directory \(path)")
    }
    let user = geteuid()
    // State that lies on another disk is a link of the user's own, or of the administrator's.
    if purpose == .state, status.st_mode & S_IFMT == S_IFLNK, [user, 0].contains(status.st_uid) {
      guard stat(path, &status) == 0 else { throw failure("cannot look at directory \(path)") }
    }
    // Root lets whom it wants have a place of a service, and may talk to all of them.
    let isOwned = status.st_uid == user || user == 0 && purpose == .sockets && path.hasPrefix(GridDirectories.service)
    let objection: String? =
      switch status.st_mode & S_IFMT {
      case S_IFLNK: "it is a symbolic link"
      case S_IFDIR where !isOwned: "it belongs to user \(status.st_uid), not to user \(user)"
      case S_IFDIR where status.st_mode & 0o022 != 0: "other users may write to it"
      case S_IFDIR: nil
      default: "it is no directory"
      }
    guard let objection else { return true }
    throw GridError(
      .refused, "\(purpose.words) \(path) is not safe to use: \(objection)",
      hint: purpose.hint(path, isOpen: status.st_mode & S_IFMT == S_IFDIR && isOwned))
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
