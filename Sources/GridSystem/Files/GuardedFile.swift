internal import Glibc
package import GridCore

/// A small file on which it depends who is let in: not read when somebody else could have a say in that.
package struct GuardedFile: Sendable {
  /// As errors name it: `secret`.
  package var noun: String
  /// Whether nobody but its user may read it; else nobody but its user may write it.
  package var isSecret: Bool
  /// The most that it may have, in bytes.
  package var limit: Int
  /// What to do when it is another user's.
  package var ownHint: String
  /// What to do when others may have read it, beside the `chmod`.
  package var leakHint: String

  package init(noun: String, isSecret: Bool, limit: Int, ownHint: String, leakHint: String) {
    self.noun = noun
    self.isSecret = isSecret
    self.limit = limit
    self.ownHint = ownHint
    self.leakHint = leakHint
  }

  /// The bytes of the file, one more than ``limit`` at most.
  ///
  /// - Returns: nil when there is no such file.
  /// - Throws: ``GridError/Code/refused`` when others have a say in it, ``GridError/Code/configuration`` when it is no
  ///   file, ``GridError/Code/inputOutput`` when it cannot be read.
  package func read(_ path: String) throws(GridError) -> [UInt8]? {
    if isSecret { try ProcessPrivacy.expectSecret() }
    // Not blocking, since a pipe may lie there.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("read", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("read", path) }
    try check(status, path)
    var bytes: [UInt8] = []
    // As it may grow meanwhile, it is read until it ends; what its limit has room for would be cleared for nothing.
    var part = [UInt8](repeating: 0, count: min(max(Int(status.st_size), 64), limit) + 1)
    while bytes.count <= limit {
      let count = Glibc.read(descriptor, &part, min(part.count, limit + 1 - bytes.count))
      if count == 0 { break }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw failure("read", path)
      }
      bytes += part[..<count]
    }
    return bytes
  }

  private func check(_ status: stat, _ path: String) throws(GridError) {
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw GridError(.configuration, "the \(noun) \(path) is no file", hint: "see: gridctl help environment")
    }
    guard isSecret else {
      guard status.st_mode & 0o002 == 0 else {
        throw GridError(.refused, "everybody may write to the \(noun) \(path)", hint: "chmod o-w \(path)")
      }
      return
    }
    let user = geteuid()
    // Root may read everything anyway.
    guard status.st_uid == user || status.st_uid == 0 else {
      throw GridError(
        .refused, "the \(noun) \(path) belongs to user \(status.st_uid), not to user \(user)", hint: ownHint)
    }
    guard status.st_mode & 0o077 == 0 else {
      throw GridError(
        .refused, "other users may read the \(noun) \(path)",
        hint: "chmod 600 \(path)    and, where somebody may have read it, \(leakHint)")
    }
  }

  /// The last error of the system, for what was to be done with the file.
  package func failure(_ verb: String, _ path: String) -> GridError {
    let isForbidden = errno == EACCES || errno == EPERM || errno == EROFS
    return GridError(
      isForbidden ? .refused : .inputOutput, "cannot \(verb) the \(noun) \(path): \(String(cString: strerror(errno)))")
  }
}

/// By what a file is known to be another one than before, without reading it.
package struct FileStamp: Sendable, Equatable {
  private var device: UInt64
  private var number: UInt64
  private var size: Int64
  private var changedAt: Int64
  private var changedAtNanoseconds: Int64

  /// - Returns: nil when there is no such file.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    number = UInt64(status.st_ino)
    size = Int64(status.st_size)
    changedAt = Int64(status.st_mtim.tv_sec)
    changedAtNanoseconds = Int64(status.st_mtim.tv_nsec)
  }
}
