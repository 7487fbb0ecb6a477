@preconcurrency internal import Dispatch  // its sources are not marked as Sendable, and are used from one place
internal import Glibc
internal import GridCore
internal import Synchronization

/// The terminal for a full-screen display: single keys, no echo, a screen of its own; put back at the end.
final class RawTerminal: Sendable {
  private let before: termios
  private let writer: OutputWriter

  private static let enter = "\u{1B}[?1049h\u{1B}[?25l"
  private static let leave = "\u{1B}[?25h\u{1B}[?1049l"

  /// - Throws: ``GridError/Code/inputOutput`` when standard input is no terminal.
  init(writer: OutputWriter) throws(GridError) {
    var current = termios()
    guard tcgetattr(0, &current) == 0 else {
      throw GridError(.inputOutput, "standard input is no terminal", hint: "pass --once")
    }
    before = current
    self.writer = writer
    CommandEnvironment.takeScreen(true)
    // Ctrl-C and Ctrl-Z come as keys, so that the screen can be put back first.
    current.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    tcsetattr(0, TCSANOW, &current)
    try writer.output(Self.enter)
  }

  /// Puts the terminal back as it was.
  func restore() {
    CommandEnvironment.takeScreen(false)
    try? writer.output(Self.leave)
    var settings = before
    tcsetattr(0, TCSANOW, &settings)
  }

  /// Gives the terminal back, stops this process as Ctrl-Z does, and takes the terminal again when it goes on.
  func suspend() {
    restore()
    kill(0, SIGTSTP)
    CommandEnvironment.takeScreen(true)
    var current = before
    current.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    tcsetattr(0, TCSANOW, &current)
    try? writer.output(Self.enter)
  }

  /// Draws a screen: every line anew, nothing cleared first, so that nothing flickers.
  func draw(_ lines: [String]) throws(GridError) {
    let height = writer.outputHeight ?? 24
    let shown = lines.prefix(max(1, height - 1))
    try writer.output("\u{1B}[H" + shown.map { $0 + "\u{1B}[K\r\n" }.joined() + "\u{1B}[J")
  }

  /// The keys that are pressed; ends when the terminal is gone.
  static func keys() -> AsyncStream<TerminalKey> {
    AsyncStream(bufferingPolicy: .bufferingOldest(64)) { continuation in
      let decoder = Mutex(TerminalKeyDecoder())
      nonisolated(unsafe) let source = DispatchSource.makeReadSource(fileDescriptor: 0)  // ended once, by the stream
      source.setEventHandler {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(0, &bytes, bytes.count)
        guard count > 0 else { return continuation.finish() }
        for key in decoder.withLock({ $0.take(bytes[..<count]) }) { continuation.yield(key) }
      }
      source.resume()
      continuation.onTermination = { _ in source.cancel() }
    }
  }
}
