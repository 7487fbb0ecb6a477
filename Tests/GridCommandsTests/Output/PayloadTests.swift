internal import Glibc
internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct PayloadTests {
  /// A name of an open file, for as long as it is open.
  private func path(_ file: NamelessFile) -> String { "/proc/self/fd/\(file.descriptor)" }

  @Test func `a body is a text standard input or a file`() throws {
    let file = NamelessFile(Array("from\0a file\r\n".utf8))
    #expect(try Payload.read(nil) == [])
    #expect(try Payload.read("") == [])
    #expect(try Payload.read("2^10") == Array("2^10".utf8))
    #expect(try Payload.read("--", input: file.descriptor) == Array("--".utf8))
    #expect(try Payload.read("@" + path(file)) == Array("from\0a file\r\n".utf8))
    #expect(try Payload.read("-", input: file.descriptor) == Array("from\0a file\r\n".utf8))
  }

  @Test func `a file that cannot be read is named`() throws {
    let faults = [
      "@/no/such/file": "No such file or directory", "@/": "it is a directory", "@": "No such file or directory",
    ]
    for (argument, reason) in faults {
      let error = try #require(throws: GridError.self) { try Payload.read(argument) }
      #expect(error.code == .noInput)
      #expect(error.message == "cannot read \"\(argument.dropFirst())\": \(reason)")
    }
    #expect(throws: GridError(.noInput, "")) { try Payload.read("-", input: -1) }
  }

  @Test func `a body over the limit is told with both sizes`() throws {
    let file = NamelessFile([UInt8](repeating: 0x61, count: 101))
    let errors = try ["@" + path(file), String(repeating: "a", count: 101)].map { argument in
      try #require(throws: GridError.self) { try Payload.read(argument, limit: 100) }
    }
    for error in errors {
      #expect(error.code == .undecodable)
      #expect(error.message.hasSuffix("has 101 bytes; a message carries at most 100"))
    }
    #expect(try Payload.read("@" + path(file), limit: 101).count == 101)
  }

  @Test func `what has no end is not read to it`() throws {
    for argument in ["@/dev/zero", "-"] {
      let zero = open("/dev/zero", O_RDONLY | O_CLOEXEC)
      defer { close(zero) }
      let error = try #require(throws: GridError.self) { try Payload.read(argument, input: zero, limit: 1 << 20) }
      #expect(error.message.hasSuffix("has more than 1048576 bytes; a message carries at most 1048576"))
    }
  }

  @Test func `a large file is refused before it is read`() throws {
    let file = NamelessFile()
    // A hole: reading it would take far longer than any test may.
    #expect(ftruncate(file.descriptor, 1 << 42) == 0)
    let error = try #require(throws: GridError.self) { try Payload.read("@" + path(file)) }
    #expect(error.message.contains("has \(1 << 42) bytes"))
  }
}

@Suite struct LineInputTests {
  /// All lines of an input, however it is cut into chunks.
  private static func lines(_ text: String, chunk: Int, limit: Int = 100) -> (lines: [String], fault: GridError?) {
    var cutter = LineCutter(limit: limit)
    var lines: [InputLine] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let (more, fault) = Array(rest.prefix(chunk)).withUnsafeBytes { cutter.take($0) }
      lines += more
      if let fault { return (lines.map { String(decoding: $0.bytes, as: UTF8.self) }, fault) }
      rest = rest.dropFirst(chunk)
    }
    if let last = cutter.finish() { lines.append(last) }
    #expect(lines.map(\.number) == Array(1...max(1, lines.count)).prefix(lines.count).map { $0 })
    return (lines.map { String(decoding: $0.bytes, as: UTF8.self) }, nil)
  }

  @Test func `lines are cut at line feeds and nowhere else`() {
    let inputs: [(String, [String])] = [
      ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n\na\n", ["", "", "a"]),
      ("a\r\nb\0c\r\n", ["a\r", "b\0c\r"]), ("日本\n語", ["日本", "語"]),
    ]
    for (text, expected) in inputs {
      for chunk in 1...8 {
        #expect(Self.lines(text, chunk: chunk).lines == expected, "\(text.debugDescription) by \(chunk)")
      }
    }
  }

  @Test func `a line over the limit is told with its number after those before it`() throws {
    for chunk in [1, 3, 100] {
      let (lines, fault) = Self.lines("ok\n12345\n123456\nnever\n", chunk: chunk, limit: 5)
      #expect(lines == ["ok", "12345"])
      #expect(fault?.code == .undecodable && fault?.message == "line 3 is longer than 5 bytes")
    }
    #expect(Self.lines("12345", chunk: 2, limit: 5).fault == nil)
    #expect(Self.lines("123456", chunk: 2, limit: 5).fault?.message == "line 1 is longer than 5 bytes")
  }

  @Test func `a feed gives every line in order and then the end`() async throws {
    let text = (1...50_000).map { "line \($0)\n" }.joined()
    let file = NamelessFile(Array(text.utf8))
    let feed = try LineFeed(descriptor: file.descriptor)
    for number in 1...50_000 {
      let line = try await feed.next()
      guard line == InputLine(number: number, bytes: Array("line \(number)".utf8)) else {
        Issue.record("line \(number) is \(String(describing: line))")
        return
      }
    }
    #expect(try await feed.next() == nil)
    #expect(try await feed.next() == nil)
  }

  @Test func `a line comes as soon as it is complete`() async throws {
    try await withPipe { pipe in
      let feed = try LineFeed(descriptor: pipe.reading)
      for number in 1...100 {
        // Each write ends a line and begins the next.
        let text = "\(number)\nhalf "
        _ = write(pipe.writing, text, text.utf8.count)
        let expected = (number == 1 ? "" : "half ") + "\(number)"
        #expect(try await feed.next() == InputLine(number: number, bytes: Array(expected.utf8)))
      }
      pipe.closeWriting()
      #expect(try await feed.next() == InputLine(number: 101, bytes: Array("half ".utf8)))
      #expect(try await feed.next() == nil)
    }
  }

  @Test func `a feed that nobody reads stops reading`() async throws {
    try await withPipe { pipe in
      _ = fcntl(pipe.writing, F_SETFL, O_NONBLOCK)
      let feed = try LineFeed(descriptor: pipe.reading)
      let chunk = [UInt8](repeating: 0x0A, count: 4096)
      var written = 0
      // Full, and still full after time to drain: nothing takes from it any more. A feed without a bound takes all.
      var refusals = 0
      while refusals < 20, written < 1 << 20 {
        let count = write(pipe.writing, chunk, chunk.count)
        written += max(0, count)
        refusals = count > 0 ? 0 : refusals + 1
        if refusals > 0 { try await Task.sleep(for: .milliseconds(5)) }
      }
      #expect(written < 1 << 20)
      pipe.closeWriting()
      var count = 0
      while try await feed.next() != nil { count += 1 }
      #expect(count == written)
    }
  }

  @Test func `a fault is told once after the lines before it`() async throws {
    let file = NamelessFile(Array("a\n123456\nb\n".utf8))
    let feed = try LineFeed(descriptor: file.descriptor, lineLimit: 5)
    #expect(try await feed.next()?.number == 1)
    await #expect(throws: GridError(.undecodable, "")) { try await feed.next() }
    #expect(try await feed.next() == nil)
    let closed = try LineFeed(descriptor: 1 << 20)
    await #expect(throws: GridError(.inputOutput, "")) { try await closed.next() }
  }

  @Test func `waiting ends with the task or the feed`() async throws {
    try await withPipe { pipe in
      let feed = try LineFeed(descriptor: pipe.reading)
      let ended = await withTaskGroup(of: Result<InputLine?, GridError>.self) { group in
        group.addTask { await Self.next(feed) }
        group.cancelAll()
        return await group.next()
      }
      guard case .failure(let error) = ended else { return _ = Issue.record("it went on") }
      #expect(error.code == .cancelled)
      let other = try LineFeed(descriptor: pipe.reading)
      async let line = Self.next(other)
      other.close()
      #expect(try await line.get() == nil)
    }
  }

  private static func next(_ feed: LineFeed) async -> Result<InputLine?, GridError> {
    do throws(GridError) { return .success(try await feed.next()) } catch { return .failure(error) }
  }
}
