internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import Synchronization

/// An `exec` actor that speaks newline-delimited JSON, both ways.
///
/// To the program: `{"message":ID,"ask":true,"body":…,"type":…,"from":…,"headers":{…}}`, and
/// `{"answer":ID,"body":…}` or `{"answer":ID,"error":…}` for what it asked. From the program: `{"reply":ID,"body":…}`,
/// `{"reply":ID,"error":TEXT}`, `{"tell":ACTOR,"body":…}`, `{"ask":ACTOR,"id":ID,"body":…}` and `{"log":TEXT}`. A
/// body is any JSON value; text travels as a string, other bytes as `{"base64":…}`.
final class JSONExecBehavior: ActorBehavior {
  private struct State {
    var nextIdentifier: Int64 = 0
    var awaited: (identifier: Int64, ask: PendingAsk)?
    /// What the program said in answer to the message being handled, when it is an error.
    var refusal: GridError?
  }

  private let child: ExecChild
  private let state = Mutex(State())

  init(_ specification: ExecSpecification, _ environment: ExecEnvironment) {
    child = ExecChild(specification, environment)
  }

  func started(_ context: ActorContext) async throws {
    try await child.start(context, output: .handler { [self] event in output(event, context) })
  }

  func receive(_ message: Message, _ context: ActorContext) async throws {
    guard context.isAsked else {
      return try await child.tell(message, as: Self.envelope(message, nextIdentifier(), context), context)
    }
    if child.specification.oneWay { throw GridError.neverAnswers(context.name) }
    let ask = PendingAsk()
    let identifier = nextIdentifier(awaiting: ask)
    let line = Self.envelope(message, identifier, context)
    let outcome = try await child.handle(context) { child -> ExchangeOutcome in
      try await child.write(line)
      let outcome = await ask.outcome()
      // An error that the program answers is its word, as any other; what became of the program is thrown.
      if let refusal = state.withLock({ $0.refusal.take() }) { return .failure(refusal) }
      return .reply(try outcome.reply())
    }
    switch outcome {
    case .failure(let error): context.fail(error)
    case .reply(let message): context.reply(message)
    case .accepted: break
    }
  }

  private func nextIdentifier(awaiting ask: PendingAsk? = nil) -> Int64 {
    state.withLock { state in
      state.nextIdentifier &+= 1
      state.awaited = ask.map { (state.nextIdentifier, $0) }
      state.refusal = nil
      return state.nextIdentifier
    }
  }

  func stopped(_ context: ActorContext) async { await child.stop(context) }

  func vacate(_ gone: @escaping @Sendable () -> Void) { child.vacate(gone) }

  func details() -> [String: JSONValue] { child.details() }

  private static func envelope(_ message: Message, _ identifier: Int64, _ context: ActorContext) -> [UInt8] {
    let envelope: JSONValue = [
      "message": .integer(identifier), "ask": .bool(context.isAsked), "body": message.jsonBody,
      "type": .string(message.type), "from": .string(context.sender),
      "headers": .object(
        Dictionary(message.headers.map { ($0.name, JSONValue.string($0.value)) }) { _, last in last }),
    ]
    return envelope.serialized()
  }

  // MARK: From the program, on the event loop

  private func output(_ event: ChildProcess.OutputEvent, _ context: ActorContext) {
    switch event {
    case .line(let line):
      do throws(GridError) {
        try perform(try JSONValue(parsing: line), context)
      } catch {
        child.log.note("the program wrote a line that is no envelope: \(error.message)", isError: true, context)
        fail(GridError(.handlerFailed, "the program wrote a line that is no envelope: \(error.message)"))
      }
    case .quiet: break
    case .failed(let error):
      fail(GridError(.handlerFailed, "the program wrote a line that is too long", cause: error.message))
    case .ended: fail(GridError(.handlerFailed, "no answer"))
    }
  }

  private func fail(_ error: GridError) {
    let awaited = state.withLock { state in
      defer { state.awaited = nil }
      return state.awaited
    }
    awaited?.ask.resolve(0, .failure(error))
  }

  private func perform(_ envelope: JSONValue, _ context: ActorContext) throws(GridError) {
    if let identifier = envelope["reply"]?.integerValue {
      let outcome = try Self.outcome(envelope)
      let awaited = state.withLock { state -> PendingAsk? in
        guard let awaited = state.awaited, awaited.identifier == identifier else { return nil }
        state.awaited = nil
        if case .failure(let error) = outcome { state.refusal = error }
        return awaited.ask
      }
      // A late reply, to a message that has been given up, is nobody's; nor is one to a message that was told.
      awaited?.resolve(0, outcome)
      if awaited == nil, case .failure(let error) = outcome {
        child.log.note("the program refused message \(identifier): \(error.message)", isError: true, context)
      }
    } else if let target = envelope["tell"]?.stringValue {
      _ = try ActorAddress(parsing: target)
      context.tell(target, try Message(jsonBody: envelope["body"] ?? .null, type: envelope["type"]?.stringValue ?? ""))
    } else if let target = envelope["ask"]?.stringValue {
      try ask(target, envelope, context)
    } else if let text = envelope["log"]?.stringValue {
      noteLog(text, context)
    } else {
      throw GridError(.undecodable, "it has none of reply, tell, ask, log")
    }
  }

  /// A program that logs more than anybody reads waits a little: its envelopes are parsed by the node's own thread.
  private func noteLog(_ text: String, _ context: ActorContext) {
    guard !child.log.note(PrintableText.of(text.utf8, limit: ProgramLog.maximumLineBytes), context) else { return }
    child.pauseReading(for: .milliseconds(1), context)
  }

  private func ask(_ target: String, _ envelope: JSONValue, _ context: ActorContext) throws(GridError) {
    _ = try ActorAddress(parsing: target)
    let host = context.cell.host
    let wanted = envelope["timeoutSeconds"]?.doubleValue.flatMap { Duration(seconds: $0) } ?? .seconds(5)
    host.route(
      Envelope(
        target: target,
        message: try Message(jsonBody: envelope["body"] ?? .null, type: envelope["type"]?.stringValue ?? ""),
        sender: context.name, expectation: .reply,
        deadline: host.now() + min(.seconds(3600), max(.milliseconds(1), wanted)),
        responder: ProgramAsk(child: child, identifier: envelope["id"] ?? .null)))
  }

  private static func outcome(_ envelope: JSONValue) throws(GridError) -> ExchangeOutcome {
    if let error = envelope["error"], error != .null {
      return .failure(GridError(.handlerFailed, error.stringValue ?? error.text))
    }
    return .reply(try Message(jsonBody: envelope["body"] ?? .null, type: envelope["type"]?.stringValue ?? ""))
  }
}

extension GridError {
  /// The refusal of an ask by a program that was spawned as one-way.
  static func neverAnswers(_ name: String) -> GridError {
    GridError(.refused, "\(name) never answers: it was spawned with --one-way", hint: "use tell")
  }
}

/// An ask of the program itself; its outcome goes back to it as a line.
private final class ProgramAsk: ExchangeResponder {
  private let child: ExecChild
  private let identifier: JSONValue

  init(child: ExecChild, identifier: JSONValue) {
    self.child = child
    self.identifier = identifier
  }

  func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {
    var answer: JSONValue = ["answer": identifier]
    switch outcome {
    case .accepted: break
    case .reply(let message): answer = answer.with("body", message.jsonBody)
    case .failure(let error):
      answer = answer.with("error", .string(error.message)).with("code", .string(error.code.label))
    }
    child.writeIfRoom(answer.serialized())
  }
}

extension Message {
  /// The body as a JSON value: JSON as it is, text as a string, other bytes in base 64.
  var jsonBody: JSONValue {
    if contentType == .json, let value = try? json() { return value }
    guard let text = String(validating: body, as: UTF8.self) else { return ["base64": .string(Base64.encoded(body))] }
    return .string(text)
  }

  /// The reverse of ``jsonBody``.
  init(jsonBody value: JSONValue, type: String) throws(GridError) {
    if let text = value.stringValue {
      self.init(text, type: type)
    } else if let encoded = value["base64"]?.stringValue, value.objectValue?.count == 1 {
      guard let bytes = Base64.decoded(encoded) else { throw GridError(.undecodable, "the body is not base 64") }
      self.init(body: bytes, contentType: .bytes, type: type)
    } else {
      self.init(json: value, type: type)
    }
  }
}
