internal import Glibc
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import Synchronization

/// Standard output and standard error: writes whole records with `write(2)`, never a part of one, and notices when
/// nobody reads any more.
///
/// A record is written before the call returns, so that a reader in a pipe sees it at once. A reader that is slow holds
/// the caller up; that is the back-pressure. `SIGPIPE` must be ignored, else the process ends at the first write that
/// nobody reads.
final class OutputWriter: Sendable {
  /// The two streams.
  enum Stream: Sendable {
    case output, error
  }

  private static let standard = OutputWriter()

  /// The writer of the command at work: the process's standard output and error, or what a session put in their place.
  static var shared: OutputWriter { CommandEnvironment.current?.writer ?? standard }

  /// Whether standard output is a terminal; `GRIDCTL_FORCE_TTY` says so without one.
  let outputIsTerminal: Bool
  /// Whether standard error is a terminal; `GRIDCTL_FORCE_TTY` says so without one.
  let errorIsTerminal: Bool

  private let sink: any OutputSink
  private let environment: [String: String]
  // One record after the other, whichever task it comes from.
  private let outputLock = Mutex(())
  private let progressIsShown = Mutex(false)

  private static let clearLine = "\r\u{1B}[K"

  /// Writes to descriptors, which are not closed by the writer.
  convenience init(
    output: Int32 = 1, error: Int32 = 2, environment: [String: String] = ProcessEnvironment.variables
  ) {
    self.init(DescriptorSink(output: output, error: error), environment: environment)
  }

  init(_ sink: any OutputSink, environment: [String: String] = ProcessEnvironment.variables) {
    self.sink = sink
    self.environment = environment
    let isForced = !["", "0"].contains(environment["GRIDCTL_FORCE_TTY"] ?? "")
    outputIsTerminal = isForced || sink.outputIsTerminal
    errorIsTerminal = isForced || sink.errorIsTerminal
  }

  /// Writes a record to standard output, as it is.
  ///
  /// - Throws: ``GridError/Code/brokenPipe`` when the reader has gone, ``GridError/Code/inputOutput`` otherwise.
  func output(_ text: String) throws(GridError) {
    try output(Array(text.utf8))
  }

  /// Writes bytes to standard output, as they are.
  ///
  /// - Throws: ``GridError/Code/brokenPipe`` when the reader has gone, ``GridError/Code/inputOutput`` otherwise.
  func output(_ bytes: [UInt8]) throws(GridError) {
    if outputIsTerminal { clearProgress() }
    try outputLock.withLock { (_) throws(GridError) in
      try sink.output(bytes)
    }
  }

  /// Writes bytes of others to standard output: as they are, byte for byte, but for a terminal with everything escaped
  /// that it would act on.
  ///
  /// - Throws: ``GridError/Code/brokenPipe`` when the reader has gone, ``GridError/Code/inputOutput`` otherwise.
  func foreign(_ bytes: [UInt8]) throws(GridError) {
    try output(outputIsTerminal ? Array(TerminalText.lines(bytes).utf8) : bytes)
  }

  /// Writes text that has words of others in it to standard output, as ``foreign(_:)-([UInt8])`` does.
  func foreign(_ text: String) throws(GridError) {
    try output(outputIsTerminal ? TerminalText.lines(text) : text)
  }

  /// Writes a remark to standard error; what a terminal would act on is escaped.
  func remark(_ text: String) { error(TerminalText.lines(text)) }

  /// Writes a line to standard error as it is, colours and all; text of others goes to ``remark(_:)``. A failure there
  /// has nowhere to be told.
  func error(_ line: String) {
    progressIsShown.withLock { isShown in
      writeError((isShown ? Self.clearLine : "") + line + "\n")
      isShown = false
    }
  }

  /// Writes a question to standard error and leaves the cursor behind it; what a terminal would act on is escaped.
  func prompt(_ text: String) {
    clearProgress()
    writeError(TerminalText.lines(text))
  }

  /// Writes a warning to standard error; what a terminal would act on is escaped.
  func warning(_ text: String) { error("warning: \(TerminalText.printable(text))") }

  /// Puts a line in place of the progress line, which other output to the terminal takes away. Nothing happens where
  /// standard error is no terminal.
  func progress(_ line: String) {
    guard errorIsTerminal else { return }
    let line = TerminalText.printable(line)
    let fitting = width.map { TerminalText.truncated(line, to: max(0, $0 - 1)) } ?? line
    progressIsShown.withLock { isShown in
      writeError(Self.clearLine + fitting)
      isShown = true
    }
  }

  /// Takes the progress line away, if there is one.
  func clearProgress() {
    progressIsShown.withLock { isShown in
      if isShown { writeError(Self.clearLine) }
      isShown = false
    }
  }

  /// - Throws: ``GridError/Code/brokenPipe`` once nobody reads results any more, `CancellationError` when the task is
  ///   cancelled. Never returns: what is cancelled has not ended well.
  func untilReaderIsGone() async throws {
    while true {
      if sink.readerIsGone { throw GridError(.brokenPipe, "standard output is closed") }
      try await ProcessTimers.shared.pause(for: .milliseconds(250))
    }
  }

  private func writeError(_ text: String) { sink.error(Array(text.utf8)) }
}

// MARK: - The terminal

extension OutputWriter {
  /// Whether a stream gets colour.
  func allowsColor(on stream: Stream, _ mode: ColorMode) -> Bool {
    let isTerminal = stream == .output ? outputIsTerminal : errorIsTerminal
    return mode.allowsColor(isTerminal: isTerminal, environment: environment)
  }

  /// Terminal cells of a line of standard output; nil when it is no terminal and lines are never cut.
  var outputWidth: Int? { outputIsTerminal ? width : nil }

  /// Lines of standard output's terminal; nil when it is none.
  var outputHeight: Int? {
    guard outputIsTerminal else { return nil }
    if let lines = environment["LINES"].flatMap({ Int($0) }), lines > 0 { return lines }
    return sink.terminalHeight
  }

  /// `COLUMNS` where the user has set it, else what the terminal says, which may have changed since it was last asked.
  private var width: Int? {
    if let columns = environment["COLUMNS"].flatMap({ Int($0) }), columns > 0 { return columns }
    return sink.terminalWidth
  }
}

// MARK: - Descriptors

extension OutputWriter {
  /// Writes all bytes, however many calls it takes.
  ///
  /// - Throws: ``GridError/Code/brokenPipe`` when the reader has gone, ``GridError/Code/inputOutput`` otherwise.
  static func writeAll(_ bytes: [UInt8], to descriptor: Int32, _ place: String) throws(GridError) {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        written += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Somebody who shares the terminal or pipe with us has made it non-blocking.
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&ready, 1, -1)
      case EPIPE: throw GridError(.brokenPipe, "\(place) is closed")
      default: throw GridError(.inputOutput, "cannot write to \(place): \(String(cString: strerror(errno)))")
      }
    }
  }

  /// Fills the places of standard descriptors that the process was started without. To be called before anything is
  /// opened: the next file or connection would take the place, and results would be written into it.
  ///
  /// Opened the wrong way round, so that reading and writing there still fails.
  static func fillMissingDescriptors() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) == -1 {
      _ = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
    }
  }
}
