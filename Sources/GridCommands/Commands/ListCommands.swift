internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSystem

/// `gridctl peers`
struct PeersCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "peers", _superCommandName: "gridctl",
    abstract: "List the nodes of the cluster.",
    discussion: """
      Examples:
        gridctl peers
        gridctl peers --status dead -o name
        gridctl peers -l zone=a -o json
        gridctl peers --watch -o jsonl
      """)

  @OptionGroup var global: GlobalOptions
  @Option(
    help: ArgumentHelp("Only peers of this status: alive, suspect, dead, left; may be repeated.", valueName: "status"))
  var status: [String] = []
  @Option(
    name: [.customShort("l"), .long],
    help: ArgumentHelp("Only peers with this label; may be repeated.", valueName: "key=value"))
  var label: [KeyValueArgument] = []
  @Flag(name: [.customShort("w"), .long], help: "Go on with what changes.")
  var watch = false

  static let description = ListDescription(
    kind: "PeerList", noun: "peer",
    columns: [
      Column("NODE", fit: .middle(12), priority: ColumnPriority.name) {
        "\(Column.text($0, "name"))\(Column.isTrue($0, "self") ? "*" : "")"
      },
      Column("ADDRESS", fit: .middle(15), streamWidth: 16, field: "address"),
      Column(
        "STATUS", fit: .whole, priority: ColumnPriority.important, streamWidth: 7, style: TextStyle.status,
        field: "status"),
      .duration("RTT", seconds: "rttSeconds"), .number("ACTORS", field: "actors"),
      .number("MAILBOX", priority: ColumnPriority.important, field: "mailbox"),
      .duration("UPTIME", priority: ColumnPriority.detail, seconds: "uptimeSeconds"),
      .number("INCARNATION", wideOnly: true, field: "incarnation"), Column("VERSION", wideOnly: true, field: "version"),
      Column("LABELS", wideOnly: true, field: "labels"), Column("KINDS", wideOnly: true, field: "kinds"),
    ])

  func run() async throws {
    for status in status where PeerReport.Status(rawValue: status) == nil {
      throw GridError(.usage, "unknown status \(NameRules.quoted(status))", hint: "alive, suspect, dead or left")
    }
    let session = try await CommandSession(global)
    if watch {
      return try await ListWatch(
        session: session, request: PeersRequest(), node: nil, events: [.peer, .node], description: Self.description,
        fields: ["address", "status", "incarnation", "labels", "version", "kinds"], filter: matches
      ).run()
    }
    let list = try await session.items(PeersRequest())
    let chosen = zip(list.elements, try list.items()).filter { matches($1) }.map(\.0)
    try session.renderer.list(chosen, Self.description)
    try session.warnOfMissing(list.missing)
  }
}

extension PeersCommand {
  @Sendable
  private func matches(_ peer: PeerReport) -> Bool {
    (status.isEmpty || status.contains(peer.status.rawValue)) && label.allSatisfy { peer.labels[$0.key] == $0.value }
  }
}

/// `gridctl actors`
struct ActorsCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "actors", _superCommandName: "gridctl",
    abstract: "List the actors of the cluster.",
    discussion: """
      Actors without a name, which programs make by the thousand, are told with --anonymous only; they make no events.
      Their addresses, as echo~7@n1.42, are good wherever a name is.

      Examples:
        gridctl actors
        gridctl actors 'orders-*' --min-mailbox 100
        gridctl actors --kind exec --on n2 -o name
        gridctl actors --watch -o jsonl
        gridctl actors --anonymous --limit 10
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "Only actors whose name matches; * stands for any characters.")
  var pattern: String?
  @Option(help: ArgumentHelp("Only actors of this kind.", valueName: "kind"))
  var kind: String?
  @Option(help: ArgumentHelp("Only actors on this node.", valueName: "node"))
  var on: String?
  @Option(help: ArgumentHelp("Only actors with so many messages waiting.", valueName: "count"))
  var minMailbox: Int?
  @Option(help: ArgumentHelp("At most so many lines.", valueName: "count"))
  var limit: Int?
  @Flag(help: "Also actors without a name.")
  var anonymous = false
  @Flag(help: "One line a kind and node, with totals.")
  var summary = false
  @Flag(name: [.customShort("w"), .long], help: "Go on with what changes.")
  var watch = false

  static let description = ListDescription(
    kind: "ActorList", noun: "actor",
    columns: [
      .actorName, Column("KIND", fit: .middle(8), priority: ColumnPriority.detail, field: "kind"),
      Column("NODE", fit: .middle(8), streamWidth: 8, field: "node"), .actorStatus,
      .number("MAILBOX", priority: ColumnPriority.important, field: "mailbox"),
      .number("PROCESSED", streamWidth: 10, field: "processed"), .number("FAILURES", field: "failures"),
      .number("RESTARTS", priority: ColumnPriority.detail, field: "restarts"),
      .duration("UPTIME", priority: ColumnPriority.detail, seconds: "uptimeSeconds"),
      .duration("IN-HAND", wideOnly: true, seconds: "inHandSeconds"),
      .duration("OLDEST", wideOnly: true, seconds: "oldestSeconds"),
      .duration("P50", wideOnly: true, seconds: "handlerP50Seconds"),
      .duration("P99", wideOnly: true, seconds: "handlerP99Seconds"),
      .number("EPOCH", wideOnly: true, field: "epoch"),
    ])

  static let summaryDescription = ListDescription(
    kind: "ActorSummaryList", noun: "kind", nameField: "kind",
    columns: [
      Column("KIND", fit: .middle(12), priority: ColumnPriority.name, field: "kind"),
      Column("NODE", fit: .middle(8), field: "node"), .number("ACTORS", field: "actors"),
      .number("MAILBOX", priority: ColumnPriority.important, field: "mailbox"), .number("FAILURES", field: "failures"),
      .number("RESTARTS", field: "restarts"),
    ])

  func run() async throws {
    let request = ActorsRequest(
      pattern: pattern.map { $0.hasPrefix("actor/") ? String($0.dropFirst(6)) : $0 }, kind: kind,
      minimumMailbox: minMailbox ?? 0, withAnonymous: anonymous)
    let description = Self.description.knowing(kind == nil ? nil : "KIND", on == nil ? nil : "NODE")
    if watch, summary || limit != nil { throw GridError(.usage, "--watch goes without --summary and --limit") }
    let session = try await CommandSession(global)
    if watch {
      var list = ListWatch(
        session: session, request: request, node: on, events: [.actor, .peer],
        description: description, fields: ["kind", "node", "status", "failures", "restarts", "epoch"],
        filter: { _ in true })
      // Actors without a name make no events, nor do mailboxes.
      if !anonymous, minMailbox == nil { list.narrowed = { $0.narrowed(to: $1) } }
      return try await list.run()
    }
    if summary {
      let list = try await session.items(ActorSummariesRequest(request), on: on)
      try session.renderer.list(list.elements, Self.summaryDescription)
      return try session.warnOfMissing(list.missing)
    }
    var printer = RowPrinter(session.renderer, description)
    var asked = request
    asked.isShort = printer.showsNamesAlone
    let end = try await session.rows(asked, on: on, limit: limit.map { max(0, $0) } ?? .max) {
      page throws(GridError) in try printer.take(page)
    }
    try printer.finish()
    if limit != nil, let total = end.total, total > end.count, !session.settings.isQuiet {
      session.writer.error("\(total - end.count) more: raise --limit or narrow the pattern")
    }
    try session.warnOfMissing(end.missing)
  }
}

/// `gridctl kinds`
struct KindsCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "kinds", _superCommandName: "gridctl",
    abstract: "List what can be spawned, and on which nodes.")

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    try await CommandSession(global).list(
      KindsRequest(),
      ListDescription(
        kind: "KindList", noun: "kind",
        columns: [
          Column("KIND", fit: .middle(12), priority: ColumnPriority.name, field: "name"),
          Column("NODES", fit: .end(12), field: "nodes"),
        ]))
  }
}

/// `gridctl inspect`
struct InspectCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", _superCommandName: "gridctl",
    abstract: "Show one actor: where it runs, its mailbox, its last failure.",
    discussion: """
      How it is, what is in hand and waits, how long messages take, what it runs, its last failure, and the latest
      events on nodes that are there. -o wide shows every member that -o json has, among them inHand (1 or 0),
      inHandSeconds, oldestSeconds, handlerP50Seconds and handlerP99Seconds, as gridctl actors
      has them, too: null where nothing is in hand, nothing waits, or nothing was slow enough to be measured.

      Examples:
        gridctl inspect calc
        gridctl inspect actor/calc -o json
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The actor's name.", valueName: "actor"))
  var actor: ActorArgument

  func run() async throws {
    let session = try await CommandSession(global)
    let name = try actor.validated()
    guard session.renderer.format == .table else {
      let answer = try await session.json(InspectRequest(name))
      return try session.renderer.object(answer, kind: "Actor", noun: "actor")
    }
    let page = try await InspectPage.of(name, session, now: SystemClock().date())
    session.renderer.note(page.actor)
    try session.writer.output(
      page.text(width: session.writer.outputWidth, usesColor: session.renderer.usesColor))
  }
}
