internal import GridClient
internal import GridCommands
internal import GridCore

/// How a statement ended.
struct StatementEnd: Sendable {
  var code: Int32 = 0
  var error: GridError?
  var value: SessionValue?

  init(code: Int32 = 0, error: GridError? = nil, value: SessionValue? = nil) {
    self.code = code
    self.error = error
    self.value = value
  }

  init(_ outcome: CommandOutcome, value: SessionValue? = nil) {
    self.init(code: outcome.code, error: outcome.error, value: value)
  }

  /// An error that is yet to be told.
  init(_ error: GridError) { self.init(CommandOutcome(error)) }
}

/// Runs statements, one after the other.
struct Evaluator: Sendable {
  let core: SessionCore
  /// Where results go.
  var sink: any OutputSink
  /// The text the statements were read from, for marks under what is wrong.
  var source = ""
  /// The script that the text is of, and the number of its first line there, from 1; nil for what was typed.
  var script: (name: String, line: Int)?
  /// Whether `$_`, `$?` and variables change: not behind the prompt.
  var changesValues = true
  /// The values that are seen where they do not change.
  var snapshot: SessionValues?
  /// The row inside `each`.
  var row: RowQueue.Row?
  /// Whom commands may ask; nobody behind the prompt and in scripts.
  var questioner: (any Questioner)?

  /// Runs statements until one fails where that ends a script, or the session is left.
  ///
  /// - Returns: the code of the last one; of the failing one where failures are collected.
  @discardableResult
  func run(_ statements: [Statement]) async -> Int32 {
    var code: Int32 = 0
    for statement in statements {
      if core.exitCode != nil { break }
      if Task.isCancelled { return Self.cancelled }
      let end = await run(statement)
      code = end.code
      if code != 0, core.settings.stopsOnError { break }
    }
    return code
  }

  /// The exit code of what Ctrl-C ended.
  static let cancelled = CommandOutcome(GridError(.cancelled, "cancelled")).code

  private func run(_ statement: Statement) async -> StatementEnd {
    switch statement {
    case .choice(let test, let then, let otherwise):
      return await telling { () throws(GridError) in
        let isTrue = try evaluation.isTrue(test)
        return StatementEnd(code: await run(isTrue ? then : otherwise))
      }
    case .loop(let variable, let pipeline, let body): return await loop(variable, pipeline, body)
    case .pipeline(let pipeline) where pipeline.isBackground:
      return await telling { () throws(GridError) in try startBackground(pipeline) }
    default: break
    }
    let end = await runSimple(statement)
    if changesValues {
      if let value = end.value { core.change { $0.keep(value) } }
      core.ended(code: end.code, error: end.error)
    }
    return end
  }

  private func runSimple(_ statement: Statement) async -> StatementEnd {
    switch statement {
    case .pipeline(let pipeline): return await run(pipeline)
    case .bind(let name, let pipeline):
      let end = await run(pipeline, isCaptured: true)
      guard end.code == 0 else { return end }
      core.change { $0.bind(name, to: end.value ?? SessionValue(.null)) }
      return end
    case .watch(let options, let pipeline):
      return await Watcher(evaluator: self, options: options, pipeline: pipeline).run()
    case .shell(let text): return await shell(text)
    case .colon(let name, let words):
      return await telling(words) { () throws(GridError) in
        try await ColonCommands.run(name, try evaluation.arguments(words), self)
      }
    case .choice, .loop: return StatementEnd()
    }
  }

  /// Runs the body once a row. A failing round ends the loop where failures end a script.
  private func loop(_ variable: String, _ pipeline: Pipeline, _ body: [Statement]) async -> StatementEnd {
    let source = await run(pipeline, isCaptured: true)
    guard source.code == 0 else {
      core.ended(code: source.code, error: source.error)
      return source
    }
    var code: Int32 = 0
    for row in source.value?.rows ?? [] {
      if Task.isCancelled { return StatementEnd(code: Self.cancelled) }
      if core.exitCode != nil { break }
      core.change { $0.bind(variable, to: SessionValue(row)) }
      let last = await run(body)
      if last != 0 {
        code = last
        if core.settings.stopsOnError { break }
      }
    }
    return StatementEnd(code: code)
  }

  /// Runs `body`, and tells of the error it throws.
  ///
  /// - Parameter words: of what is run, when they are known: the error names their line.
  func telling(
    _ words: [Word] = [], _ body: () async throws(GridError) -> StatementEnd
  ) async -> StatementEnd {
    do throws(GridError) {
      return try await body()
    } catch {
      core.report(error, from: origin(words), to: sink)
      return StatementEnd(error)
    }
  }

  /// Where a statement stands: the line of its first word, and the row it works on.
  func origin(_ words: [Word] = []) -> CommandOrigin {
    let place = script.map { script in
      let before = words.first.map { source.prefix($0.range.lowerBound).count { $0.isNewline } } ?? 0
      return (script.name, script.line + before)
    }
    return CommandOrigin(script: place, row: row.map { SessionValue.label(of: $0.value, nameField: $0.nameField) })
  }

  /// Variables and row as they are now.
  var evaluation: Evaluation {
    Evaluation(values: snapshot ?? core.values, row: row?.value, rowNameField: row?.nameField)
  }

  private func shell(_ text: String) async -> StatementEnd {
    await telling { () throws(GridError) in
      core.terminal?.lend(true)
      defer { core.terminal?.lend(false) }
      let child = try await ShellChild.start(
        text.isEmpty ? "exec \"${SHELL:-/bin/sh}\"" : text, variables: core.shellVariables)
      return StatementEnd(code: await child.exitCode())
    }
  }

  private func startBackground(_ pipeline: Pipeline) throws(GridError) -> StatementEnd {
    var pipeline = pipeline
    pipeline.isBackground = false
    let work = pipeline
    let core = core
    let snapshot = core.values
    let (source, script) = (source, script)
    let job = Job(text: work.text, sink: JobSink(screen: sink) { core.announce($0) }) { job in
      var evaluator = Evaluator(core: core, sink: job.sink, source: source, script: script)
      (evaluator.changesValues, evaluator.snapshot) = (false, snapshot)
      let end = await evaluator.run(work)
      core.finished(job, code: end.code)
      return end.code
    }
    let number = try core.jobs.number(job)
    job.sink.move(to: .background(number))
    try core.jobs.start(job)
    if core.isInteractive { core.announce("[\(number)] \(work.text)") }
    return StatementEnd()
  }
}

extension SessionCore {
  /// Tells that a job behind the prompt has ended.
  func finished(_ job: Job, code: Int32) {
    guard let number = jobs.background.first(where: { $0.job === job })?.number else { return }
    jobs.remove(number)
    // One in the foreground has been seen to end.
    if job.sink.isInForeground || !isInteractive { return }
    let how = code == 0 ? "done" : job.isCancelled ? "ended" : "failed with \(code)"
    announce("[\(number)] \(how): \(job.text)")
  }

  /// The environment of the shell's commands: they find the node that the session is attached to.
  var shellVariables: [String: String] {
    var variables = settings.variables
    if let connection = cluster.current { variables["GRIDCTL_ENDPOINTS"] = connection.endpoint }
    // These stand for options of the session; a pipe into another gridctl wants its own.
    variables["GRIDCTL_OUTPUT"] = services.commandVariables["GRIDCTL_OUTPUT"]
    return variables
  }
}
