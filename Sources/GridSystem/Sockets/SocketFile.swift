internal import Glibc

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

  private static func inode(_ path: String) -> UInt? {
    var status = stat()
    return lstat(path, &status) == 0 ? UInt(status.st_ino) : nil
  }
}
