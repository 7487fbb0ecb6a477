internal import CReadline
internal import Glibc
internal import GridCommands
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// What a person did at the prompt.
enum TypedLine: Equatable, Sendable {
  case line(String)
  /// Ctrl-C.
  case interrupted
  /// Ctrl-D on an empty line, or the terminal is gone.
  case endOfInput
  /// A signal that asks the process to end.
  case terminated(Int32)
}

/// What the terminal asks its session for. All of it is answered on the terminal's thread, so at once.
protocol TerminalDelegate: AnyObject, Sendable {
  /// Candidates for the word from `start` to `end`, in bytes of the line.
  func candidates(line: String, start: Int, end: Int) -> [Candidate]
  /// The help for what is being typed, for F1.
  func help(line: String, point: Int) -> String?
  /// Ctrl-C while no line is edited.
  func interrupted()
  /// A signal that asks the process to end.
  func terminated(_ signal: Int32)
}

/// The terminal of the process: one line at a time, and notices above it. Lives on ``TerminalThread``.
///
/// Readline is one for the process, and so is this.
actor Terminal: TerminalThread.Work {
  static let shared = Terminal()

  nonisolated let screen = Screen()
  private nonisolated let thread: TerminalThread
  private nonisolated let notices = Notices()
  private nonisolated let clock: any GridClock
  private nonisolated let isEchoing = Atomic(true)
  private nonisolated let delegate = Mutex<(any TerminalDelegate)?>(nil)
  private var isPrepared = false
  private var waiting: Promise<TypedLine>?
  private var ending: Int32?
  private var prompt = ""
  private var nextPrompt: String?

  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  private init() {
    clock = SessionServices.clock
    thread = TerminalThread(clock: clock)
  }

  /// Takes the terminal over: its signals and its keys. Undone by ``close()``.
  ///
  /// - Throws: ``GridError/Code/software`` when the machine gives no thread.
  nonisolated func open(_ delegate: any TerminalDelegate) throws(GridError) {
    self.delegate.withLock { $0 = delegate }
    try thread.start(self)
  }

  /// Leaves the terminal as it was found.
  func close() {
    grid_editor_end()
    grid_terminal_echo(true)
    flushNotices()
    delegate.withLock { $0 = nil }
  }

  // MARK: Lines

  /// Reads one line. One reader at a time.
  func readLine(prompt: String) async -> TypedLine {
    prepare()
    if let ending { return .terminated(ending) }
    // A request that was left behind has nobody to ask.
    guard waiting == nil else { return .endOfInput }
    screen.finishLine()
    flushNotices()
    return await withPromise { promise in
      waiting = promise
      self.prompt = prompt
      nextPrompt = nil
      echo(true)
      grid_editor_begin(prompt)
    }
  }

  /// Changes the prompt of the line that is being typed, soon. Any thread; never waits.
  nonisolated func offer(prompt: String) {
    if notices.offer(prompt: prompt) { thread.wake() }
  }

  /// Puts a text into the next line, to be edited.
  func preset(_ text: String) {
    prepare()
    grid_editor_preset(text)
  }

  private func prepare() {
    guard !isPrepared else { return }
    isPrepared = true
    grid_editor_prepare(
      grid_editor_callbacks(
        line: { text in
          let line = text.map { String(cString: $0) }
          Terminal.shared.assumeIsolated { $0.entered(line) }
        },
        complete: { line, start, end in
          let text = String(cString: line)
          Terminal.shared.assumeIsolated { $0.complete(text, Int(start), Int(end)) }
        },
        help: { line, point in
          let text = String(cString: line)
          Terminal.shared.assumeIsolated { $0.help(text, Int(point)) }
        }))
  }

  private func entered(_ line: String?) {
    if line == nil { screen.lines("") }
    // What is typed while a command runs appears in the next line, once, and not in the middle of the output.
    if line != nil { echo(false) }
    resume(with: line.map { .line($0) } ?? .endOfInput)
  }

  private func resume(with line: TypedLine) {
    let promise = waiting
    waiting = nil
    promise?.fulfil(line)
  }

  private func complete(_ line: String, _ start: Int, _ end: Int) {
    let candidates = delegate.withLock { $0 }?.candidates(line: line, start: start, end: end) ?? []
    for candidate in candidates { grid_completion_add(candidate.text, candidate.isWhole) }
  }

  private func help(_ line: String, _ point: Int) {
    guard let text = delegate.withLock({ $0 })?.help(line: line, point: point) else { return }
    grid_editor_hide()
    screen.lines(text.hasSuffix("\n") ? text : text + "\n")
    grid_editor_show()
  }

  // MARK: Notices

  /// Shows a line above the prompt, soon. Any thread; never waits.
  nonisolated func announce(_ line: String) {
    if notices.add(line) { thread.wake() }
  }

  /// Keeps notices back while a command has the whole screen.
  nonisolated func holdNotices(_ isHeld: Bool) {
    notices.hold(isHeld)
    if !isHeld { thread.wake() }
  }

  /// Gives keys and screen to a program, or takes them back. Any thread.
  nonisolated func lend(_ isLent: Bool) {
    holdNotices(isLent)
    echo(isLent)
  }

  private nonisolated func echo(_ isShown: Bool) {
    isEchoing.store(isShown, ordering: .relaxed)
    grid_terminal_echo(isShown)
  }

  private func flushNotices() {
    let text = notices.take(now: clock.now())
    if let next = notices.takePrompt() { nextPrompt = next }
    guard grid_editor_is_active() else {
      if let text { screen.lines(text) }
      return
    }
    // A search has a prompt of its own; the next repaint is soon enough.
    let changesPrompt = nextPrompt != nil && nextPrompt != prompt && !grid_editor_is_searching()
    guard text != nil || changesPrompt else { return }
    grid_editor_hide()
    if let text { screen.lines(text) }
    if changesPrompt, let next = nextPrompt {
      nextPrompt = nil
      prompt = next
      grid_editor_set_prompt(next)
    }
    grid_editor_show()
  }

  // MARK: The thread's calls

  nonisolated var wantsKeys: Bool { assumeIsolated { _ in grid_editor_is_active() } }
  nonisolated var wakeUpTime: MonotonicTime? { notices.dueTime }
  nonisolated func keysCame() { assumeIsolated { _ in grid_editor_read() } }
  nonisolated func signalCame(_ number: Int32) { assumeIsolated { $0.handle(number) } }
  nonisolated func timePassed() { assumeIsolated { $0.flushNotices() } }

  private func handle(_ signal: Int32) {
    switch signal {
    case SIGINT:
      if grid_editor_is_active() {
        grid_editor_cancel()
        resume(with: .interrupted)
      } else {
        if isEchoing.load(ordering: .relaxed) { screen.wroteKey() } else { screen.lines("^C\n") }
        delegate.withLock { $0 }?.interrupted()
      }
    case SIGWINCH: if grid_editor_is_active() { grid_editor_resized() }
    case SIGTSTP:
      let hidesKeys = !grid_editor_is_active() && !isEchoing.load(ordering: .relaxed)
      grid_editor_suspend()
      grid_terminal_echo(true)
      grid_signals_stop()
      if hidesKeys { grid_terminal_echo(false) }
      grid_editor_resume()
    case SIGTERM, SIGHUP:
      ending = signal
      delegate.withLock { $0 }?.terminated(signal)
      grid_editor_end()
      resume(with: .terminated(signal))
    default: break
    }
  }

  // MARK: History

  /// Reads the lines of earlier sessions.
  func loadHistory(_ path: String, limit: Int) {
    prepare()
    _ = grid_history_limit(Int32(clamping: limit), path)
    _ = grid_history_read(path)
  }

  /// Remembers a line, in the file as well when there is one.
  ///
  /// - Throws: ``GridError/Code/inputOutput`` when the file cannot be written.
  func remember(_ line: String, in path: String?) throws(GridError) {
    grid_history_add(line)
    guard let path else { return }
    let fault = grid_history_append(path)
    guard fault == 0 else {
      throw GridError(.inputOutput, "cannot write the history to \(path): \(String(cString: strerror(fault)))")
    }
  }

  /// The newest lines, oldest first.
  func history(_ limit: Int) -> [(number: Int, line: String)] {
    let count = Int(grid_history_count())
    return (max(0, count - limit)..<count).compactMap { index in
      grid_history_line(Int32(clamping: index)).map { (index + 1, String(cString: $0)) }
    }
  }
}
