internal import Glibc

/// What is left on the file system of a directory, for whoever is not root.
package struct DiskSpace: Sendable, Equatable {
  package let freeBytes: Int
  package let totalBytes: Int

  /// - Returns: nil when the directory is not there, or its file system does not say.
  package init?(of directory: String) {
    var facts = statvfs()
    guard statvfs(directory, &facts) == 0, facts.f_blocks > 0 else { return nil }
    freeBytes = Self.bytes(UInt64(facts.f_bavail), of: UInt64(facts.f_frsize))
    totalBytes = Self.bytes(UInt64(facts.f_blocks), of: UInt64(facts.f_frsize))
  }

  /// The file system may be anybody's, and say anything.
  private static func bytes(_ blocks: UInt64, of size: UInt64) -> Int {
    let (product, isTooMuch) = blocks.multipliedReportingOverflow(by: size)
    return isTooMuch ? .max : Int(clamping: product)
  }
}
