internal import Glibc
internal import GridConcurrency
package import GridCore

/// Held while a node makes its socket: in one directory one node at a time does.
package struct SocketDirectoryLock: ~Copyable {
  private let descriptor: Int32

  /// How long another node may take to make its socket.
  private static let patience = Duration.seconds(10)

  /// - Throws: ``GridError/Code/inputOutput`` when the directory cannot be locked, ``GridError/Code/retryLater`` when
  ///   another node holds the lock for too long.
  package init(_ directory: String, _ timers: any Timers) async throws(GridError) {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure(directory) }
    let limit = timers.now() + Self.patience
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        let error = Self.failure(directory)
        close(descriptor)
        throw error
      }
      guard timers.now() < limit else {
        close(descriptor)
        throw GridError(
          .retryLater, "another node has been starting for long in \(directory)",
          hint: "is one of them paused? see: ps; then start again")
      }
      guard await timers.sleep(for: .milliseconds(5)) else {
        close(descriptor)
        throw GridError(.failed, "the node was told to leave while it started")
      }
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  private static func failure(_ directory: String) -> GridError {
    GridError(.inputOutput, "cannot lock directory \(directory): \(String(cString: strerror(errno)))")
  }
}
