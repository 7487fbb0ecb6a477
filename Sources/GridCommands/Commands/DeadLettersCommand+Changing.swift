internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests

extension DeadLettersCommand {
  struct Replay: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "replay", abstract: "Send dead letters again, under a fresh id, to their target or another.",
      discussion: """
        Which ones is said by their ids, or as list takes it; without ids only those that were not sent again yet. They
        go out oldest first, each once, and each is reported. What is not handled this time is a dead letter of its own.

        Examples:
          gridctl dead-letters replay 01JZX0M4T0W3V8KQ5R2B6C9D1E
          gridctl dead-letters replay --to 'orders-*' --since 03:12 --dry-run
          gridctl dead-letters replay --all --replay-to spare
        """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Their ids.", valueName: "dead-letter"))
    var ids: [LetterArgument] = []
    @OptionGroup var filter: Filter
    @Flag(help: "Every letter that was not sent again yet.")
    var all = false
    @Option(help: ArgumentHelp("Of those that match, the newest so many.", valueName: "count"))
    var count: Int?
    @Flag(help: "Say which would be sent, and send nothing.")
    var dryRun = false
    @Option(help: ArgumentHelp("Send to this actor instead of the original one.", valueName: "actor"))
    var replayTo: ActorArgument?

    static let description = ListDescription(
      kind: "ReplayList", noun: "dead-letter", nameField: "replayedAs",
      columns: [
        Column("ID", field: "id"), Column("REPLAYED-AS", field: "replayedAs"), Column("TARGET", field: "target"),
      ])

    func validate() throws {
      if !ids.isEmpty, all || count != nil || !filter.isEmpty {
        throw ValidationError("name dead letters, or say which ones with --to, --since, --reason or --all")
      }
    }

    func run() async throws {
      let target = try replayTo?.validated()
      var choice = try filter.request()
      let session = try await CommandSession(global)
      let reader = LetterReader(session: session)
      guard ids.isEmpty else {
        if !dryRun {
          return try await replay(ids.map { ReplayDeadLetterRequest($0.identifier, to: target) }, missing: [], reader)
        }
        var letters: [JSONValue] = []
        for id in ids { letters.append(try await reader.letter(id.identifier)) }
        return try session.renderer.list(letters, DeadLettersCommand.description)
      }
      guard all || !filter.isEmpty else {
        reader.remark("nothing was named: pass ids, --to, --since, --reason or --all")
        return try session.renderer.list([], Self.description)
      }
      choice.isReplayed = false
      let list = try await reader.letters(
        choice, limit: count.map { max(0, $0) } ?? .max,
        bodies: dryRun ? reader.shownBodies : .none)
      if list.elements.isEmpty { reader.remark("there is nothing to send again") }
      try await reader.warnOfUnlisted()
      if dryRun {
        try session.renderer.list(list.elements, DeadLettersCommand.description)
        return try session.warnOfMissing(list.missing)
      }
      if !list.elements.isEmpty { try await session.confirm("send \(list.elements.count) dead letters again") }
      // Of two who send the same letters again, one does.
      let requests = try list.items().map { ReplayDeadLetterRequest($0.identifier, to: target, isOnce: true) }
      try await replay(requests, missing: list.missing, reader)
    }

    private func replay(
      _ requests: [ReplayDeadLetterRequest], missing: [MissingNode], _ reader: LetterReader
    ) async throws {
      let session = reader.session
      var replayed: [JSONValue] = []
      var failures = 0
      for (number, request) in requests.enumerated() {
        do throws(GridError) {
          replayed.append(try await session.json(request))
        } catch {
          if requests.count == 1 { throw error }
          failures += 1
          ErrorReport(error: error, target: request.identifier).write(
            format: session.renderer.format, to: session.writer)
          guard session.connection.isClosed else { continue }
          let rest = requests.count - number - 1
          if rest > 0 { session.writer.error("\(rest) more were not sent: the connection is lost") }
          break
        }
      }
      try session.renderer.list(replayed, Self.description)
      if failures > 0 { throw ExitCode(ExitStatus.partial.rawValue) }
      try session.warnOfMissing(missing)
    }
  }

  struct Purge: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "purge", abstract: "Remove dead letters on all nodes.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: Filter

    func run() async throws {
      let letters = try filter.request()
      let session = try await CommandSession(global)
      try await session.confirm("remove dead letters on all nodes", asksAnyway: filter.isEmpty)
      let answer = try await session.json(PurgeDeadLettersRequest(letters))
      let purged = try PurgedDeadLetters(json: answer)
      if session.renderer.format == .table {
        session.renderer.note(answer)
        try session.writer.output("\(purged.removed) dead letters removed\n")
      } else {
        try session.renderer.object(["removed": .integer(purged.removed)], kind: "PurgeResult", noun: "dead-letters")
      }
      try session.warnOfMissing(purged.missing)
    }
  }
}
