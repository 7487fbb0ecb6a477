internal import Glibc
internal import GridCore

/// A line to wake a thread that waits for descriptors. Safe from any thread.
final class WakeLine: Sendable {
  private let reading: Int32
  private let writing: Int32

  /// - Throws: ``GridError/Code/unavailable`` when the process may open no more files.
  init() throws(GridError) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw GridError(
        .unavailable, "cannot open the coordination store: \(String(cString: strerror(errno)))",
        hint: "see: ulimit -n")
    }
    (reading, writing) = (ends[0], ends[1])
  }

  deinit {
    close(reading)
    close(writing)
  }

  func wake() {
    // One that is full wakes as well.
    withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
      byte[0] = 0
      _ = write(writing, byte.baseAddress, 1)
    }
  }

  /// Returns when it was woken, the descriptor is readable, or the time is over.
  ///
  /// - Parameter descriptor: negative for none.
  func wait(for descriptor: Int32, atMost limit: Duration) {
    let milliseconds = (max(0, limit.wholeNanoseconds) + 999_999) / 1_000_000
    var polled = [
      pollfd(fd: reading, events: Int16(POLLIN), revents: 0),
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&polled, 2, Int32(clamping: milliseconds)) > 0, polled[0].revents != 0 else { return }
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
      while read(reading, buffer.baseAddress, buffer.count) == buffer.count {}
    }
  }
}
