internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridSystem

/// `gridctl ask`
struct AskCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "ask", _superCommandName: "gridctl",
    abstract: "Send a message to an actor and print its reply.",
    discussion: """
      The reply's body is printed alone on standard output. With --lines every line of standard input is a
      question; the replies come in the order of the lines, each as soon as it is there. A line without a reply
      leaves an empty line, and its error with its number on standard error; with -o jsonl a record has the line's
      number and either the reply or the error. When some failed the command ends with 3.

      Examples:
        gridctl ask calc '2^10'
        gridctl ask orders -m Status --rtt
        gridctl ask importer --lines --parallel 16 -o jsonl <batch.jsonl
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: MessageOptions
  @Argument(help: ArgumentHelp("The actor.", valueName: "actor"))
  var actor: ActorArgument
  @Argument(help: "The body: text, - or @FILE; nothing with --lines.")
  var payload: String?
  @Flag(help: "Ask with each line of standard input.")
  var lines = false
  @Option(
    help: ArgumentHelp(
      "With --lines: so many questions under way at once, taken up in any order, answered in the order of the lines.",
      valueName: "count"))
  var parallel: Int = 1
  @Flag(help: "Print the reply as it is, without a line feed after it.")
  var raw = false
  @Flag(help: "Print the round trip and the node on standard error.")
  var rtt = false

  func validate() throws {
    if lines, payload != nil, payload != "-" {
      throw ValidationError("--lines reads standard input: leave the payload out, or write - for it")
    }
    if lines, raw { throw ValidationError("--raw and --lines exclude each other: replies could not be told apart") }
    if !(1...4096).contains(parallel) { throw ValidationError("--parallel must be 1 to 4096") }
  }

  func run() async throws {
    let target = try actor.validated()
    if lines {
      let session = try await CommandSession(global)
      return try await LineAsker(
        session: session, target: target, options: options, parallel: parallel, showsRoundTrips: rtt
      ).run()
    }
    let message = options.message(try Payload.read(payload, options: global))
    try await Self.ask(target, message, CommandSession(global), raw: raw, rtt: rtt)
  }

  /// Asks once and prints the reply.
  static func ask(
    _ target: String, _ message: Message, _ session: CommandSession, raw: Bool = false, rtt: Bool = false
  ) async throws {
    let clock = SystemClock()
    let began = clock.now()
    let reply = try await MessageExchange(session: session, target: target).ask(message)
    let seconds = (clock.now() - began).inSeconds
    try AskReply(reply: reply, node: session.connection.nodeName, seconds: seconds).write(session, raw: raw)
    if rtt { session.writer.remark("rtt \(HumanText.duration(seconds))  \(session.connection.nodeName)") }
  }
}

/// One reply as the output formats show it.
struct AskReply {
  let reply: Message
  let node: String
  let seconds: Double

  func write(_ session: CommandSession, raw: Bool) throws {
    switch session.renderer.format {
    case .table, .wide, .name, .tsv:
      session.renderer.note(value)
      try session.writer.foreign(raw || reply.body.last == 0x0A ? reply.body : reply.body + [0x0A])
    default: try session.renderer.object(json, kind: "Reply", noun: "reply", result: value)
    }
  }

  /// The reply alone, as a session keeps it.
  private var value: JSONValue { Column.member(json, "reply") ?? .null }

  var json: JSONValue {
    .object(Self.members(reply).merging(["node": .string(node), "rttSeconds": .number(seconds)]) { own, _ in own })
  }

  /// The body of a reply, and how it is to be read.
  static func members(_ reply: Message) -> [String: JSONValue] {
    let parsed = reply.contentType == .json ? try? reply.json() : nil
    let text = String(validating: reply.body, as: UTF8.self)
    return [
      "reply": parsed ?? .string(text ?? Base64.encoded(reply.body)), "contentType": .string(reply.contentType.name),
      "replyEncoding": .string(parsed != nil ? "json" : text == nil ? "base64" : "utf8"),
    ]
  }
}
