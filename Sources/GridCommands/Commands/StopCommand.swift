internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests

/// `gridctl stop`
struct StopCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", _superCommandName: "gridctl",
    abstract: "Stop actors; their waiting mail becomes dead letters.",
    discussion: """
      In a name * stands for any characters and ? for one: quote it, so that the shell leaves it alone. A pattern that
      several actors match asks first on a terminal; see: gridctl help questions.

      Examples:
        gridctl stop calc
        gridctl stop 'orders-*' --yes
        gridctl actors --kind exec --on n2 -o name | xargs gridctl stop
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The actors' names, or patterns.", valueName: "actor"))
  var actors: [ActorPatternArgument]
  @Flag(help: "Do not wait for the current message to be handled.")
  var kill = false

  func run() async throws {
    try await ActorChange(
      request: { [kill] in StopRequest($0, kills: kill) }, done: "has stopped", kind: "StoppedActorList",
      forgivesAbsence: true
    ).run(actors, global)
  }
}

/// `gridctl restart`
struct RestartCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "restart", _superCommandName: "gridctl",
    abstract: "Start the programs or states of actors afresh; their waiting mail is kept.",
    discussion: """
      The actor keeps its name, its node and its fencing token, and takes the next message once it has started. The
      message in hand is broken off and becomes a dead letter; what a one-way program has not read yet is mail again.
      It does not count as a failure, and a pause before a restart by supervision ends with it.

      In a name * stands for any characters and ? for one: quote it, so that the shell leaves it alone. A pattern that
      several actors match asks first on a terminal; see: gridctl help questions.

      Examples:
        gridctl restart importer
        gridctl restart 'orders-*' --yes
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The actors' names, or patterns.", valueName: "actor"))
  var actors: [ActorPatternArgument]

  func run() async throws {
    try await ActorChange(
      request: { RestartRequest($0) }, done: "has restarted", kind: "RestartedActorList", forgivesAbsence: false
    ).run(actors, global)
  }
}

/// A request that is made for each of the actors that names and patterns stand for.
struct ActorChange<Request: NodeRequest> {
  /// The request for the actor of a name.
  var request: (String) -> Request
  /// What is said of an actor afterwards.
  var done: String
  /// Of the list of those it was done for.
  var kind: String
  /// Whether an actor that was found by a pattern and has gone meanwhile is as good as one that it was done for.
  var forgivesAbsence: Bool

  /// Names that a question shows.
  private static var shownNames: Int { 5 }

  func run(_ actors: [ActorPatternArgument], _ global: GlobalOptions) async throws {
    let targets = try actors.map { text throws(GridError) in try text.target() }
    let session = try await CommandSession(global)
    var outcome = Outcome()
    let (names, isChosen) = try await find(targets, session, &outcome)
    if !names.isEmpty {
      try await session.confirm(question(names, isChosen: isChosen), asksAnyway: !isChosen && names.count > 1)
    }
    let isForPeople = session.renderer.format == .table || session.renderer.format == .wide
    for name in names {
      do throws(GridError) {
        outcome.changed.append(try await session.json(request(name)))
        if isForPeople { try session.writer.foreign("\(name) \(done)\n") }
      } catch {
        if error.code == .noSuchActor, forgivesAbsence, !isChosen { continue }
        if names.count == 1, actors.count == 1 { throw error }
        outcome.fail(error, target: name, session)
      }
    }
    if isForPeople {
      session.renderer.note(.array(outcome.changed))
    } else {
      try show(outcome, session)
    }
    if outcome.isPartial { throw ExitCode(ExitStatus.partial.rawValue) }
  }

  private struct Outcome {
    var changed: [JSONValue] = []
    var failures: [JSONValue] = []
    /// Whether something was left out or went wrong.
    var isPartial = false

    mutating func fail(_ error: GridError, target: String, _ session: CommandSession) {
      let report = ErrorReport(error: error, target: target)
      failures.append(report.body)
      report.write(format: session.renderer.format, to: session.writer)
      isPartial = true
    }
  }

  /// The names that are meant, each once, and whether somebody has written every one of them.
  ///
  /// - Throws: ``GridError/Code/noSuchActor`` when a pattern is all there is, and nothing matches it.
  private func find(
    _ targets: [ActorTarget], _ session: CommandSession, _ outcome: inout Outcome
  ) async throws -> (names: [String], isChosen: Bool) {
    var names: [String] = []
    var isChosen = true
    for target in targets {
      switch target {
      case .name(let name): names.append(name)
      case .pattern(let pattern):
        isChosen = false
        let list = try await session.items(ActorsRequest(pattern: pattern.text))
        if (try? session.warnOfMissing(list.missing)) == nil { outcome.isPartial = true }
        let found = try list.items().map(\.name).sorted()
        if found.isEmpty {
          let error = Self.noMatch(pattern, session)
          if targets.count == 1, list.missing.isEmpty { throw error }
          outcome.fail(error, target: pattern.text, session)
        }
        names += found
      }
    }
    var seen: Set<String> = []
    return (names.filter { seen.insert($0).inserted }, isChosen)
  }

  private static func noMatch(_ pattern: NamePattern, _ session: CommandSession) -> GridError {
    GridError(
      .noSuchActor, "no actor matches \(NameRules.quoted(pattern.text)) in namespace \(session.settings.namespace)",
      hint: "see what runs with: gridctl actors")
  }

  private func question(_ names: [String], isChosen: Bool) -> String {
    guard names.count > 1 else { return "\(Request.verb) actor \(names.first ?? "")" }
    guard !isChosen else { return "\(Request.verb) \(names.count) actors" }
    let shown = names.prefix(Self.shownNames).joined(separator: ", ")
    return "\(Request.verb) \(names.count) actors (\(shown)\(names.count > Self.shownNames ? ", …" : ""))"
  }

  private func show(_ outcome: Outcome, _ session: CommandSession) throws {
    switch session.renderer.format {
    case .json, .yaml, .jsonPath:
      let document: JSONValue = ["items": .array(outcome.changed), "failures": .array(outcome.failures)]
      try session.renderer.object(document, kind: kind, noun: "actor")
    default:
      let columns = [Column<JSONValue>.actorName, Column("NODE", field: "node")]
      try session.renderer.list(
        outcome.changed, ListDescription<JSONValue>(kind: kind, noun: "actor", columns: columns))
    }
  }
}
