internal import Glibc
internal import GridCore

/// The body of a message as the command line gives it: the text itself, `-` for standard input, `@FILE` for a file.
enum Payload {
  /// - Throws: ``GridError/Code/noInput`` for a file that cannot be read, ``GridError/Code/undecodable`` for a body
  /// over
  ///   the limit.
  static func read(_ argument: String?) throws(GridError) -> [UInt8] {
    guard let argument else { return [] }
    if argument == "-" {
      try CommandEnvironment.claimStandardInput()
      return try readAll(0, "standard input")
    }
    guard argument.hasPrefix("@") else { return try checked(Array(argument.utf8), "the body") }
    return try file(
      String(argument.dropFirst()),
      hint: "a body that starts with @ names a file; write it as text through - and standard input")
  }

  /// The bytes of a file, at most as many as a body has.
  static func file(_ path: String, hint: String? = nil) throws(GridError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw GridError(
        .noInput, "cannot read \(path): \(String(cString: strerror(errno)))", hint: hint)
    }
    defer { close(descriptor) }
    return try readAll(descriptor, path)
  }

  private static func readAll(_ descriptor: Int32, _ place: String) throws(GridError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw GridError(.noInput, "cannot read \(place): \(String(cString: strerror(errno)))")
      }
      bytes += chunk[..<count]
      bytes = try checked(bytes, place)
    }
  }

  private static func checked(_ bytes: [UInt8], _ place: String) throws(GridError) -> [UInt8] {
    guard bytes.count <= Message.maximumBodyBytes else {
      throw GridError(
        .undecodable, "\(place) is larger than \(Message.maximumBodyBytes) bytes, the most a message can carry",
        hint: "send it in parts, with --lines, or send a reference to it")
    }
    return bytes
  }

  /// Text when it is UTF-8, else bytes.
  static func message(_ bytes: [UInt8], type: String, headers: [KeyValueArgument]) -> Message {
    let isText = String(validating: bytes, as: UTF8.self) != nil
    return Message(
      body: bytes, contentType: isText ? .text : .bytes, type: type,
      headers: headers.map { Message.Header($0.key, $0.value) })
  }
}

/// Standard input line by line, read by the caller's own thread of execution in large chunks.
struct LineInput {
  private var buffer: [UInt8] = []
  private var start = 0
  private var searched = 0
  private var isAtEnd = false
  private(set) var lineNumber = 0

  /// The next line without its line feed, or nil at the end.
  ///
  /// - Throws: ``GridError/Code/undecodable`` for a line that no message can carry, with its number.
  mutating func next() throws(GridError) -> [UInt8]? {
    if lineNumber == 0 { try CommandEnvironment.claimStandardInput() }
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        defer {
          start = end + 1
          searched = start
        }
        lineNumber += 1
        return Array(buffer[start..<end])
      }
      searched = buffer.count
      if isAtEnd {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        lineNumber += 1
        return Array(buffer[start...])
      }
      guard buffer.count - start <= Message.maximumBodyBytes else {
        throw GridError(
          .undecodable, "line \(lineNumber + 1) is longer than \(Message.maximumBodyBytes) bytes",
          hint: "a line is one message")
      }
      try fill()
    }
  }

  private mutating func fill() throws(GridError) {
    if start > 0 {
      buffer.removeSubrange(..<start)
      searched -= start
      start = 0
    }
    let size = 64 * 1024
    let old = buffer.count
    buffer.append(contentsOf: repeatElement(0, count: size))
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(0, $0.baseAddress.map { $0 + old }, size) }
      if count < 0, errno == EINTR { continue }
      buffer.removeLast(size - max(0, count))
      if count < 0 { throw GridError(.inputOutput, "cannot read standard input: \(String(cString: strerror(errno)))") }
      isAtEnd = count == 0
      return
    }
  }
}
