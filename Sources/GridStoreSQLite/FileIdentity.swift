internal import Glibc

/// What tells an open file from another one that stands under its name later.
struct FileIdentity: Sendable {
  private let path: String
  private let device: dev_t
  private let number: ino_t

  /// Nil when there is no such file, or it cannot be looked at.
  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.path = path
    device = status.st_dev
    number = status.st_ino
  }

  /// Whether the file was removed, or another one stands in its place: what is written to it nobody else will read.
  var isGone: Bool {
    var status = stat()
    // Who is not let through to it for a while is not told that it is gone.
    guard stat(path, &status) == 0 else { return errno == ENOENT || errno == ENOTDIR }
    return status.st_dev != device || status.st_ino != number
  }
}
