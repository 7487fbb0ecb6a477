internal import ArgumentParser
internal import Grid
internal import GridClient
internal import GridCore

/// `gridctl ask`
struct AskCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "ask", _superCommandName: "gridctl",
    abstract: "Send a message to an actor and print its reply.",
    discussion: """
      The reply's body is printed alone on standard output. With --lines every line of standard input is a
      question; the replies come in the order of the lines.

      Examples:
        gridctl ask calc '2^10'
        gridctl ask orders -m Status --rtt
        gridctl ask importer - --lines --parallel 16 -o jsonl <batch.jsonl
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: MessageOptions
  @Argument(help: ArgumentHelp("The actor.", valueName: "actor"))
  var actor: ActorArgument
  @Argument(help: "The body: text, - or @FILE.")
  var payload: String?
  @Flag(help: "Ask with each line of standard input.")
  var lines = false
  @Option(help: ArgumentHelp("With --lines: so many questions under way at once.", valueName: "count"))
  var parallel: Int = 1
  @Flag(help: "Print the reply as it is, without a line feed after it.")
  var raw = false
  @Flag(help: "Print the round trip and the node on standard error.")
  var rtt = false

  func validate() throws {
    if lines, payload != "-" { throw ValidationError("--lines reads standard input: write - as the payload") }
    if !(1...4096).contains(parallel) { throw ValidationError("--parallel must be 1 to 4096") }
  }

  func run() async throws {
    let target = try actor.validated()
    if lines {
      let session = try await CommandSession(global)
      return try await LineAsker(session: session, target: target, options: options, parallel: parallel).run()
    }
    let message = options.message(try Payload.read(payload))
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
    if rtt { session.writer.error("rtt \(HumanText.duration(seconds))  \(session.connection.nodeName)") }
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
      try session.writer.output(raw || reply.body.last == 0x0A ? reply.body : reply.body + [0x0A])
    default: try session.renderer.object(json, kind: "Reply", noun: "reply", result: value)
    }
  }

  /// The reply alone, as a session keeps it.
  private var value: JSONValue { json["reply"] ?? .null }

  var json: JSONValue {
    let parsed = reply.contentType == .json ? try? reply.json() : nil
    let text = String(validating: reply.body, as: UTF8.self)
    return [
      "reply": parsed ?? .string(text ?? Base64.encoded(reply.body)), "contentType": .string(reply.contentType.name),
      "node": .string(node), "rttSeconds": .number(seconds),
      "replyEncoding": .string(parsed != nil ? "json" : text == nil ? "base64" : "utf8"),
    ]
  }
}

/// Asks with standard input line by line; replies are printed in the order of the lines.
struct LineAsker {
  let session: CommandSession
  let target: String
  let options: MessageOptions
  let parallel: Int

  private struct Answer: Sendable {
    let line: Int
    let result: Result<Message, GridError>
    let seconds: Double
  }

  func run() async throws {
    let clock = SystemClock()
    let progress = Progress("replies", clock: clock, writer: session.writer, isSilent: session.settings.isQuiet)
    let connection = session.connection
    let timeout = session.timeout
    let failures = try await withThrowingTaskGroup(of: Answer.self) { group in
      let input = try LineFeed()
      var ready: [Int: Answer] = [:]
      var printed = 0
      var failures: [GridError] = []
      func take(_ answer: Answer) throws {
        ready[answer.line] = answer
        while let next = ready.removeValue(forKey: printed + 1) {
          printed += 1
          progress.advance()
          if let error = try write(next) { failures.append(error) }
        }
      }
      while let line = try await input.next() {
        // Replies wait for those before them, so what is under way and what waits share one bound.
        while line.number - printed > parallel, let answer = try await group.next() { try take(answer) }
        let message = options.message(line.bytes, number: line.number)
        let target = target
        group.addTask {
          let began = clock.now()
          do throws(GridError) {
            let reply = try await connection.ask(target, message, timeout: timeout)
            return Answer(line: line.number, result: .success(reply), seconds: (clock.now() - began).inSeconds)
          } catch {
            return Answer(line: line.number, result: .failure(error), seconds: 0)
          }
        }
      }
      while let answer = try await group.next() { try take(answer) }
      return (failures, printed)
    }
    progress.finish()
    guard let first = failures.0.first else { return }
    if failures.0.count == failures.1 { throw first }
    session.writer.error("error: \(failures.0.count) of \(failures.1) lines got no reply")
    throw ExitCode(ExitStatus.partial.rawValue)
  }

  private func write(_ answer: Answer) throws -> GridError? {
    switch answer.result {
    case .success(let reply):
      try AskReply(reply: reply, node: session.connection.nodeName, seconds: answer.seconds).write(session, raw: false)
      return nil
    case .failure(let error):
      session.writer.error("line \(answer.line): \(error.message)")
      return error
    }
  }
}
