internal import Glibc
internal import GridCommands
internal import GridCore

extension Evaluator {
  /// Runs a pipeline to its end.
  ///
  /// - Parameter isCaptured: whether only the value is wanted, and nothing is to be shown.
  func run(_ pipeline: Pipeline, isCaptured: Bool = false) async -> StatementEnd {
    await telling(pipeline.words) { () throws(GridError) in
      let shown: any OutputSink = isCaptured ? MutedSink(errors: sink) : sink
      switch pipeline.target {
      case nil: return await run(pipeline.stages, into: shown)
      case .file(let word, let appends):
        let path = try evaluation.text(of: word)
        return await run(pipeline.stages, into: try Self.file(path, appends: appends, errors: sink))
      case .shell(let text): return try await run(pipeline.stages, intoShell: text)
      }
    }
  }

  private static func file(_ path: String, appends: Bool, errors: any OutputSink) throws(GridError) -> RedirectedSink {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (appends ? O_APPEND : O_TRUNC), 0o644)
    guard descriptor >= 0 else {
      throw GridError(
        .inputOutput, "cannot write to \(NameRules.quoted(path)): \(String(cString: strerror(errno)))",
        hint: FileHint.text(path, errno))
    }
    return RedirectedSink(descriptor: descriptor, errors: errors)
  }

  private func run(_ stages: [Pipeline.Stage], intoShell text: String) async throws(GridError) -> StatementEnd {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw GridError(.software, "cannot make a pipe: \(String(cString: strerror(errno)))")
    }
    core.terminal?.lend(true)
    defer { core.terminal?.lend(false) }
    let end: StatementEnd
    let child: ShellChild
    do {
      // Closes its end of the pipe when it goes, which is how the program learns that there is no more.
      let sink = RedirectedSink(descriptor: ends[1], errors: sink)
      child = try await ShellChild.start(text, input: ends[0], variables: core.shellVariables)
      end = await run(stages, into: sink)
    }
    let code = await child.exitCode()
    // A program that has seen enough (head, less) is no failure of ours.
    let isFine = end.code == 0 || end.error?.code == .brokenPipe
    return StatementEnd(code: isFine ? code : end.code, error: isFine ? nil : end.error, value: end.value)
  }

  /// Runs stages beside each other, each on the rows of the one before.
  private func run(_ stages: [Pipeline.Stage], into sink: any OutputSink) async -> StatementEnd {
    guard stages.count > 1 else {
      guard let stage = stages.first else { return StatementEnd() }
      return await run(stage, input: nil, sink: sink, rows: nil)
    }
    let queues = stages.dropLast().map { _ in RowQueue() }
    let ends = await withTaskGroup(of: (Int, StatementEnd).self) { group in
      for (index, stage) in stages.enumerated() {
        let isLast = index == stages.count - 1
        let stageSink: any OutputSink = isLast ? sink : MutedSink(errors: self.sink)
        group.addTask {
          let rows = isLast ? nil : queues[index]
          let end = await run(stage, input: index == 0 ? nil : queues[index - 1], sink: stageSink, rows: rows)
          rows?.finish()
          return (index, end)
        }
      }
      var ends = [StatementEnd](repeating: StatementEnd(), count: stages.count)
      while let (index, end) = await group.next() {
        ends[index] = end
        // When the last one has ended, nobody wants the rows of those before it.
        if index == stages.count - 1 { group.cancelAll() }
      }
      return ends
    }
    let dropped = queues.reduce(0) { $0 + $1.dropped }
    if dropped > 0 { self.sink.remark("warning: \(dropped) rows came too fast and were left out") }
    guard let last = ends.last else { return StatementEnd() }
    // The first failure is the reason of the others.
    let failed = ends.first { $0.code != 0 && $0.error?.code != .cancelled } ?? last
    return StatementEnd(code: failed.code, error: failed.error, value: last.value)
  }

  private func run(
    _ stage: Pipeline.Stage, input: RowQueue?, sink: any OutputSink, rows: RowQueue?
  ) async -> StatementEnd {
    var evaluator = self
    evaluator.sink = sink
    switch stage {
    case .command(let words): return await evaluator.command(words, rows: rows)
    case .value(let expression): return await evaluator.show(expression, rows: rows)
    case .each(let parallel, let words):
      return await RowRunner(evaluator: evaluator, words: words, parallel: parallel).run(input, rows)
    }
  }

  private func show(_ expression: Expression, rows: RowQueue?) async -> StatementEnd {
    await telling { () throws(GridError) in
      let value = try evaluation.value(of: expression)
      rows?.add(list: value.rows, nameField: value.nameField)
      do {
        try SessionServices.show(value.json, format: core.outputFormat, to: sink)
      } catch {
        throw GridError.wrapping(error, as: .inputOutput, "the value cannot be shown")
      }
      return StatementEnd(value: value)
    }
  }

  // MARK: Commands

  /// Runs one command of the tree, or one of the session's own.
  func command(_ words: [Word], rows: RowQueue? = nil) async -> StatementEnd {
    await telling(words) { () throws(GridError) in
      let arguments = try evaluation.arguments(words)
      if let end = try SessionWords.run(arguments, self) {
        if let value = end.value { rows?.add(value.json, nameField: value.nameField) }
        return end
      }
      let results = ResultCollector(rows: rows)
      let environment = core.environment(sink: sink, results: results, origin: origin(words), questioner: questioner)
      let outcome = await Program.run(core.services.commandOptions + arguments, in: environment)
      environment.close()
      if outcome.error?.code == .usage { mark(words, outcome.error?.message ?? "") }
      return StatementEnd(outcome, value: outcome.code == 0 || outcome.code == 3 ? results.value : nil)
    }
  }

  /// Shows the line with a mark under the word that an error names.
  private func mark(_ words: [Word], _ message: String) {
    guard core.isInteractive, row == nil else { return }
    let named = message.split(separator: "'", omittingEmptySubsequences: false)
    guard named.count >= 3, let word = words.first(where: { $0.plainText == String(named[1]) }) else { return }
    for line in SourceMark.lines(source, word.range) { sink.remark(line) }
  }
}

/// The line with a mark under a part of it.
enum SourceMark {
  /// The line that the range begins in, and the mark; nothing when the text is not there.
  static func lines(_ text: String, _ range: Range<Int>) -> [String] {
    let characters = Array(text)
    guard range.lowerBound <= characters.count, !characters.isEmpty else { return [] }
    let place = min(range.lowerBound, characters.count - 1)
    let start = (characters[..<place].lastIndex { $0.isNewline }).map { $0 + 1 } ?? 0
    let end = characters[place...].firstIndex { $0.isNewline } ?? characters.count
    guard start < end else { return [] }
    let line = String(characters[start..<end])
    let before = String(characters[start..<min(max(start, range.lowerBound), end)])
    let marked = String(characters[min(max(start, range.lowerBound), end)..<min(max(range.upperBound, start), end)])
    let width = max(1, SessionServices.width(of: marked))
    return [
      "  " + SessionServices.printable(line),
      "  " + String(repeating: " ", count: SessionServices.width(of: before)) + "^"
        + String(repeating: "~", count: width - 1),
    ]
  }
}
