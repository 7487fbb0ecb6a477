internal import Glibc

/// What tells the files of an open SQLite database from others that stand under their names later.
///
/// All of them count: who has only the log (`-wal`) or its index (`-shm`) of his own neither sees what others write nor
/// heeds their locks, however much the main file is the same.
struct DatabaseIdentity: Sendable {
  private let files: [FileIdentity]

  /// - Parameter path: of a database that is open, and was written to since.
  init(path: String) { files = ["", "-wal", "-shm"].compactMap { FileIdentity(path: path + $0) } }

  /// Whether one of the files was removed or replaced.
  var isGone: Bool { files.isEmpty || files.contains(where: \.isGone) }

  /// Whether the main file is that one.
  func isOf(_ file: FileIdentity?) -> Bool { file != nil && files.first == file }
}

/// What tells an open file from another one that stands under its name later.
struct FileIdentity: Sendable, Equatable {
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
