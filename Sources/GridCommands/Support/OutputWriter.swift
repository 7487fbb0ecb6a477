internal import Glibc
internal import GridCore
internal import Synchronization

/// Writes to standard output and standard error with `write(2)`, whole records at a time, and notices when nobody
/// reads.
final class OutputWriter: Sendable {
  static let shared = OutputWriter()

  /// Whether standard output, or standard error, is a terminal.
  let outputIsTerminal = isatty(1) == 1
  let errorIsTerminal = isatty(2) == 1

  private let progressIsShown = Mutex(false)

  /// - Throws: ``GridError/Code/brokenPipe`` when the reader has gone, ``GridError/Code/inputOutput`` otherwise.
  func output(_ text: String) throws(GridError) { try write(Array(text.utf8), to: 1, "standard output") }

  func output(_ bytes: [UInt8]) throws(GridError) { try write(bytes, to: 1, "standard output") }

  /// Writes a line to standard error; a failure there has nowhere to be told.
  func error(_ line: String) {
    clearProgress()
    try? write(Array((line + "\n").utf8), to: 2, "standard error")
  }

  /// Replaces the progress line on a terminal.
  func progress(_ line: String) {
    guard errorIsTerminal else { return }
    progressIsShown.withLock { $0 = true }
    try? write(Array("\r\u{1B}[K\(line)".utf8), to: 2, "standard error")
  }

  func clearProgress() {
    let wasShown = progressIsShown.withLock { shown in
      defer { shown = false }
      return shown
    }
    if wasShown { try? write(Array("\r\u{1B}[K".utf8), to: 2, "standard error") }
  }

  /// Columns of the terminal, nil when standard output is none.
  var terminalWidth: Int? {
    guard outputIsTerminal else { return nil }
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32, _ place: String) throws(GridError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = Glibc.poll(&poll, 1, -1)
      case EPIPE: throw GridError(.brokenPipe, "\(place) is closed")
      default: throw GridError(.inputOutput, "cannot write to \(place): \(String(cString: strerror(errno)))")
      }
    }
  }
}
