internal import Glibc
internal import GridCommands
internal import GridCore
internal import Synchronization

/// Shows no results, only what is wrong.
struct MutedSink: OutputSink {
  let errors: any OutputSink

  var outputIsTerminal: Bool { false }
  var errorIsTerminal: Bool { errors.errorIsTerminal }
  var terminalWidth: Int? { nil }

  func output(_ bytes: [UInt8]) throws(GridError) {}
  func error(_ bytes: [UInt8]) { errors.error(bytes) }
}

/// Results go to a descriptor of a pipe or a file, remarks to the screen.
///
/// Writing to a program that does not read holds the command, as in any shell.
final class RedirectedSink: OutputSink {
  private let descriptor: Int32
  private let target: DescriptorSink
  private let errors: any OutputSink

  init(descriptor: Int32, errors: any OutputSink) {
    self.descriptor = descriptor
    target = DescriptorSink(output: descriptor)
    self.errors = errors
  }

  deinit { Glibc.close(descriptor) }

  var outputIsTerminal: Bool { false }
  var errorIsTerminal: Bool { errors.errorIsTerminal }
  var terminalWidth: Int? { nil }

  func output(_ bytes: [UInt8]) throws(GridError) { try target.output(bytes) }
  func error(_ bytes: [UInt8]) { errors.error(bytes) }
}

/// Keeps what is written, to be shown in one piece.
///
/// Bounded: what comes beyond ``limit`` is cut off, and the cut is shown.
final class BufferedSink: OutputSink {
  static let limit = 4 * 1024 * 1024

  struct Contents: Sendable {
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var isCut = false
  }

  private let state = Mutex(Contents())
  let outputIsTerminal: Bool
  let terminalWidth: Int?
  var errorIsTerminal: Bool { false }

  /// - Parameter screen: where it will be shown.
  init(for screen: any OutputSink) {
    outputIsTerminal = screen.outputIsTerminal
    terminalWidth = screen.terminalWidth
  }

  func output(_ bytes: [UInt8]) throws(GridError) { append(bytes, \.output) }
  func error(_ bytes: [UInt8]) { append(bytes, \.errors) }

  private func append(_ bytes: [UInt8], _ part: WritableKeyPath<Contents, [UInt8]>) {
    state.withLock { state in
      guard state.output.count + state.errors.count + bytes.count <= Self.limit else {
        state.isCut = true
        return
      }
      state[keyPath: part] += bytes
    }
  }

  var contents: Contents { state.withLock { $0 } }

  /// Writes what was kept.
  ///
  /// - Throws: what the sink throws.
  func flush(to sink: any OutputSink) throws(GridError) {
    let contents = contents
    if !contents.output.isEmpty { try sink.output(contents.output) }
    if !contents.errors.isEmpty { sink.error(contents.errors) }
    if contents.isCut { sink.error(Array("warning: output beyond \(Self.limit) bytes was cut off\n".utf8)) }
  }
}

extension OutputSink {
  /// Writes a line of results.
  func line(_ text: String) throws(GridError) { try output(Array((text + "\n").utf8)) }

  /// Writes a line of remarks.
  func remark(_ text: String) { error(Array((text + "\n").utf8)) }
}
