internal import Glibc
internal import GridCore

/// The file behind a lease: its holder keeps it locked (`flock`), so that others see at once when the holder is gone,
/// however it died. The kernel lets go of the lock with the process's last descriptor.
struct LeaseFile: ~Copyable {
  private let descriptor: Int32
  private let path: String

  /// Makes and locks the file of a new lease.
  ///
  /// - Throws: ``GridError/Code/inputOutput`` when it cannot be made.
  init(creating path: String) throws(GridError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    // Nobody else has it for longer than a look takes, see isAbandoned.
    guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
      let reason = String(cString: strerror(errno))
      if descriptor >= 0 { close(descriptor) }
      throw GridError(.inputOutput, "cannot make lease file \(path): \(reason)")
    }
  }

  deinit { close(descriptor) }

  /// Removes the file and lets go of the lock.
  consuming func remove() { unlink(path) }

  /// Whether the holder of the lease at `path` is gone: its file is missing, or nobody has it locked.
  static func isAbandoned(_ path: String) -> Bool {
    // Not for writing: that a file is closed which was open for writing says that its holder has let go of it. And a
    // shared lock, so that two who look at once do not take each other for the holder.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return errno == ENOENT }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) == 0
  }
}
