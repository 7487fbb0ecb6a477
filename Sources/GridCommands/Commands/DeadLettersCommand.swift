internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests

/// `gridctl dead-letters`
struct DeadLettersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters", abstract: "Messages that were not handled: follow, list, send again.",
    discussion: """
      Examples:
        gridctl dead-letters tail
        gridctl dead-letters list --reason mailbox-full --since 1h -o json
        gridctl dead-letters list -o name | xargs gridctl dead-letters replay
      """,
    subcommands: [Tail.self, List.self, Show.self, Replay.self, Purge.self], defaultSubcommand: Tail.self)

  static let description = ListDescription(
    kind: "DeadLetterList", noun: "dead-letter", nameField: "id",
    columns: [
      // Whole: it is what the other commands take.
      Column("ID", fit: .whole, priority: ColumnPriority.name, streamWidth: 26, field: "id"), .timeOfDay(),
      Column("NODE", fit: .middle(8), priority: ColumnPriority.detail, streamWidth: 8, field: "node"),
      Column("REASON", fit: .whole, priority: ColumnPriority.important, streamWidth: 13, field: "reason"),
      Column("TARGET", fit: .middle(10), priority: ColumnPriority.important, streamWidth: 16, field: "target"),
      .number("COUNT", priority: ColumnPriority.detail, field: "count"),
      Column("BODY", fit: .end(14), priority: ColumnPriority.important, streamWidth: 40) {
        DeadLettersCommand.excerpt($0)
      },
      Column("REPLAYED", wideOnly: true, field: "replayedAs"), Column("SENDER", wideOnly: true, field: "sender"),
      Column("TYPE", wideOnly: true, field: "type"), Column("DETAIL", wideOnly: true, field: "detail"),
    ])

  /// The beginning of a body, or its size where it is not there.
  private static func excerpt(_ letter: JSONValue) -> String {
    guard Column.isTrue(letter, "bodyLeftOut") else { return HumanText.excerpt(Column.text(letter, "body")) }
    return "\(Column.text(letter, "bodyBytes")) bytes"
  }

  /// Which letters.
  struct Filter: ParsableArguments {
    @Option(help: ArgumentHelp("Only letters with this reason; may be repeated.", valueName: "reason"))
    var reason: [String] = []
    @Option(help: ArgumentHelp("Only letters whose target matches; * stands for any characters.", valueName: "pattern"))
    var to: String?
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp("Only letters since then: 5m, 03:12, a date or an RFC 3339 time.", valueName: "duration|time"))
    var since: String?

    /// Whether it leaves any letter out.
    var isEmpty: Bool { reason.isEmpty && to == nil && since == nil }

    func request() throws -> DeadLetterFilter {
      var filter = DeadLetterFilter()
      for text in reason {
        guard let reason = DeadLetter.Reason(rawValue: text) else {
          throw GridError(
            .usage, "unknown reason \(NameRules.quoted(text))",
            hint: DeadLetter.Reason.allCases.map(\.rawValue).joined(separator: ", "))
        }
        filter.reasons.append(reason)
      }
      filter.target = to
      if let since { filter.since = CalendarTime(millisecondsSince1970: try Since.milliseconds(since)) }
      return filter
    }
  }

  struct Tail: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "tail", abstract: "Follow the dead letters of all nodes as they come.",
      discussion: """
        When the node that was asked is gone, the stream goes on at another one, from where it was.

        Examples:
          gridctl dead-letters tail
          gridctl dead-letters tail --since 1h --to 'orders-*' -o jsonl
        """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: Filter
    @OptionGroup var options: StreamOptions

    func run() async throws {
      let letters = try filter.request()
      let session = try await CommandSession(global)
      var printer = StreamPrinter(session: session, options: options, description: DeadLettersCommand.description)
      if filter.since != nil { printer.earlier = { try await LetterReader(session: $0).letters(letters).elements } }
      printer.resumption = StreamResumption(
        earlier: { session, since in
          var earlier = letters
          earlier.since = CalendarTime(millisecondsSince1970: since)
          return try await LetterReader(session: session).letters(earlier).elements
        },
        mark: { item in
          (try? DeadLetter(json: item)).map { ($0.identifier, $0.at.millisecondsSince1970) }
        })
      try await printer.run(DeadLetterStreamRequest(letters))
    }
  }

  struct List: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the dead letters of all nodes that were not sent again yet.",
      discussion: """
        Those that nodes which are gone have left on a machine are told by the nodes that still run there.

        Examples:
          gridctl dead-letters list --reason mailbox-full --since 03:12
          gridctl dead-letters list --to 'orders-*' --all -o json
        """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: Filter
    @Option(help: ArgumentHelp("The newest so many (default: 1000 in a table, else all).", valueName: "count"))
    var count: Int?
    @Flag(help: "Also letters that were sent again.")
    var all = false

    /// As many as somebody reads.
    private static let standardCount = 1000

    func run() async throws {
      var letters = try filter.request()
      if !all { letters.isReplayed = false }
      let session = try await CommandSession(global)
      let reader = LetterReader(session: session)
      let limit = count ?? (session.renderer.format.isTable ? Self.standardCount : .max)
      let list = try await reader.letters(letters, limit: max(0, limit), bodies: reader.shownBodies)
      try session.renderer.list(list.elements, DeadLettersCommand.description)
      if list.isCut { reader.remark("older ones are not shown: raise --count") }
      try await reader.warnOfUnlisted()
      try session.warnOfMissing(list.missing)
    }
  }

  struct Show: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Show one dead letter, with its body.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Its id.", valueName: "dead-letter"))
    var id: LetterArgument

    func run() async throws {
      let session = try await CommandSession(global)
      let letter = try await LetterReader(session: session).letter(id.identifier)
      try session.renderer.object(letter, kind: "DeadLetter", noun: "dead-letter")
    }
  }
}

/// A dead letter on the command line: its id, or `dead-letter/ID` as `-o name` prints it.
struct LetterArgument: ExpressibleByArgument, Sendable {
  let identifier: String

  init(argument: String) {
    identifier = argument.hasPrefix("dead-letter/") ? String(argument.dropFirst(12)) : argument
  }
}
