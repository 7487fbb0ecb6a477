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
  ///   - options: the command's: `--timeout`, when it was given, bounds the reading of a pipe or device as well.
  /// - Throws: ``GridError/Code/noInput`` for a file that cannot be read, ``GridError/Code/undecodable`` for a body
  ///   over the limit, ``GridError/Code/deadline``.
  static func read(
    _ argument: String?, input: Int32 = 0, limit: Int = Message.maximumBodyBytes, options: GlobalOptions? = nil
  ) throws(GridError) -> [UInt8] {
    var purpose = UserFile.Purpose(
      bound: "a message carries at most", limit: limit, excess: .undecodable, takesPipes: true,
      hint: "send it in parts, with --lines, or send a reference to it")
    guard let argument else { return [] }
    if argument == "-" {
      try CommandEnvironment.claimStandardInput()
      if input == 0 { StandardInput.announce("all of it is the body", isQuiet: options?.quiet ?? false) }
      return try UserFile.readAll(input, "standard input", as: purpose)
    }
    guard argument.hasPrefix("@") else {
      guard argument.utf8.count <= limit else {
        throw UserFile.tooLarge("the body", argument.utf8.count, purpose)
      }
      return Array(argument.utf8)
    }
    purpose.patience = try options?.timeout.map { text throws(GridError) in try Duration.argument(text) }
    do throws(GridError) {
      return try UserFile.read(String(argument.dropFirst()), as: purpose)
    } catch {
      guard error.code == .noInput, error.hint == nil || error.hint == purpose.hint else { throw error }
      throw GridError(
        error.code, error.message,
        hint: "a body that starts with @ names a file; to send such a text, write it to standard input and pass -")
    }
  }

  /// The message with its content type: text when the body is UTF-8, else bytes.
  static func message(_ bytes: [UInt8], type: String, headers: [KeyValueArgument]) -> Message {
    let isText = String(validating: bytes, as: UTF8.self) != nil
    return Message(
      body: bytes, contentType: isText ? .text : .bytes, type: type,
      headers: headers.map { Message.Header($0.key, $0.value) })
  }
}
