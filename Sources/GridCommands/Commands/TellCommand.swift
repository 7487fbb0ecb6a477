internal import ArgumentParser
internal import Grid
internal import GridClient
internal import GridCore
internal import Synchronization

/// The options of a message.
struct MessageOptions: ParsableArguments {
  @Option(name: [.customShort("m"), .customLong("type")], help: ArgumentHelp("The message's type.", valueName: "type"))
  var type: String = ""
  @Option(
    name: [.customShort("H"), .customLong("header")],
    help: ArgumentHelp("A header; may be repeated.", valueName: "key=value"))
  var headers: [KeyValueArgument] = []
  @Flag(help: "In the body, put the number for {{n}}, a fresh identifier for {{uuid}} and the time for {{now}}.")
  var template = false

  /// - Parameter number: which message it is, from 1.
  func message(_ body: [UInt8], number: Int = 1) -> Message {
    guard template else { return Payload.message(body, type: type, headers: headers) }
    var generator = SystemRandomNumberGenerator()
    let filled = MessageTemplate(body).body(number: number, clock: SystemClock(), using: &generator)
    return Payload.message(filled, type: type, headers: headers)
  }
}

/// `gridctl tell`
struct TellCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "tell", _superCommandName: "gridctl",
    abstract: "Send a message to an actor, without an answer.",
    discussion: """
      Returns once the message is in the actor's mailbox. The body is the text itself, - for standard input,
      or @FILE; with --lines every line of standard input is a message of its own, sent as fast as the actor
      takes them.

      Examples:
        gridctl tell hits 1
        gridctl tell orders @order.json -m Order
        gridctl tell hits '{{n}}' --template --count 10 --every 1s
        seq 1 1000 | gridctl tell hits --lines -
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: MessageOptions
  @Argument(help: ArgumentHelp("The actor.", valueName: "actor"))
  var actor: ActorArgument
  @Argument(help: "The body: text, - or @FILE.")
  var payload: String?
  @Flag(help: "Send each line of standard input as a message.")
  var lines = false
  @Option(help: ArgumentHelp("Send the message so many times.", valueName: "count"))
  var count: Int = 1
  @Option(help: ArgumentHelp("Pause between messages of --count.", valueName: "duration"))
  var every: String?
  @Flag(help: "Return once the message has left, without waiting for the mailbox.")
  var noWait = false

  func validate() throws {
    if lines, payload != "-" { throw ValidationError("--lines reads standard input: write - as the payload") }
    if count < 1 { throw ValidationError("--count must be at least 1") }
  }

  func run() async throws {
    let target = try actor.validated()
    let pause = try every.map { try Duration.argument($0) }
    if lines {
      let session = try await CommandSession(global)
      return try await LineSender(session: session, target: target, options: options).run()
    }
    let body = try Payload.read(payload)
    let session = try await CommandSession(global)
    for index in 0..<count {
      if index > 0, let pause { try await Task.sleep(for: pause) }
      let message = options.message(body, number: index + 1)
      if noWait {
        try await session.connection.post(target, message)
      } else {
        try await MessageExchange(session: session, target: target).tell(message)
      }
    }
    // Without waiting for the mailbox, what was queued still has to leave before the process ends.
    if noWait { _ = try await session.request("ping") }
  }
}

/// Sends standard input line by line, in order, with back-pressure, and counts what was refused.
struct LineSender {
  let session: CommandSession
  let target: String
  let options: MessageOptions

  func run() async throws {
    let outcomes = LineOutcomes(limit: 10, writer: session.writer)
    let progress = Progress(
      "lines", clock: SystemClock(), writer: session.writer, isSilent: session.settings.isQuiet)
    let input = try LineFeed()
    var sent = 0
    while let line = try await input.next() {
      try await session.connection.streamTell(
        target, options.message(line.bytes, number: line.number), outcomes, UInt64(line.number))
      sent += 1
      progress.advance()
      if outcomes.isHopeless { break }
    }
    await outcomes.settled(sent)
    progress.finish()
    guard outcomes.failures > 0 else { return }
    if let only = outcomes.commonFailure, outcomes.failures == sent { throw only }
    session.writer.error("error: \(outcomes.failures) of \(sent) lines were not taken by \(target)")
    throw ExitCode(ExitStatus.partial.rawValue)
  }
}

/// What became of the lines: counts them and names the first that failed.
final class LineOutcomes: ExchangeResponder {
  private struct State {
    var settled = 0
    var failures = 0
    var first: GridError?
    var awaited: Int?
    var waiting: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())
  private let limit: Int
  private let writer: OutputWriter

  init(limit: Int, writer: OutputWriter) {
    self.limit = limit
    self.writer = writer
  }

  var failures: Int { state.withLock { $0.failures } }
  var commonFailure: GridError? { state.withLock { $0.first } }
  /// Whether going on makes no sense: the actor or the connection is gone.
  var isHopeless: Bool {
    state.withLock { state in
      guard let code = state.first?.code else { return false }
      return [.noSuchActor, .unavailable, .nodeLost, .protocolMismatch, .stopped].contains(code)
    }
  }

  func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {
    let (continuation, told) = state.withLock { state -> (CheckedContinuation<Void, Never>?, GridError?) in
      state.settled += 1
      var told: GridError?
      if case .failure(let error) = outcome {
        state.failures += 1
        if state.first == nil { state.first = error }
        if state.failures <= limit { told = error }
      }
      guard let awaited = state.awaited, state.settled >= awaited else { return (nil, told) }
      defer { state.waiting = nil }
      return (state.waiting, told)
    }
    if let told { writer.error("line \(correlation): \(told.message)") }
    continuation?.resume()
  }

  /// Waits until so many lines have an outcome.
  func settled(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        if state.settled >= count { return true }
        state.awaited = count
        state.waiting = continuation
        return false
      }
      if isDone { continuation.resume() }
    }
  }
}
