internal import ArgumentParser
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import GridSystem

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
      takes them. Lines that were not taken are named on standard error, with -o jsonl as records on standard
      output; when some were not the command ends with 3.

      Examples:
        gridctl tell hits 1
        gridctl tell orders @order.json -m Order
        gridctl tell hits '{{n}}' --template --count 10 --every 1s
        seq 1 1000 | gridctl tell hits --lines
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: MessageOptions
  @Argument(help: ArgumentHelp("The actor.", valueName: "actor"))
  var actor: ActorArgument
  @Argument(help: "The body: text, - or @FILE; nothing with --lines.")
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
    if lines, payload != nil, payload != "-" {
      throw ValidationError("--lines reads standard input: leave the payload out, or write - for it")
    }
    if lines, count != 1 || every != nil {
      throw ValidationError("--lines sends each line once: it takes no --count and no --every")
    }
    if count < 1 { throw ValidationError("--count must be at least 1") }
  }

  func run() async throws {
    let target = try actor.validated()
    let pause = try every.map { try Duration.argument($0) }
    if lines {
      let session = try await CommandSession(global)
      return try await LineSender(session: session, target: target, options: options).run()
    }
    let body = try Payload.read(payload, options: global)
    let session = try await CommandSession(global)
    for index in 0..<count {
      if index > 0, let pause { try await session.cluster.timers.pause(for: pause) }
      let message = options.message(body, number: index + 1)
      if noWait {
        try await session.connection.post(target, message)
      } else {
        try await MessageExchange(session: session, target: target).tell(message)
      }
    }
    // Without waiting for the mailbox, what was queued still has to leave before the process ends.
    if noWait { _ = try await session.request(PingRequest()) }
  }
}
