internal import GridCore

/// An `exec` actor that speaks lines: a body out as one line, one line back.
final class LineExecBehavior: ActorBehavior {
  private let child: ExecChild

  init(_ specification: ExecSpecification, _ environment: ExecEnvironment) {
    child = ExecChild(specification, environment)
  }

  func started(_ context: ActorContext) async throws {
    try await child.start(context, output: .queue(bytes: 1024 * 1024))
  }

  func receive(_ message: Message, _ context: ActorContext) async throws {
    let line = try Self.line(message.body)
    if child.specification.oneWay {
      if context.isAsked {
        throw GridError(.refused, "\(context.name) never answers: it was spawned with --one-way", hint: "use tell")
      }
      try await child.handle(context) { child in
        if try !child.writeIfRoom(line) { try await child.write(line) }
      }
      return
    }
    let answer = try await child.handle(context) { child in
      try await child.write(line)
      return try await Self.answer(of: child)
    }
    context.reply(Message(body: answer, contentType: Self.contentType(answer), type: ""))
  }

  func stopped(_ context: ActorContext) async { await child.stop() }

  func details() -> [String: JSONValue] { child.details() }

  private static func answer(of child: ChildProcess) async throws -> [UInt8] {
    let line: [UInt8]?
    do throws(GridError) {
      line = try await child.nextLine()
    } catch {
      guard error.code == .undecodable else { throw error }
      throw GridError(.handlerFailed, "the program wrote a line that is too long", cause: error.message)
    }
    guard let line else { throw GridError(.handlerFailed, "no answer") }
    return line
  }

  /// The body as a line: one line feed at its end is taken off, one inside cannot be.
  private static func line(_ body: [UInt8]) throws(GridError) -> [UInt8] {
    guard let feed = body.firstIndex(of: 0x0A) else { return body }
    guard feed == body.count - 1 else {
      throw GridError(
        .undecodable, "a body with line feeds cannot go to a program as one line",
        hint: "send it with --lines, or spawn the actor with --framing json")
    }
    return Array(body.dropLast())
  }

  private static func contentType(_ line: [UInt8]) -> ContentType {
    String(validating: line, as: UTF8.self) == nil ? .bytes : .text
  }
}
