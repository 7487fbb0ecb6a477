internal import ArgumentParser
internal import GridClient
internal import GridCore

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
        HumanText.excerpt(Column.text($0["body"]))
      },
      Column("REPLAYED", wideOnly: true, field: "replayedAs"), Column("SENDER", wideOnly: true, field: "sender"),
      Column("TYPE", wideOnly: true, field: "type"), Column("DETAIL", wideOnly: true, field: "detail"),
    ])

  /// Which letters.
  struct Filter: ParsableArguments {
    @Option(help: ArgumentHelp("Only letters with this reason; may be repeated.", valueName: "reason"))
    var reason: [String] = []
    @Option(help: ArgumentHelp("Only letters whose target matches; * stands for any characters.", valueName: "pattern"))
    var to: String?
    @Option(help: ArgumentHelp("Only letters of the last while.", valueName: "duration"))
    var since: String?

    func json() throws -> [String: JSONValue] {
      for reason in reason where DeadLetter.Reason(rawValue: reason) == nil {
        throw GridError(
          .usage, "unknown reason \(NameRules.quoted(reason))",
          hint: DeadLetter.Reason.allCases.map(\.rawValue).joined(separator: ", "))
      }
      var arguments: [String: JSONValue] = ["reasons": .array(reason.map { .string($0) })]
      arguments["target"] = to.map { .string($0) }
      if let since { arguments["sinceMilliseconds"] = .integer(try Since.milliseconds(since)) }
      return arguments
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
      let arguments = try filter.json()
      let session = try await CommandSession(global)
      var printer = StreamPrinter(session: session, options: options, description: DeadLettersCommand.description)
      let letters: @Sendable (CommandSession, JSONValue) async throws -> [JSONValue] = { session, arguments in
        let answer = try await session.request("deadLetters.list", arguments)
        return answer["items"]?.arrayValue ?? []
      }
      if filter.since != nil { printer.earlier = { try await letters($0, .object(arguments)) } }
      printer.resumption = StreamResumption(
        arguments: { _ in .object(arguments) },
        earlier: { try await letters($0, JSONValue.object(arguments).with("sinceMilliseconds", .integer($1))) },
        key: { Column.text($0["id"]) })
      try await printer.run("deadLetters.tail", .object(arguments))
    }
  }

  struct List: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the dead letters of all nodes that were not sent again yet.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: Filter
    @Option(help: ArgumentHelp("The newest so many.", valueName: "count"))
    var count: Int = 1000
    @Flag(help: "Also letters that were sent again.")
    var all = false

    func run() async throws {
      var arguments = try filter.json()
      if !all { arguments["replayed"] = false }
      arguments["limit"] = .integer(Int64(max(0, count)))
      try await CommandSession(global).list("deadLetters.list", .object(arguments), DeadLettersCommand.description)
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
      let letter = try await session.request("deadLetters.show", ["id": .string(id.identifier)])
      try session.renderer.object(letter, kind: "DeadLetter", noun: "dead-letter")
    }
  }

  struct Replay: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "replay", abstract: "Send dead letters again, under a fresh id, to their target or another.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Their ids.", valueName: "dead-letter"))
    var ids: [LetterArgument]
    @Option(help: ArgumentHelp("Send to this actor instead of the original one.", valueName: "actor"))
    var replayTo: ActorArgument?

    static let description = ListDescription(
      kind: "ReplayList", noun: "dead-letter", nameField: "replayedAs",
      columns: [
        Column("ID", fit: .whole, priority: ColumnPriority.name, field: "id"),
        Column("REPLAYED-AS", fit: .whole, field: "replayedAs"),
        Column("TARGET", fit: .middle(10), field: "target"),
      ])

    func run() async throws {
      var arguments: [String: JSONValue] = [:]
      if let replayTo { arguments["to"] = .string(try replayTo.validated()) }
      let session = try await CommandSession(global)
      var replayed: [JSONValue] = []
      var failures = 0
      for id in ids {
        arguments["id"] = .string(id.identifier)
        do throws(GridError) {
          replayed.append(try await session.request("deadLetters.replay", .object(arguments)))
        } catch {
          if ids.count == 1 { throw error }
          failures += 1
          ErrorReport(error: error, target: id.identifier).write(format: session.renderer.format, to: session.writer)
        }
      }
      try session.renderer.list(replayed, Self.description)
      if failures > 0 { throw ExitCode(ExitStatus.partial.rawValue) }
    }
  }

  struct Purge: GridCommand {
    static let configuration = CommandConfiguration(commandName: "purge", abstract: "Remove dead letters on all nodes.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: Filter

    func run() async throws {
      let arguments = try filter.json()
      let session = try await CommandSession(global)
      try await session.confirm("remove dead letters on all nodes", asksAnyway: arguments.count == 1)
      let answer = try await session.request("deadLetters.purge", .object(arguments))
      if session.renderer.format == .table {
        session.renderer.note(answer)
        try session.writer.output("\(Column.text(answer["removed"])) dead letters removed\n")
      } else {
        try session.renderer.object(["removed": answer["removed"] ?? .null], kind: "PurgeResult", noun: "dead-letters")
      }
      try session.warnOfMissing(answer)
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
