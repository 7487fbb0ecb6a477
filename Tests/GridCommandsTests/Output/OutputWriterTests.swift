internal import Glibc
internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct OutputWriterTests {
  init() { signal(SIGPIPE, SIG_IGN) }

  @Test func `a reader that went away is a broken pipe`() async throws {
    try await withPipe { pipe in
      let writer = OutputWriter(output: pipe.writing, error: 2, environment: [:])
      try writer.output("one\n")
      pipe.closeReading()
      #expect(throws: GridError(.brokenPipe, "")) { try writer.output("two\n") }
    }
  }

  @Test func `a full disk is named`() throws {
    let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
    defer { close(full) }
    let error = try #require(throws: GridError.self) {
      try OutputWriter(output: full, error: 2, environment: [:]).output("x")
    }
    #expect(error.code == .inputOutput)
    #expect(error.message == "cannot write to standard output: No space left on device")
  }

  @Test func `a descriptor that does not wait is waited for and gets every byte`() async throws {
    // Far more than a pipe holds: the writer has to wait for the reader.
    let record = (0..<400_000).map { UInt8($0 % 251) }
    try await withPipe { pipe in
      _ = fcntl(pipe.writing, F_SETFL, O_NONBLOCK)
      let writer = OutputWriter(output: pipe.writing, error: 2, environment: [:])
      let thread = try WorkerThread {
        try? writer.output(record)
        pipe.closeWriting()
      }
      var received: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 10_000)
      while case let count = read(pipe.reading, &chunk, chunk.count), count > 0 { received += chunk[..<count] }
      thread.join()
      #expect(received == record)
    }
  }

  @Test func `progress is taken away by what is written after it`() throws {
    let capture = Capture(["GRIDCTL_FORCE_TTY": "1", "COLUMNS": "10"])
    capture.writer.progress("1234567890123")
    capture.writer.error("told")
    capture.writer.progress("5 lines")
    try capture.writer.output("result\n")
    capture.writer.clearProgress()
    #expect(capture.error.text == "\r\u{1B}[K12345678…\r\u{1B}[Ktold\n\r\u{1B}[K5 lines\r\u{1B}[K")
    #expect(capture.output.text == "result\n")
  }

  @Test func `without a terminal there is no progress`() {
    let capture = Capture()
    capture.writer.progress("5 lines")
    capture.writer.clearProgress()
    #expect(capture.error.text == "")
  }

  @Test func `records of many tasks stay whole`() async throws {
    let capture = Capture()
    let writer = capture.writer
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for _ in 0..<200 { try writer.output(String(repeating: "\(task)", count: 300) + "\n") }
        }
      }
      try await group.waitForAll()
    }
    let lines = capture.output.text.split(separator: "\n")
    #expect(lines.count == 1600)
    #expect(lines.allSatisfy { $0.count == 300 && Set($0).count == 1 })
  }
}

/// A thread that is waited for.
final class WorkerThread {
  private final class Work {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  private var thread = pthread_t()

  init(_ body: @escaping @Sendable () -> Void) throws {
    let work = Unmanaged.passRetained(Work(body))
    let result = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    try #require(result == 0)
  }

  func join() { pthread_join(thread, nil) }
}
