internal import GridClient
internal import GridCommands
internal import GridCore

/// The session's own commands: `:NAME …`.
enum ColonCommands {
  struct Command: Sendable {
    var name: String
    var aliases: [String] = []
    var usage: String
    var summary: String
    /// How many arguments it takes.
    var arguments: ClosedRange<Int>
    var run: @Sendable (_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32

    var names: [String] { [name] + aliases }
  }

  /// Runs one.
  ///
  /// - Throws: ``GridError/Code/usage`` for an unknown name or wrong arguments, and what the command throws.
  static func run(_ name: String, _ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> StatementEnd
  {
    guard let command = all.first(where: { $0.names.contains(name) }) else {
      let similar = NameSimilarity.similar(to: name, in: all.flatMap(\.names)).map { ":" + $0 }
      throw GridError(
        .usage, "there is no :\(name)",
        hint: similar.isEmpty ? ":help lists them" : "similar: \(similar.joined(separator: ", "))")
    }
    guard command.arguments.contains(arguments.count) else { throw GridError(.usage, "usage: :\(command.usage)") }
    return StatementEnd(code: try await command.run(arguments, evaluator))
  }

  static let all: [Command] = [
    Command(
      name: "use", usage: "use CONTEXT", summary: "go to another cluster, by the name of its context", arguments: 1...1,
      run: use),
    Command(
      name: "attach", usage: "attach NODE", summary: "go to another node", arguments: 1...1, run: attach),
    Command(
      name: "events", usage: "events [on|off|all|KINDS]", summary: "choose what is shown above the prompt",
      arguments: 0...8, run: events),
    Command(
      name: "explain", usage: "explain", summary: "tell all that is known of the last error", arguments: 0...0,
      run: explain),
    Command(name: "values", usage: "values", summary: "list variables and results", arguments: 0...0, run: values),
    Command(name: "jobs", usage: "jobs", summary: "list what runs behind the prompt", arguments: 0...0, run: jobs),
    Command(
      name: "fg", usage: "fg [NUMBER]", summary: "bring a job before the prompt", arguments: 0...1, run: foreground),
    Command(name: "kill", usage: "kill [NUMBER]", summary: "end a job", arguments: 0...1, run: kill),
    Command(
      name: "set", usage: "set [NAME VALUE]", summary: "show or change: output, timeout, prompt, timing",
      arguments: 0...2, run: SessionSettingsCommand.run),
    Command(
      name: "timing", usage: "timing [on|off]", summary: "show how long each line took", arguments: 0...1, run: timing),
    Command(
      name: "history", usage: "history [COUNT]", summary: "show what was typed", arguments: 0...1,
      run: LineCommands.history),
    Command(
      name: "edit", usage: "edit", summary: "edit the last line", arguments: 0...0, run: LineCommands.edit),
    Command(
      name: "save", usage: "save NAME [COUNT]", summary: "keep the last lines as a script", arguments: 1...2,
      run: LineCommands.save),
    Command(
      name: "source", usage: "source FILE|NAME", summary: "run a script", arguments: 1...1, run: LineCommands.source),
    Command(
      name: "help", aliases: ["h"], usage: "help [NAME]", summary: "tell what there is", arguments: 0...4, run: help),
    Command(
      name: "quit", aliases: ["q", "exit"], usage: "quit", summary: "leave; nodes go on", arguments: 0...0, run: quit),
  ]

  // MARK: The cluster

  private static func attach(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    let name = arguments[0].split(separator: "/").last.map(String.init) ?? arguments[0]
    try await evaluator.core.cluster.attach(
      to: try NameRules.validated(name, as: "node"), timeout: evaluator.core.timeout)
    if evaluator.core.jobs.background.isEmpty { evaluator.core.cluster.closeRetired() }
    return 0
  }

  private static func use(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    let services = try evaluator.core.services.using(context: arguments[0])
    try await evaluator.core.cluster.use(services.places)
    evaluator.core.enter(services)
    if evaluator.core.jobs.background.isEmpty { evaluator.core.cluster.closeRetired() }
    return 0
  }

  private static func events(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    guard let feed = evaluator.core.feed else {
      throw GridError(.usage, "a script shows no events", hint: "use the command: events --count 10")
    }
    if !arguments.isEmpty { feed.choose(try ShownEvents(arguments.joined(separator: ","))) }
    try evaluator.sink.line("events: \(feed.choice.text)")
    return 0
  }

  // MARK: What happened

  private static func explain(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    guard let error = evaluator.core.lastError else {
      try evaluator.sink.line("nothing has failed")
      return 0
    }
    let outcome = CommandOutcome(error)
    var lines = ["error \(outcome.code) (\(error.code.label)): \(error.message)"]
    if let meaning = SessionServices.meaning(ofExitCode: outcome.code) {
      lines.append("  \(outcome.code) means: \(meaning)")
    }
    if let cause = error.cause { lines.append("  cause: \(cause)") }
    if let hint = error.hint { lines.append("  try: \(hint)") }
    for line in lines { try evaluator.sink.line(SessionServices.printable(line)) }
    return 0
  }

  private static func values(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    let values = evaluator.core.values
    var rows: [(String, JSONValue)] = values.names.compactMap { name in
      values.value(of: Reference(name: name)).map { ("$" + name, $0.json) }
    }
    rows += values.numberedResults.map { ("$\($0.number)", $0.value.json) }
    for (name, value) in rows {
      let text = value.text
      let excerpt = text.count > 70 ? text.prefix(69) + "…" : text
      let padding = String(repeating: " ", count: max(1, 8 - name.count))
      try evaluator.sink.line(SessionServices.printable("\(name)\(padding)\(excerpt)"))
    }
    return 0
  }

  private static func timing(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    try SessionSettingsCommand.set(
      "timing", arguments.first ?? (evaluator.core.settings.showsTiming ? "off" : "on"), evaluator)
    try evaluator.sink.line("timing: \(evaluator.core.settings.showsTiming ? "on" : "off")")
    return 0
  }

  // MARK: Jobs

  private static func number(_ arguments: [String]) throws(GridError) -> Int? {
    guard let text = arguments.first else { return nil }
    guard let number = Int(text.hasPrefix("%") ? String(text.dropFirst()) : text) else {
      throw GridError(.usage, "\(NameRules.quoted(text)) is no job's number", hint: ":jobs lists them")
    }
    return number
  }

  private static func jobs(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    for (number, job) in evaluator.core.jobs.background { try evaluator.sink.line("[\(number)] \(job.text)") }
    return 0
  }

  private static func foreground(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    let (number, job) = try evaluator.core.jobs.job(try number(arguments))
    job.sink.move(to: .foreground)
    await job.wait()
    if Task.isCancelled {
      job.cancel()
      // What it still says comes before the prompt.
      await job.settled()
    }
    evaluator.core.jobs.remove(number)
    return job.exitCode ?? Evaluator.cancelled
  }

  private static func kill(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    let (_, job) = try evaluator.core.jobs.job(try number(arguments))
    job.cancel()
    await job.wait()
    return 0
  }

  // MARK: The session

  private static func help(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    try evaluator.sink.output(
      Array(try SessionHelp.text(for: arguments, columns: evaluator.sink.terminalWidth).utf8))
    return 0
  }

  private static func quit(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    evaluator.core.leave(0)
    return 0
  }
}

/// `:set`
enum SessionSettingsCommand {
  static let names = ["output", "prompt", "timeout", "timing"]

  static func run(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    if arguments.count == 2 {
      try set(arguments[0], arguments[1], evaluator)
      return 0
    }
    if let name = arguments.first, !names.contains(name) { throw unknown(name) }
    for name in names where arguments.isEmpty || arguments[0] == name {
      let padding = String(repeating: " ", count: max(1, 10 - name.count))
      try evaluator.sink.line("\(name)\(padding)\(value(name, evaluator.core))")
    }
    return 0
  }

  private static func value(_ name: String, _ core: SessionCore) -> String {
    let settings = core.settings
    return switch name {
    case "output": core.outputFormat ?? "table"
    case "timeout": core.timeout.gridText
    case "timing": settings.showsTiming ? "on" : "off"
    default: settings.prompt.format
    }
  }

  private static func unknown(_ name: String) -> GridError {
    let similar = NameSimilarity.similar(to: name, in: names)
    return GridError(
      .usage, "there is no setting \(NameRules.quoted(name))",
      hint:
        "\(similar.isEmpty ? "settings" : "similar"): \((similar.isEmpty ? names : similar).joined(separator: ", "))")
  }

  /// - Throws: ``GridError/Code/usage`` for an unknown name or a wrong value.
  static func set(_ name: String, _ value: String, _ evaluator: Evaluator) throws(GridError) {
    let core = evaluator.core
    switch name {
    case "output":
      guard SessionServices.isFormat(value) else {
        throw GridError(
          .usage, "unknown output format \(NameRules.quoted(value))",
          hint: "table, wide, json, jsonl, yaml, name or tsv")
      }
      core.changeSettings { $0.variables["GRIDCTL_OUTPUT"] = value }
    case "timeout":
      guard let timeout = Duration(gridText: value), timeout > .zero else {
        throw GridError(.usage, "\(NameRules.quoted(value)) is no duration", hint: "write 250ms, 5s, 2m or 1h30m")
      }
      core.changeSettings { $0.variables["GRIDCTL_TIMEOUT"] = value }
    case "timing":
      guard value == "on" || value == "off" else {
        throw GridError(.usage, "timing is on or off, not \(NameRules.quoted(value))")
      }
      core.changeSettings { $0.showsTiming = value == "on" }
    case "prompt":
      // What moves the cursor would garble the line; names and signs are enough.
      let text = SessionServices.printable(value)
      core.changeSettings { $0.prompt.format = text.isEmpty ? PromptStyle.standard : text }
    default: throw unknown(name)
    }
  }
}
