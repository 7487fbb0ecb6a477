internal import GridCore
internal import Synchronization

/// Writes results and remarks, whole records at a time, and notices when nobody reads.
final class OutputWriter: Sendable {
  private static let standard = OutputWriter(DescriptorSink())

  /// The writer of the command at work: the process's standard output and error, or what a session put in their place.
  static var shared: OutputWriter { CommandEnvironment.current?.writer ?? standard }

  private let sink: any OutputSink
  private let progressIsShown = Mutex(false)

  init(_ sink: any OutputSink) { self.sink = sink }

  /// Whether standard output, or standard error, is a terminal.
  var outputIsTerminal: Bool { sink.outputIsTerminal }
  var errorIsTerminal: Bool { sink.errorIsTerminal }

  /// - Throws: ``GridError/Code/brokenPipe`` when the reader has gone, ``GridError/Code/inputOutput`` otherwise.
  func output(_ text: String) throws(GridError) { try sink.output(Array(text.utf8)) }

  func output(_ bytes: [UInt8]) throws(GridError) { try sink.output(bytes) }

  /// Writes a line to standard error; a failure there has nowhere to be told.
  func error(_ line: String) {
    clearProgress()
    sink.error(Array((line + "\n").utf8))
  }

  /// Replaces the progress line on a terminal.
  func progress(_ line: String) {
    guard errorIsTerminal else { return }
    progressIsShown.withLock { $0 = true }
    sink.error(Array("\r\u{1B}[K\(line)".utf8))
  }

  func clearProgress() {
    let wasShown = progressIsShown.withLock { shown in
      defer { shown = false }
      return shown
    }
    if wasShown { sink.error(Array("\r\u{1B}[K".utf8)) }
  }

  /// Columns of the terminal, nil when standard output is none.
  var terminalWidth: Int? { sink.terminalWidth }
}
