internal import Glibc

/// What is left on the file system of a directory, for whoever is not root.
package struct DiskSpace: Sendable, Equatable {
  package let freeBytes: Int
  package let totalBytes: Int

  /// - Returns: nil when the directory is not there, or its file system does not say.
  package init?(of directory: String) {
    var facts = statvfs()
    guard statvfs(directory, &facts) == 0, facts.f_blocks > 0 else { return nil }
    let blockBytes = UInt64(facts.f_frsize)
    freeBytes = Int(clamping: UInt64(facts.f_bavail).multipliedFullWidth(by: blockBytes).low)
    totalBytes = Int(clamping: UInt64(facts.f_blocks).multipliedFullWidth(by: blockBytes).low)
  }
}
