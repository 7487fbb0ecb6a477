internal import Glibc
internal import GridCommands
internal import GridCore
internal import Synchronization

/// Standard output and standard error of a session on a terminal: knows whether the last line is finished, so that
/// what comes from elsewhere never begins in the middle of one.
///
/// Called from any task; writes one record at a time. A terminal that is held (Ctrl-S) holds who writes to it.
final class Screen: OutputSink {
  private struct State {
    var isAtLineStart = true
  }

  private let state = Mutex(State())
  private let descriptors = DescriptorSink()

  init() {}

  var outputIsTerminal: Bool { descriptors.outputIsTerminal }
  var errorIsTerminal: Bool { descriptors.errorIsTerminal }
  var terminalWidth: Int? { descriptors.terminalWidth }

  func output(_ bytes: [UInt8]) throws(GridError) {
    // Written under the lock: a record is one piece on the screen.
    let result = state.withLock { state -> Result<Void, GridError> in
      do throws(GridError) {
        try descriptors.output(bytes)
        if let last = bytes.last { state.isAtLineStart = last == 0x0A }
        return .success(())
      } catch { return .failure(error) }
    }
    try result.get()
  }

  func error(_ bytes: [UInt8]) {
    state.withLock { state in
      descriptors.error(bytes)
      if let last = bytes.last, errorIsTerminal { state.isAtLineStart = last == 0x0A }
    }
  }

  /// Writes whole lines of their own, after what is unfinished.
  func lines(_ text: String) {
    state.withLock { state in
      try? descriptors.output(Array(((state.isAtLineStart ? "" : "\n") + text).utf8))
      state.isAtLineStart = true
    }
  }

  /// The terminal itself has written into the line: the sign of a key.
  func wroteKey() { state.withLock { $0.isAtLineStart = false } }

  /// Finishes a line that a command left unfinished, so that the prompt has a line of its own.
  func finishLine() { lines("") }

  /// Lines of the terminal, nil when standard output is none.
  var terminalHeight: Int? {
    var size = winsize()
    guard outputIsTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return Int(size.ws_row)
  }
}
