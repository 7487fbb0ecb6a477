internal import Glibc
package import GridCore

/// Where what commands write goes: the process's standard output and error, or wherever a session of many commands
/// wants it.
///
/// Called from any task. A sink that cannot take more waits; it never drops.
package protocol OutputSink: Sendable {
  /// - Throws: ``GridError/Code/brokenPipe`` when the reader has gone, ``GridError/Code/inputOutput`` otherwise.
  func output(_ bytes: [UInt8]) throws(GridError)
  /// Writes what is no result: warnings, errors, progress. A failure there has nowhere to be told.
  func error(_ bytes: [UInt8])
  /// Whether results are read by a person on a terminal.
  var outputIsTerminal: Bool { get }
  /// Whether warnings and progress are read by a person on a terminal.
  var errorIsTerminal: Bool { get }
  /// Columns of the terminal that shows results, nil when there is none.
  var terminalWidth: Int? { get }
  /// Lines of that terminal, nil when there is none.
  var terminalHeight: Int? { get }
  /// Whether nobody can read results any more, known without writing any.
  var readerIsGone: Bool { get }
}

extension OutputSink {
  package var terminalHeight: Int? { nil }
  package var readerIsGone: Bool { false }
}

/// Two descriptors, written with `write(2)`.
package struct DescriptorSink: OutputSink {
  private let outputDescriptor: Int32
  private let errorDescriptor: Int32
  package let outputIsTerminal: Bool
  package let errorIsTerminal: Bool

  package init(output: Int32 = 1, error: Int32 = 2) {
    outputDescriptor = output
    errorDescriptor = error
    outputIsTerminal = isatty(output) == 1
    errorIsTerminal = isatty(error) == 1
  }

  package func output(_ bytes: [UInt8]) throws(GridError) {
    try OutputWriter.writeAll(bytes, to: outputDescriptor, "standard output")
  }

  package func error(_ bytes: [UInt8]) { try? OutputWriter.writeAll(bytes, to: errorDescriptor, "standard error") }

  package var terminalWidth: Int? { terminalSize.flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil } }
  package var terminalHeight: Int? { terminalSize.flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil } }

  package var readerIsGone: Bool {
    // No events asked for: only what is reported unasked, as for a pipe without a reader.
    var state = pollfd(fd: outputDescriptor, events: 0, revents: 0)
    return poll(&state, 1, 0) == 1 && Int32(state.revents) & (POLLERR | POLLHUP) != 0
  }

  /// The size of the terminal that shows results, else of the one that shows remarks.
  private var terminalSize: winsize? {
    var size = winsize()
    for descriptor in [outputDescriptor, errorDescriptor] where isatty(descriptor) == 1 {
      if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 { return size }
    }
    return nil
  }
}
