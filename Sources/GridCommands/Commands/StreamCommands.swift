internal import ArgumentParser
internal import GridClient
internal import GridCore

/// When a stream ends by itself.
struct StreamOptions: ParsableArguments {
  @Option(help: ArgumentHelp("End after so many.", valueName: "count"))
  var count: Int?
  @Option(help: ArgumentHelp("End when nothing came for so long.", valueName: "duration"))
  var idle: String?
}

/// Prints a stream of the cluster until its end condition.
struct StreamPrinter {
  let session: CommandSession
  let options: StreamOptions
  let description: ListDescription<JSONValue>

  func run(_ verb: String, _ arguments: JSONValue) async throws {
    let idle = try options.idle.map { try Duration.argument($0) }
    if let count = options.count, count <= 0 { return }
    try session.renderer.streamHeader(description)
    let stream = session.connection.stream(verb, arguments)
    let printer = self
    try await withThrowingTaskGroup(of: Bool.self) { group in
      let activity = IdleClock()
      group.addTask { try await printer.follow(stream, activity) }
      if let idle {
        group.addTask {
          while try await activity.sleepIfActive(idle) {}
          return true
        }
      }
      _ = try await group.next()
      group.cancelAll()
    }
  }

  private func follow(_ stream: AsyncThrowingStream<JSONValue, any Error>, _ activity: IdleClock) async throws -> Bool {
    var printed = 0
    for try await item in stream {
      activity.touch()
      switch item["kind"]?.stringValue {
      case "synced": continue
      case "missed":
        session.writer.warning("\(Column.text(item["count"])) records were missed: this side reads too slowly")
        if session.renderer.format.isJSON {
          try session.writer.output(item.text + "\n")
        }
      default:
        try session.renderer.record(item, description)
        printed += 1
      }
      if let count = options.count, printed >= count { return true }
    }
    throw GridError(
      .unavailable, "the stream was lost: node \(session.connection.nodeName) is gone", hint: "connect to another node")
  }
}

/// `gridctl events`
struct EventsCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Follow what happens in the cluster.",
    discussion: """
      Examples:
        gridctl events
        gridctl events --kind peer,leader -o jsonl
        gridctl events --since 10m --idle 1s
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: StreamOptions
  @Option(help: ArgumentHelp("Only these: node, peer, actor, leader, link; separated by commas.", valueName: "kinds"))
  var kind: [String] = []
  @Option(help: ArgumentHelp("Begin with what happened in the last while.", valueName: "duration"))
  var since: String?

  static let description = ListDescription(
    kind: "EventList", noun: "event", nameField: "seq",
    columns: [
      Column("TIME") { String(Column.text($0["at"]).dropFirst(11)) }, Column("NODE", field: "node"),
      Column("KIND", field: "kind"), Column("NAME", field: "name"), Column("DETAIL", field: "detail"),
    ])

  func run() async throws {
    let kinds = kind.flatMap { $0.split(separator: ",").map(String.init) }
    for kind in kinds where GridEvent.Kind(rawValue: kind) == nil {
      throw GridError(
        .usage, "unknown kind of event \(NameRules.quoted(kind))",
        hint: GridEvent.Kind.allCases.map(\.rawValue).joined(separator: ", "))
    }
    var arguments: [String: JSONValue] = ["kinds": .array(kinds.map { .string($0) })]
    if let since { arguments["sinceMilliseconds"] = .integer(try Since.milliseconds(since)) }
    let session = try await CommandSession(global)
    try await StreamPrinter(session: session, options: options, description: Self.description)
      .run("events", .object(arguments))
  }
}
