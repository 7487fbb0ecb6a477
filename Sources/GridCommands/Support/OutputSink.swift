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
    try Self.write(bytes, to: outputDescriptor, "standard output")
  }

  package func error(_ bytes: [UInt8]) { try? Self.write(bytes, to: errorDescriptor, "standard error") }

  package var terminalWidth: Int? {
    guard outputIsTerminal else { return nil }
    var size = winsize()
    guard ioctl(outputDescriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32, _ place: String) throws(GridError) {
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
