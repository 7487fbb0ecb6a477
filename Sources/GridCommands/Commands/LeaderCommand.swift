internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests

/// `gridctl leader`
struct LeaderCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "leader", abstract: "Elect leaders, and see who leads.",
    discussion: """
      Any name can have a leader; the first who asks leads, the others wait. Each leader gets a fencing token,
      larger than every earlier one of the name: hand it to what the leader writes to.

      Examples:
        gridctl leader run nightly -- ./backup.sh
        gridctl leader show
        gridctl leader watch nightly -o jsonl
      """,
    subcommands: [LeaderShowCommand.self, LeaderWatchCommand.self, LeaderResignCommand.self, LeaderRunCommand.self])

  @OptionGroup var global: GlobalOptions

  func run() async throws { try Gridctl.needsVerb(Self.self) }

  static let description = ListDescription(
    kind: "LeaderList", noun: "leader", nameField: "name",
    columns: [
      .actorName, Column("NODE", fit: .middle(8), priority: ColumnPriority.important, field: "node"),
      .number("TOKEN", field: "token"), Column("HOLDER", fit: .middle(12), field: "holder"),
      Column("SINCE", fit: .whole, streamWidth: 24, field: "since"),
    ])

  /// With the columns that only singletons fill, where there are some.
  static func description(of leaders: [JSONValue]) -> ListDescription<JSONValue> {
    guard leaders.contains(where: { LeadershipReport.isSingleton($0) }) else { return description }
    return ListDescription(
      kind: description.kind, noun: description.noun, nameField: description.nameField,
      columns: description.columns + [
        .number("FAILURES", priority: ColumnPriority.important, field: "failures"),
        Column("NEXT START", fit: .whole, field: "nextStart"),
      ])
  }
}

/// A leader's name, as given or as `leader/NAME`.
struct LeaderArgument: ExpressibleByArgument {
  private let text: String

  init?(argument: String) { text = argument }

  func validated() throws(GridError) -> String {
    try NameRules.validated(text.hasPrefix("leader/") ? String(text.dropFirst(7)) : text, as: "leader")
  }
}

/// `gridctl leader show`
struct LeaderShowCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Say who leads.",
    discussion: """
      Without a name all leaders are listed, and the singletons: actors of which one runs in the namespace, with how
      often each failed in a row and, while it does not run, when it is started again. A name without a leader ends
      with 69. With --is the exit code says whether that node leads: 0 yes, 2 no.

      Examples:
        gridctl leader show
        gridctl leader show nightly -o name
        gridctl leader show nightly --is n1 && ./only-there.sh
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The leader's name.", valueName: "leader"))
  var name: LeaderArgument?
  @Option(name: .customLong("is"), help: ArgumentHelp("Ask whether this node leads.", valueName: "node"))
  var isNode: String?

  func run() async throws {
    let name = try name?.validated()
    if isNode != nil, name == nil {
      throw GridError(.usage, "--is needs the name of a leader", hint: "gridctl leader show NAME --is NODE")
    }
    let session = try await CommandSession(global)
    guard let name else {
      let list = try await session.items(LeadersRequest(withSingletons: true))
      try session.renderer.list(list.elements, LeaderCommand.description(of: list.elements))
      return try session.warnOfMissing(list.missing)
    }
    let leader = try await session.json(LeaderRequest(name))
    switch session.renderer.format {
    case .table, .wide, .tsv, .name: try session.renderer.list([leader], LeaderCommand.description(of: [leader]))
    default: try session.renderer.object(leader, kind: "Leader", noun: "leader")
    }
    if let isNode, try LeadershipReport(json: leader).node != isNode { throw ExitCode(ExitStatus.negative.rawValue) }
  }
}

/// `gridctl leader watch`
struct LeaderWatchCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Follow who leads.",
    discussion: """
      Examples:
        gridctl leader watch
        gridctl leader watch nightly --count 1 -o jsonl
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: StreamOptions
  @Argument(help: ArgumentHelp("The leader's name.", valueName: "leader"))
  var name: LeaderArgument?

  func run() async throws {
    let name = try name.map { name throws(GridError) in try name.validated() }
    let choice = EventChoice(kinds: [GridEvent.Kind.leader.rawValue], name: name)
    let session = try await CommandSession(global)
    var printer = StreamPrinter(session: session, options: options, description: EventsCommand.description)
    printer.resumption = EventsCommand.resumption(choice)
    try await printer.run(EventStreamRequest(choice))
  }
}

/// `gridctl leader resign`
struct LeaderResignCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "resign", abstract: "Ask a leader to give up.",
    discussion: """
      The program under leader run gets SIGTERM; the next candidate leads once it has ended.

      Examples:
        gridctl leader resign nightly
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The leader's name.", valueName: "leader"))
  var name: LeaderArgument

  func run() async throws {
    let name = try name.validated()
    let session = try await CommandSession(global)
    try await session.confirm("make leader \(name) resign")
    let answer = try await session.json(ResignRequest(name))
    switch session.renderer.format {
    case .table, .wide:
      session.renderer.note(answer)
      try session.writer.foreign("\(name) was given up by node \(try ResignedLeadership(json: answer).node)\n")
    default: try session.renderer.object(answer, kind: "Leader", noun: "leader")
    }
  }
}
