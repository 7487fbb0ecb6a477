internal import Glibc
internal import GridCore

/// The body of a message as the command line gives it: the text itself, `-` for standard input, `@FILE` for a file.
enum Payload {
  /// The body's bytes. Standard input is read for the literal `-` alone; reading waits for its end, so call this before
  /// there is a connection whose time would run out.
  ///
  /// - Parameters:
  ///   - argument: what was typed; nil is an empty body.
  ///   - input: the descriptor that `-` stands for.
  ///   - limit: the longest body; nothing beyond it is read.
  /// - Throws: ``GridError/Code/noInput`` for a file that cannot be read, ``GridError/Code/undecodable`` for a body
  ///   over the limit.
  static func read(
    _ argument: String?, input: Int32 = 0, limit: Int = Message.maximumBodyBytes
  ) throws(GridError) -> [UInt8] {
    guard let argument else { return [] }
    if argument == "-" {
      try CommandEnvironment.claimStandardInput()
      return try readAll(input, "standard input", limit: limit)
    }
    guard argument.hasPrefix("@") else {
      guard argument.utf8.count <= limit else { throw tooLarge("the body", argument.utf8.count, limit) }
      return Array(argument.utf8)
    }
    return try file(
      String(argument.dropFirst()), limit: limit,
      hint: "a body that starts with @ names a file; to send such a text, write it to standard input and pass -")
  }

  /// The bytes of a file.
  ///
  /// - Throws: ``GridError/Code/noInput`` when it cannot be read, ``GridError/Code/undecodable`` over the limit.
  static func file(
    _ path: String, limit: Int = Message.maximumBodyBytes, hint: String? = nil
  ) throws(GridError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw GridError(
        .noInput, "cannot read \(NameRules.quoted(path)): \(String(cString: strerror(errno)))", hint: hint)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw GridError(.noInput, "cannot read \(NameRules.quoted(path)): \(String(cString: strerror(errno)))")
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      throw GridError(.noInput, "cannot read \(NameRules.quoted(path)): it is a directory", hint: hint)
    }
    if status.st_mode & S_IFMT == S_IFREG, status.st_size > limit {
      throw tooLarge(NameRules.quoted(path), Int(status.st_size), limit)
    }
    return try readAll(descriptor, NameRules.quoted(path), limit: limit)
  }

  /// Reads to the end. What says no size before it is read has its size told as “more than”.
  private static func readAll(_ descriptor: Int32, _ place: String, limit: Int) throws(GridError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes += chunk[..<count]
        guard bytes.count <= limit else { throw tooLarge(place, nil, limit) }
      } else if errno == EAGAIN {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&ready, 1, -1)
      } else if errno != EINTR {
        throw GridError(.noInput, "cannot read \(place): \(String(cString: strerror(errno)))")
      }
    }
  }

  private static func tooLarge(_ place: String, _ size: Int?, _ limit: Int) -> GridError {
    GridError(
      .undecodable,
      "\(place) has \(size.map { "\($0)" } ?? "more than \(limit)") bytes; a message carries at most \(limit)",
      hint: "send it in parts, with --lines, or send a reference to it")
  }

  /// The message with its content type: text when the body is UTF-8, else bytes.
  static func message(_ bytes: [UInt8], type: String, headers: [KeyValueArgument]) -> Message {
    let isText = String(validating: bytes, as: UTF8.self) != nil
    return Message(
      body: bytes, contentType: isText ? .text : .bytes, type: type,
      headers: headers.map { Message.Header($0.key, $0.value) })
  }
}
