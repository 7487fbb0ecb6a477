internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import Synchronization

/// An `exec` actor that speaks lines: a body out as one line, one line back.
final class LineExecBehavior: ActorBehavior {
  private let child: ExecChild
  private let dialogue = Mutex(LineDialogue())

  init(_ specification: ExecSpecification, _ environment: ExecEnvironment) {
    child = ExecChild(specification, environment)
  }

  func started(_ context: ActorContext) async throws {
    // What a program writes that never answers is for people.
    try await child.start(
      context,
      output: child.specification.oneWay
        ? .sampled { [log = child.log] event in log.take(event, isError: false, context) }
        : .conversation { [self] event in output(event, context) })
  }

  func receive(_ message: Message, _ context: ActorContext) async throws {
    let line = try Self.line(message.body)
    if child.specification.oneWay {
      if context.isAsked { throw GridError.neverAnswers(context.name) }
      return try await child.tell(message, as: line, context)
    }
    let answer = try await child.handle(context) { child in
      let ask = PendingAsk()
      switch dialogue.withLock({ $0.open(ask, line: line, start: child.bytesHandedOver) }) {
      case .refused: throw LineDialogue.outOfStep
      case .whole: try await child.write(line)
      case .inPart:
        let start = child.bytesHandedOver
        try await child.write(part: line)
        try await child.waitUntilReading(from: start)
        dialogue.withLock { $0.begin() }
        try await child.write([])
      }
      return try await ask.reply().body
    }
    context.reply(Message(body: answer, contentType: Self.contentType(answer), type: ""))
  }

  func stopped(_ context: ActorContext) async { await child.stop(context) }

  func vacate(_ gone: @escaping @Sendable () -> Void) { child.vacate(gone) }

  func details() -> [String: JSONValue] { child.details() }

  // MARK: From the program, on the event loop

  private func output(_ event: ChildProcess.OutputEvent, _ context: ActorContext) {
    switch event {
    case .line(let line):
      let bytesRead = child.bytesRead
      perform(dialogue.withLock { $0.take(line, bytesRead: bytesRead) }, context)
    case .quiet: perform(dialogue.withLock { $0.quiet() }, context)
    case .failed(let error):
      let message = "the program wrote a line that is too long"
      end(GridError(.handlerFailed, message, cause: error.message), context)
    case .ended: end(GridError(.handlerFailed, "no answer"), context)
    }
  }

  private func end(_ error: GridError, _ context: ActorContext) {
    // The last line may be an answer.
    perform(dialogue.withLock { $0.quiet() }, context)
    dialogue.withLock { $0.end() }?.resolve(0, .failure(error))
  }

  private func perform(_ action: LineDialogue.Action, _ context: ActorContext) {
    switch action {
    case .none: break
    case .greeting(let line):
      child.log.note("the program wrote, before anything was asked: \(PrintableText.of(line, limit: 1000))", context)
    case .answer(let ask, let line): ask.resolve(0, .reply(Message(body: line)))
    case .giveUp(let ask, let error):
      child.log.note(error.message, isError: true, context)
      child.giveUp(error, context)
      ask?.resolve(0, .failure(error))
    }
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
