internal import Glibc
internal import GridClient
internal import GridCommands
internal import GridConcurrency
internal import GridCore
internal import Synchronization

extension ReplSession {
  /// Takes what was typed.
  ///
  /// - Returns: false when more lines are needed.
  func take(_ text: String) async -> Bool {
    do {
      let statements = try Parser.parse(text)
      await remember(text)
      guard !statements.isEmpty else { return true }
      if text.contains(where: \.isNewline), statements.count > 1 {
        terminal.screen.remark(NoticeStyle.dim("\(statements.count) commands"))
      }
      await run(statements, text)
    } catch is Unfinished {
      return false
    } catch let error as SyntaxError {
      await remember(text)
      let told = GridError(.usage, error.message, hint: error.hint)
      for line in SourceMark.lines(text, error.range) { terminal.screen.remark(line) }
      core.report(told, to: terminal.screen)
      core.ended(code: CommandOutcome(told).code, error: told)
    } catch {
      core.report(GridError.wrapping(error, as: .usage, "the line cannot be read"), to: terminal.screen)
    }
    return true
  }

  /// Runs a line as a job before the prompt, until it ends or is left behind.
  private func run(_ statements: [Statement], _ text: String) async {
    let core = core
    let terminal = terminal
    let began = clock.now()
    let job = Job(text: text, sink: JobSink(screen: terminal.screen) { terminal.announce($0) }) { job in
      var evaluator = Evaluator(core: core, sink: job.sink, source: text)
      if !core.services.forbidsInput { evaluator.questioner = PromptQuestioner(terminal: terminal, sink: job.sink) }
      let code = await evaluator.run(statements)
      core.finished(job, code: code)
      return code
    }
    state.withLock { state in
      state.foreground = job
      state.interruptedAt = nil
    }
    do throws(GridError) { try core.jobs.start(job) } catch {
      core.report(error, to: terminal.screen)
      return
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await job.wait() }
      group.addTask { await self.detached.wait() }
      await group.next()
      group.cancelAll()
    }
    state.withLock { $0.foreground = nil }
    if job.exitCode == nil { leaveBehind(job) }
    names.refresh()
    let took = clock.now() - began
    if core.settings.showsTiming || took >= Self.remarkableTime, job.exitCode != nil, core.exitCode == nil {
      terminal.screen.remark(NoticeStyle.dim("(\(SessionServices.text(of: took)))"))
    }
  }

  private func leaveBehind(_ job: Job) {
    do throws(GridError) {
      let number = try core.jobs.number(job)
      job.sink.move(to: .background(number))
      // Whatever it did with the screen, the prompt has it now.
      terminal.lend(false)
      terminal.announce("[\(number)] left behind: \(job.text)")
    } catch { core.report(error, to: terminal.screen) }
  }

  // MARK: History

  var historyPath: String {
    core.settings.variables["GRIDCTL_HISTFILE"].flatMap { $0.isEmpty ? nil : $0 } ?? core.services.stateDirectory
      + "/history"
  }

  func remember(_ text: String) async {
    let (last, hasHistory) = state.withLock { ($0.lastLine, $0.hasHistory) }
    guard HistoryFilter.keeps(text, after: last) else { return }
    state.withLock { $0.lastLine = text }
    do throws(GridError) { try await terminal.remember(text, in: hasHistory ? historyPath : nil) } catch {
      forgoHistory(error)
    }
  }

  /// Says once that nothing is kept.
  func forgoHistory(_ error: GridError) {
    let isFirst = state.withLock { state in
      defer { state.hasHistory = false }
      return state.hasHistory
    }
    if isFirst { terminal.announce("warning: \(error.message)") }
  }
}

// MARK: - The terminal's questions

extension ReplSession {
  func candidates(line: String, start: Int, end: Int) -> [Candidate] {
    completer.candidates(line: line, start: start, end: end)
  }

  func help(line: String, point: Int) -> String? {
    let before = String(decoding: Array(line.utf8).prefix(point), as: UTF8.self)
    guard case .command(let words, let prefix, _) = CompletionSpot(before: before + " ", word: "") else {
      let word = before.split(separator: " ").first.map(String.init)
      return SessionHelp.usage(for: word.map { [$0] } ?? [])
    }
    let typed = words + (prefix.isEmpty ? [] : [prefix])
    return SessionHelp.usage(for: typed.filter { !$0.hasPrefix("-") })
      ?? "TAB finishes the word; help lists the commands"
  }

  func interrupted() {
    let now = clock.now()
    let (job, isSecond) = state.withLock { state -> (Job?, Bool) in
      let isSecond = state.interruptedAt.map { now - $0 < Self.patience } ?? false
      state.interruptedAt = now
      return (state.foreground, isSecond)
    }
    guard let job else { return }
    if isSecond { detached.raise() } else { job.cancel() }
  }

  func terminated(_ signal: Int32) {
    core.leave(128 + signal)
    state.withLock { $0.foreground }?.cancel()
  }
}

/// Asks at the prompt of a session, for a command that is before it.
struct PromptQuestioner: Questioner {
  let terminal: Terminal
  let sink: JobSink

  func answer(to question: String) async -> String? {
    guard sink.isInForeground else { return nil }
    // What stands above the question is what it is about.
    terminal.holdNotices(true)
    defer { terminal.holdNotices(false) }
    guard case .line(let text) = await terminal.readLine(prompt: question) else { return nil }
    return text
  }
}

/// How lines that come by themselves look.
enum NoticeStyle {
  static func dim(_ text: String) -> String { usesColor ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
  static func bold(_ text: String) -> String { usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  /// Off with NO_COLOR, or on a terminal that has none.
  static let usesColor: Bool = {
    let noColor = getenv("NO_COLOR").map { String(cString: $0) } ?? ""
    return noColor.isEmpty && movesCursor
  }()

  /// Whether the terminal understands more than lines of text; of one without a name nothing is known.
  static let movesCursor: Bool = {
    let terminal = getenv("TERM").map { String(cString: $0) } ?? ""
    return !["", "dumb", "unknown"].contains(terminal)
  }()
}
