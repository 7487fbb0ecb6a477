internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests

/// `gridctl audit`
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Who did what, from where, and what became of it.",
    discussion: """
      Each node writes down what the clients that are connected to it change, before it is carried out, and once more
      when it is known what became of it; what it refuses, and who was not let in. Messages to actors are not written
      down, nor what only looks. The log is in audit/NODE.jsonl in the node's state directory, 64 MiB and the eight
      files before it, for its user alone. Where it cannot be written no change is made.

      Each record has a hash over the one before, so that none can be taken out or changed unseen. Whoever may write the
      files can make all of them anew: gridctl audit tail on another machine keeps what they cannot reach.

      Examples:
        gridctl audit list --since 1h
        gridctl audit list --denied -o json
        gridctl audit verify
      """,
    subcommands: [List.self, Tail.self, Verify.self])

  @OptionGroup var global: GlobalOptions

  func run() async throws { try Gridctl.needsVerb(Self.self) }

  static let description = ListDescription(
    kind: "AuditRecordList", noun: "audit-record", nameField: "seq",
    columns: [
      Column("TIME", fit: .whole, streamWidth: 20) { String(Column.text($0, "at").prefix(19)) + "Z" },
      Column("NODE", fit: .middle(8), priority: ColumnPriority.detail, streamWidth: 8, field: "node"),
      Column("CALLER", fit: .middle(10), priority: ColumnPriority.important, streamWidth: 16) {
        AuditCommand.caller($0, "name")
      },
      Column("FROM", fit: .middle(8), streamWidth: 16) { AuditCommand.caller($0, "from") },
      Column("VERB", fit: .whole, priority: ColumnPriority.name, streamWidth: 18, field: "verb"),
      Column("RESULT", fit: .whole, priority: ColumnPriority.important, streamWidth: 6, field: "result"),
      Column("SUBJECT", fit: .end(16), priority: ColumnPriority.important, streamWidth: 36, field: "subject"),
      Column("MESSAGE", wideOnly: true, streamWidth: 40, field: "message"),
      Column("ROLE", wideOnly: true, streamWidth: 8) { AuditCommand.caller($0, "role") },
      Column("BY", wideOnly: true, streamWidth: 11) { AuditCommand.caller($0, "source") },
      .number("SEQ", priority: ColumnPriority.detail, field: "seq"),
    ])

  /// A member of the caller.
  private static func caller(_ record: JSONValue, _ field: String) -> String {
    Column.member(record, "caller").map { Column.text($0, field) } ?? "-"
  }

  /// Which records.
  struct Filter: ParsableArguments {
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp("Only records since then: 5m, 03:12, a date or an RFC 3339 time.", valueName: "duration|time"))
    var since: String?
    @Option(help: ArgumentHelp("Only requests of this name; * stands for any characters.", valueName: "verb"))
    var verb: String?
    @Option(help: ArgumentHelp("Only of callers whose name matches.", valueName: "caller"))
    var caller: String?
    @Flag(help: "Only what was refused.")
    var denied = false

    func filter() throws -> AuditFilter {
      var filter = AuditFilter()
      if let since { filter.since = CalendarTime(millisecondsSince1970: try Since.milliseconds(since)) }
      (filter.verb, filter.caller) = (verb, caller)
      if denied { filter.result = .denied }
      return filter
    }
  }

  struct List: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the audit records of all nodes.",
      discussion: """
        The newest stand last. Those of nodes that are gone are told by the nodes that still run on their machine.

        Examples:
          gridctl audit list --since 1h --verb spawn
          gridctl audit list --caller alice --limit 10 -o wide
          gridctl audit list --denied -o jsonl
        """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: Filter
    @Option(help: ArgumentHelp("The newest so many (default: 1000 in a table, else all).", valueName: "count"))
    var limit: Int?

    /// As many as somebody reads.
    private static let standardLimit = 1000

    func run() async throws {
      let request = AuditListRequest(try filter.filter())
      let session = try await CommandSession(global)
      let limit = limit ?? (session.renderer.format.isTable ? Self.standardLimit : .max)
      let list = try await session.items(request, limit: max(0, limit))
      try session.renderer.list(list.elements.reversed(), AuditCommand.description)
      if list.isCut, !session.settings.isQuiet { session.writer.error("older ones are not shown: raise --limit") }
      try session.warnOfMissing(list.missing)
    }
  }

  struct Tail: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "tail", abstract: "Follow the audit records of all nodes as they come.",
      discussion: """
        When the node that was asked is gone, the stream goes on at another one, from where it was.

        Examples:
          gridctl audit tail
          gridctl audit tail --since 1h --denied -o jsonl
        """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: Filter
    @OptionGroup var options: StreamOptions

    func run() async throws {
      let wanted = try filter.filter()
      let session = try await CommandSession(global)
      var printer = StreamPrinter(session: session, options: options, description: AuditCommand.description)
      if wanted.since != nil {
        printer.earlier = { try await $0.items(AuditListRequest(wanted)).elements.reversed() }
      }
      printer.resumption = StreamResumption(
        earlier: { session, since in
          var earlier = wanted
          earlier.since = CalendarTime(millisecondsSince1970: since)
          return try await session.items(AuditListRequest(earlier)).elements.reversed()
        },
        mark: { item in
          (try? AuditRecord(json: item)).map { ("\($0.node)/\($0.sequence)", $0.at.millisecondsSince1970) }
        })
      try await printer.run(AuditStreamRequest(wanted))
    }
  }

  struct Verify: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Say whether the audit logs of all nodes are whole.",
      discussion: """
        Each node looks at its own files. Ends with 0 when every chain is whole, with 2 when one is broken: then node,
        file and line are named, which is the first line that does not follow the one before.

        Examples:
          gridctl audit verify
          gridctl audit verify -o json
        """)

    @OptionGroup var global: GlobalOptions

    /// Files may be large.
    private static let patience = Duration.seconds(60)

    static let description = ListDescription(
      kind: "AuditVerdictList", noun: "node", nameField: "node",
      columns: [
        Column("NODE", fit: .middle(8), priority: ColumnPriority.name, field: "node"),
        Column("OK", fit: .whole, priority: ColumnPriority.important) { Column.isTrue($0, "ok") ? "yes" : "no" },
        .number("RECORDS", field: "records"), .number("FILES", field: "files"),
        Column("FILE", fit: .middle(8), field: "file"), .number("LINE", field: "line"),
        Column("PROBLEM", fit: .end(16), priority: ColumnPriority.important, field: "problem"),
      ])

    func run() async throws {
      let session = try await CommandSession(global)
      let answer = try await session.request(AuditVerifyRequest(), patience: Self.patience)
      try session.renderer.list(answer.verdicts.map(\.json), Self.description)
      let broken = answer.verdicts.filter { !$0.isWhole }
      for verdict in broken {
        session.writer.error(
          "error: the audit log of node \(verdict.node) is broken at \(verdict.file ?? "-") line \(verdict.line ?? 0): "
            + (verdict.problem ?? "-"))
      }
      if !broken.isEmpty { throw ExitCode(ExitStatus.negative.rawValue) }
      try session.warnOfMissing(answer.missing)
    }
  }
}
