internal import ArgumentParser
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// `gridctl trace`
struct TraceCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Follow the messages of an actor, or of a kind, for a bounded while.",
    discussion: """
      Tells what arrives at the mailbox (in) and what became of it (out), on whichever node the actor runs. It ends by
      itself: after so many records or so long, whichever is first, so that tracing a busy actor never becomes a load of
      its own. With --rate it tells so many records in each span of time, and how many it left out.

      Examples:
        gridctl trace orders
        gridctl trace orders --in --body --max 10
        gridctl trace --kind exec --rate 10/1s --for 5m
        gridctl trace orders --out -o jsonl | jq 'select(.micros > 100000)'
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The actor.", valueName: "actor"))
  var actor: ActorArgument?
  @Option(help: ArgumentHelp("All actors of a kind, instead of one.", valueName: "kind"))
  var kind: String?
  @Option(help: ArgumentHelp("End after so many records; 100 without --rate.", valueName: "count"))
  var max: Int?
  @Option(help: ArgumentHelp("At most so many records in each span of time.", valueName: "count/duration"))
  var rate: String?
  @Option(name: .customLong("for"), help: ArgumentHelp("End after so long.", valueName: "duration"))
  var span: String = "30s"
  @Flag(name: .customLong("in"), help: "Only what arrives.")
  var arriving = false
  @Flag(help: "Only what became of messages.")
  var out = false
  @Flag(help: "Show the bodies too, their first 4 KiB.")
  var body = false

  func validate() throws {
    guard (actor == nil) != (kind == nil) else { throw ValidationError("name an actor, or pass --kind") }
    if let max, max < 1 { throw ValidationError("--max must be 1 or more") }
  }

  func run() async throws {
    let span = try Duration.argument(span)
    guard span > .zero, span <= .seconds(3600) else {
      throw GridError(.usage, "--for must be more than 0 and at most 1h")
    }
    let request = try request(span)
    let session = try await CommandSession(global)
    // A misspelt name would show as silence.
    if let actor {
      _ = try await session.connection.ask(InspectRequest(actor.validated()), timeout: session.timeout)
    }
    let printer = StreamPrinter(
      session: session, options: StreamOptions(count: request.maximum),
      description: Self.description(withBody: body).knowing(actor == nil ? nil : "ACTOR"))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await printer.run(request) }
      group.addTask { try await session.cluster.timers.pause(for: span) }
      _ = try await group.next()
      group.cancelAll()
    }
  }

  private func request(_ span: Duration) throws -> TraceStreamRequest {
    var request = TraceStreamRequest()
    request.maximum = max ?? (rate == nil ? 100 : Int(Int32.max))
    request.showsBody = body
    request.span = Swift.max(.milliseconds(1), span)
    if let actor { request.actor = try actor.validated() }
    if let kind { request.kind = try NameRules.validated(kind, as: "kind") }
    if arriving != out { request.steps = [arriving ? "in" : "out"] }
    if let rate {
      let parts = rate.split(separator: "/", maxSplits: 1).map(String.init)
      guard parts.count == 2, let count = Int(parts[0]), count > 0 else {
        throw GridError(.usage, "--rate \(NameRules.quoted(rate)) is no rate", hint: "for example --rate 10/1s")
      }
      request.perWindow = count
      request.window = Swift.max(.milliseconds(1), try Duration.argument(parts[1]))
    }
    return request
  }

  static func description(withBody: Bool) -> ListDescription<JSONValue> {
    var columns = [
      Column<JSONValue>.timeOfDay(),
      Column("NODE", fit: .middle(8), priority: ColumnPriority.detail, streamWidth: 8, field: "node"),
      Column("ACTOR", fit: .middle(12), priority: ColumnPriority.name, streamWidth: 16, field: "actor"),
      Column("STEP", fit: .whole, priority: ColumnPriority.important, streamWidth: 4, field: "kind"),
      Column("OUTCOME", fit: .whole, priority: ColumnPriority.important, streamWidth: 8, field: "outcome"),
      Column("SENDER", fit: .middle(10), field: "sender"),
      Column("TYPE", fit: .middle(8), priority: ColumnPriority.detail, streamWidth: 8, field: "type"),
      .number("BYTES", field: "bytes"),
      Column("TOOK", alignment: .trailing, priority: ColumnPriority.important, streamWidth: 7) { record in
        Column.number(record, "micros").map { HumanText.duration($0 / 1_000_000) } ?? "-"
      },
      Column("DETAIL", fit: .end(16), streamWidth: 30, field: "detail"),
    ]
    if withBody {
      columns.append(Column("BODY", fit: .end(14), priority: ColumnPriority.important, streamWidth: 40, field: "body"))
    }
    return ListDescription(kind: "TraceRecordList", noun: "trace-record", nameField: "seq", columns: columns)
  }
}
