internal import Glibc
internal import GridCore
internal import Synchronization

@testable internal import GridCommands

/// A file without a name: gone with its descriptor, whatever becomes of the test.
final class NamelessFile: Sendable {
  let descriptor: Int32

  init(_ content: [UInt8] = []) {
    var path = Array("/tmp/gridctl-test-XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    unlink(path)
    _ = write(descriptor, content, content.count)
    lseek(descriptor, 0, SEEK_SET)
  }

  deinit { close(descriptor) }

  var bytes: [UInt8] {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while case let count = pread(descriptor, &chunk, chunk.count, off_t(content.count)), count > 0 {
      content += chunk[..<count]
    }
    return content
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// What a writer writes, to be looked at.
struct Capture {
  let output = NamelessFile()
  let error = NamelessFile()
  let writer: OutputWriter

  init(_ environment: [String: String] = [:]) {
    writer = OutputWriter(output: output.descriptor, error: error.descriptor, environment: environment)
  }

  /// The standard output of what `body` does with a renderer of this format.
  static func output(
    _ format: OutputFormat, hidesHeaders: Bool = false, color: ColorMode = .auto, _ environment: [String: String] = [:],
    _ body: (Renderer) throws -> Void
  ) rethrows -> String {
    let capture = Capture(environment)
    try body(Renderer(format: format, hidesHeaders: hidesHeaders, color: color, writer: capture.writer))
    return capture.output.text
  }
}

/// A pipe, for the time of `body`; either end may be closed before.
func withPipe<Result>(_ body: (PipeEnds) async throws -> Result) async throws -> Result {
  var ends: [Int32] = [-1, -1]
  guard pipe(&ends) == 0 else { throw GridError(.software, "no pipe") }
  let pipe = PipeEnds(reading: ends[0], writing: ends[1])
  defer {
    pipe.closeReading()
    pipe.closeWriting()
  }
  return try await body(pipe)
}

/// Both ends of a pipe. Each is closed once, however often it is asked for: its number may be another file's by then.
final class PipeEnds: Sendable {
  let reading: Int32
  let writing: Int32
  private let readingIsOpen = Mutex(true)
  private let writingIsOpen = Mutex(true)

  init(reading: Int32, writing: Int32) {
    self.reading = reading
    self.writing = writing
  }

  func closeReading() {
    readingIsOpen.withLock { isOpen in
      if isOpen { close(reading) }
      isOpen = false
    }
  }

  func closeWriting() {
    writingIsOpen.withLock { isOpen in
      if isOpen { close(writing) }
      isOpen = false
    }
  }
}

/// A clock that stands still until it is moved.
struct StoppedClock: GridClock {
  let time: @Sendable () -> MonotonicTime

  func now() -> MonotonicTime { time() }
  func date() -> CalendarTime { CalendarTime(millisecondsSince1970: 0) }
}
