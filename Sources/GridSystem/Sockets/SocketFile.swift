internal import Glibc
package import GridCore

/// The file of a socket that we made.
package struct SocketFile: Sendable {
  private let path: String
  private let inode: UInt

  /// The file as it stands at `path` now.
  package init(_ path: String) {
    self.path = path
    inode = Self.inode(path) ?? 0
  }

  /// Whether the path still leads to it.
  package var isInPlace: Bool { Self.inode(path) == inode }

  /// Removes it, but not the one that a successor of the same name has put in its place.
  package func remove() {
    if Self.inode(path) == inode { unlink(path) }
  }

  /// Lets the members of a group use it: first it is the group's, then it is open to it.
  ///
  /// - Throws: ``GridError/Code/refused`` when this user may not give it to the group.
  package func share(with group: UInt32) throws(GridError) {
    guard lchown(path, uid_t.max, group) == 0, chmod(path, 0o660) == 0 else {
      throw SystemGroup.failure(path, group, errno)
    }
  }

  private static func inode(_ path: String) -> UInt? {
    var status = stat()
    return lstat(path, &status) == 0 ? UInt(status.st_ino) : nil
  }
}
