internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSystem

/// When a stream ends by itself.
struct StreamOptions: ParsableArguments {
  @Option(help: ArgumentHelp("End after so many.", valueName: "count"))
  var count: Int?
  @Option(help: ArgumentHelp("End when nothing came for so long.", valueName: "duration"))
  var idle: String?

  init() {}

  /// For a command that counts for itself.
  init(count: Int) {
    self.count = count
    idle = nil
  }
}

/// Prints a stream of the cluster until its end condition.
struct StreamPrinter {
  let session: CommandSession
  let options: StreamOptions
  let description: ListDescription<JSONValue>
  /// Only records for which it holds.
  var filter: FilterExpression?
  /// What came before the stream began; asked for once it has, so that nothing falls between.
  var earlier: (@Sendable (CommandSession) async throws -> [JSONValue])?
  /// What becomes of a record instead of being printed.
  var handler: (@Sendable (JSONValue) async throws -> Void)?
  /// How the stream goes on at another node; without it, it is lost with its node.
  var resumption: StreamResumption?

  func run<Request: StreamRequest>(_ request: Request) async throws {
    let idle = try options.idle.map { try Duration.argument($0) }
    if let count = options.count, count <= 0 { return }
    let printer = self
    try await withThrowingTaskGroup(of: Void.self) { group in
      let activity = IdleClock()
      group.addTask { try await printer.follow(request, activity) }
      group.addTask {
        // A pipe whose reader has gone is otherwise noticed by the next record only, which may never come.
        try await printer.session.writer.untilReaderIsGone()
      }
      if let idle {
        group.addTask { while try await activity.sleepIfActive(idle) {} }
      }
      _ = try await group.next()
      group.cancelAll()
    }
  }

  /// Follows the stream from node to node.
  private func follow<Request: StreamRequest>(_ request: Request, _ activity: IdleClock) async throws {
    var reading = StreamReading(printer: self, activity: activity)
    var earlier = earlier
    while true {
      let connection = session.connection
      guard let resumption else {
        if try await reading.hasEnded(at: connection, request, earlier) { return }
        throw GridError(
          .unavailable, "the stream was lost: node \(connection.nodeName) is gone",
          hint: "connect to another node")
      }
      async let learning: Void = session.cluster.learn(timeout: session.timeout)
      if try await reading.hasEnded(at: connection, request, earlier) { return }
      await learning
      try await session.goOn(after: connection)
      let since = reading.resumptionTime(now: session.cluster.timers.date())
      if let ask = resumption.earlier { earlier = { try await ask($0, since) } } else { earlier = nil }
    }
  }
}

/// How a stream goes on at another node: with what came at a time, in milliseconds since 1970, or later. What was seen
/// before is known by its key.
struct StreamResumption {
  var earlier: (@Sendable (CommandSession, _ since: Int64) async throws -> [JSONValue])?
  /// What tells an item from others, and when it was made, in milliseconds since 1970; nil for what cannot be told.
  let mark: @Sendable (JSONValue) -> (key: String, madeAt: Int64)?
}

/// `gridctl events`
struct EventsCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Follow what happens in the cluster.",
    discussion: """
      When the node that was asked is gone, the stream goes on at another one, from where it was.

      The detail is for people. Programs look at event, which says in a word what happened: joined, leaves,
      lost-membership, login-refused and certificate-expires of a node; joined, left and died of a peer; spawned, ended,
      failed, restarted and singleton-failed of an actor; elected and lost of a leader; opened and closed of a link. The
      fields that an event has beside it, as reason and epoch of ended, are told in LINK.md and shown by -o json.

      With --exec a program is run for each event, one after the other: the event is on its standard input as a line of
      JSON, and in GRIDCTL_EVENT_SEQ, _AT, _KIND, _EVENT, _NAME, _NODE, _REASON and _DETAIL. The first that fails ends
      the command with its exit code. Signals are passed on to a program that runs, which is killed when it has not
      ended within 5s; then the command ends.

      Examples:
        gridctl events
        gridctl events --kind peer,leader -o jsonl
        gridctl events --since 10m --idle 1s
        gridctl events --since 03:12 --kind actor --idle 1s
        gridctl events --filter 'kind=="actor" && event=="ended" && reason!="request"'
        gridctl events --kind peer --exec -- ./tell-somebody.sh
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: StreamOptions
  @Option(
    help: ArgumentHelp("Only these: node, peer, actor, leader, link; separated by commas.", valueName: "event-kinds"))
  var kind: [String] = []
  @Option(
    help: ArgumentHelp("Only events for which this holds; see: gridctl help output.", valueName: "condition-text"))
  var filter: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Begin with what happened since then, or after the event of this number on the node that answers.",
      valueName: "duration|time|number"))
  var since: String?
  @Flag(help: "Run the program after -- for each event.")
  var exec = false
  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("With --exec: the program and its arguments.", valueName: "command"))
  var command: [String] = []

  static let description = ListDescription(
    kind: "EventList", noun: "event", nameField: "seq",
    columns: [
      .timeOfDay(), Column("NODE", fit: .middle(8), field: "node"),
      Column("KIND", fit: .whole, streamWidth: 6, field: "kind"),
      Column("NAME", fit: .middle(12), priority: ColumnPriority.name, field: "name"),
      Column("DETAIL", fit: .end(20), priority: ColumnPriority.important, streamWidth: 40, field: "detail"),
    ])

  func run() async throws {
    let request = try listRequest()
    let condition = try filter.map { text throws(GridError) in try FilterExpression(parsing: text) }
    guard exec != command.isEmpty else {
      throw GridError(
        .usage, exec ? "--exec needs a program" : "a program needs --exec", hint: "gridctl events --exec -- COMMAND")
    }
    let session = try await CommandSession(global)
    var printer = StreamPrinter(session: session, options: options, description: Self.description, filter: condition)
    printer.resumption = Self.resumption(request.choice)
    if since != nil { printer.earlier = { try await $0.items(request).elements } }
    let stream = EventStreamRequest(request.choice)
    guard exec else { return try await printer.run(stream) }
    let relay = try SignalRelay()
    let hook = EventHook(command: command, relay: relay)
    printer.handler = { try await hook.run($0) }
    let running = printer
    try await relay.command { try await running.run(stream) }
  }

  /// Every node counts its own events; what all nodes see is told by the one that is asked.
  static func resumption(_ choice: EventChoice) -> StreamResumption {
    StreamResumption(
      earlier: { session, since in
        let since = CalendarTime(millisecondsSince1970: since)
        return try await session.items(EventsRequest(choice, since: since)).elements
      },
      mark: { item in
        (try? GridEvent(json: item)).map { ("\($0.node)/\($0.sequence)", $0.at.millisecondsSince1970) }
      })
  }

  private func listRequest() throws -> EventsRequest {
    let kinds = kind.flatMap { $0.split(separator: ",").map(String.init) }
    for kind in kinds where GridEvent.Kind(rawValue: kind) == nil {
      throw GridError(
        .usage, "unknown kind of event \(NameRules.quoted(kind))",
        hint: GridEvent.Kind.allCases.map(\.rawValue).joined(separator: ", "))
    }
    var request = EventsRequest(EventChoice(kinds: kinds))
    if let since {
      if let sequence = Int64(since), sequence >= 0 {
        request.sinceSequence = sequence
      } else {
        request.since = CalendarTime(millisecondsSince1970: try Since.milliseconds(since))
      }
    }
    return request
  }
}
