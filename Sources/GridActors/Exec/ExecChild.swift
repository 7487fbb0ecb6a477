internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import NIOCore
internal import Synchronization

/// The program behind an `exec` actor, and who reports its end: the message being handled when there is one, else the
/// program's exit itself; never both, so that one death costs one restart.
final class ExecChild: Sendable {
  private struct State {
    var child: ChildProcess?
    /// The program is being started, and there may be something of it already.
    var isStarting = false
    /// Called when the start under way has come to its end and nothing is left of it.
    var vacated: (@Sendable () -> Void)?
    var isHandling = false
    var isReported = false
    var timedOut = false
    /// What is wrong with a program that runs, found while a message was being handled.
    var trouble: GridError?
    /// Whether it is ended for what it wrote: how it ends then says nothing.
    var isGivenUp = false
    var mail = UnreadMail()
    /// Whether somebody looks how far the program has read.
    var isWatchingMail = false
  }

  let specification: ExecSpecification
  let environment: ExecEnvironment
  let log = ProgramLog()
  /// The lease that this activation's name is held by, if any.
  private let limit: RunLimit.Number?
  private let state = Mutex(State())

  /// A program that ignores SIGTERM is killed after this; a good deal shorter than clients wait by default.
  static let grace = Duration.seconds(3)
  /// How long the last words of a program that has ended are waited for.
  private static let lastWordsPatience = Duration.seconds(3)

  init(_ specification: ExecSpecification, _ environment: ExecEnvironment) {
    self.specification = specification
    self.environment = environment
    // Now, and not when the program starts: an activation that outlives its lease must not get the next one's.
    limit = environment.processes.currentLimit
  }

  func start(_ context: ActorContext, output: ChildProcess.OutputDelivery) async throws {
    var options = ChildProcess.Options()
    options.output = output
    options.standardError = { [log] event in log.take(event, isError: true, context) }
    // An actor without a name needs no lease.
    options.limit = context.epoch == 0 ? nil : limit
    let command = try await specification.processCommand(environment, context)
    let child = try await spawn(command, options)
    child.onExit { [self] status in
      log.errorsHaveEnded.whenOpen { [self] in report(ended(status), context) }
    }
  }

  /// Starts the program, unless the actor has been stopped meanwhile; nothing is left of it then.
  private func spawn(_ command: ProcessCommand, _ options: ChildProcess.Options) async throws -> ChildProcess {
    let mayStart = state.withLock { state in
      state.isStarting = !state.isReported
      return state.isStarting
    }
    guard mayStart else { throw GridError(.stopped, "the actor was stopped before its program ran") }
    do {
      let child = try await environment.processes.spawn(command, options: options, on: environment.eventLoop)
      let isUnwanted = state.withLock { state in
        state.child = child
        return state.isReported
      }
      if isUnwanted { _ = await child.terminate(grace: .zero) }
      startEnded()
      return child
    } catch {
      startEnded()
      throw error
    }
  }

  private func startEnded() {
    let vacated = state.withLock { state in
      state.isStarting = false
      defer { state.vacated = nil }
      return state.vacated
    }
    vacated?()
  }

  /// Kills the program, and calls `gone` when nothing is left of it.
  func vacate(_ gone: @escaping @Sendable () -> Void) {
    let (child, isStarting) = state.withLock { state in
      state.isReported = true
      if state.isStarting { state.vacated = gone }
      return (state.child, state.isStarting)
    }
    child?.signal(.kill)
    guard !isStarting else { return }
    guard let child else { return gone() }
    child.onExit { _ in gone() }
  }

  /// Forgets a program that is gone. What it wrote goes to the cell, which has this object: nobody else would ever end
  /// that circle.
  private func letGo() { state.withLock { $0.child = nil } }

  /// Hands a failure that no message caused to the supervision, unless the end of the program has been told already.
  private func report(_ error: GridError, _ context: ActorContext) {
    let reports = state.withLock { state in
      guard !state.isReported else { return false }
      guard !state.isHandling else {
        state.trouble = state.trouble ?? error
        return false
      }
      state.isReported = true
      return true
    }
    if reports { context.escalate(error) }
  }

  /// Gives a program up that runs: it is ended and started again as after a failure. Called on any thread.
  func giveUp(_ error: GridError, _ context: ActorContext) {
    let child = state.withLock { state in
      state.isGivenUp = true
      return state.child
    }
    child?.pauseReading()
    report(error, context)
  }

  // MARK: Messages that are answered

  /// Runs `body` as the handling of one message.
  ///
  /// - Throws: ``MessageNotTaken`` when the program is about to be replaced.
  func handle<Result>(_ context: ActorContext, _ body: (ChildProcess) async throws -> Result) async throws -> Result {
    let child = try begin()
    let timer = scheduleTimeout(child, context)
    do {
      let result = try await body(child)
      cancel(timer, context)
      finish(context)
      return result
    } catch {
      cancel(timer, context)
      throw await failure(error, child, context)
    }
  }

  private func begin() throws -> ChildProcess {
    try state.withLock { state in
      guard !state.isReported else { throw MessageNotTaken() }
      guard let child = state.child else { throw GridError(.handlerFailed, "the program does not run") }
      state.isHandling = true
      return child
    }
  }

  private func cancel(_ timer: TimerToken?, _ context: ActorContext) {
    if let timer { context.cell.host.timers.cancel(timer) }
  }

  private func scheduleTimeout(_ child: ChildProcess, _ context: ActorContext) -> TimerToken? {
    guard let limit = specification.handlerTimeout else { return nil }
    return context.cell.host.timers.schedule(after: limit) { [self] in
      state.withLock { $0.timedOut = true }
      child.signal(.kill)
    }
  }

  /// Something may have gone wrong with the program while the message was handled, after its answer.
  private func finish(_ context: ActorContext) {
    let trouble = state.withLock { state -> GridError? in
      state.isHandling = false
      guard let trouble = state.trouble, !state.isReported else { return nil }
      state.isReported = true
      return trouble
    }
    if let trouble { context.escalate(trouble) }
  }

  /// What a failed handling means, once the program is out of the way.
  private func failure(_ error: any Error, _ child: ChildProcess, _ context: ActorContext) async -> any Error {
    if let known = error as? GridError, known.code.blamesMessage {
      state.withLock { $0.isHandling = false }
      return error
    }
    let (timedOut, isGivenUp) = state.withLock { state in
      state.isReported = true
      state.isHandling = false
      return (state.timedOut, state.isGivenUp)
    }
    let status = await child.terminate(grace: .milliseconds(100))
    _ = await log.errorsHaveEnded.wait(atMost: Self.lastWordsPatience, on: context.cell.host.timers)
    if timedOut { return timeout }
    if let known = error as? GridError, isGivenUp || known.code != .handlerFailed { return known }
    return GridError(
      .handlerFailed, "\(error is GridError ? "\(error)" : "the program failed"): \(ended(status).message)")
  }

  private var timeout: GridError {
    let limit = (specification.handlerTimeout ?? .zero).gridText
    let what = specification.oneWay ? "read what it was told" : "answer"
    let advice = "spawn it with a longer --handler-timeout, or look for what it waits for in its node's log"
    let buffering = "\na program that buffers its output never answers: python3 -u, stdbuf -oL, sed -u"
    return GridError(
      .deadline, "the program did not \(what) within \(limit), and was killed\(log.lastWords)",
      hint: specification.oneWay ? advice : advice + buffering)
  }

  // MARK: Messages that nobody waits for

  /// Hands over a message without waiting for what becomes of it. It stays mail of the actor until the program has read
  /// it, and is mail again when the program ends before.
  ///
  /// - Throws: ``MessageNotTaken`` when the program is about to be replaced.
  func tell(_ message: Message, as line: [UInt8], _ context: ActorContext) async throws {
    let child = try begin()
    var end: Int?
    var trouble: GridError?
    do {
      end = try child.writeIfRoom(line)
      if end == nil { end = try await writeWithinLimit(line, child, context) }
    } catch {
      trouble = await notWritten(error, child, context)
    }
    context.cell.lend()
    let mustWatch = state.withLock { state in
      state.mail.add(message, from: context.sender, end: end)
      defer { state.isWatchingMail = true }
      return !state.isWatchingMail
    }
    if mustWatch { watchMail(child, context, after: .zero, again: .milliseconds(1)) }
    if let trouble { state.withLock { $0.trouble = trouble } }
    finish(context)
  }

  private func writeWithinLimit(
    _ line: [UInt8], _ child: ChildProcess, _ context: ActorContext
  ) async throws -> Int {
    let timer = scheduleTimeout(child, context)
    defer { cancel(timer, context) }
    return try await child.write(line)
  }

  /// What is wrong with a program that took no line; nil when the actor is being stopped.
  private func notWritten(_ error: any Error, _ child: ChildProcess, _ context: ActorContext) async -> GridError? {
    if Task.isCancelled { return nil }
    let status = await child.terminate(grace: .milliseconds(100))
    _ = await log.errorsHaveEnded.wait(atMost: Self.lastWordsPatience, on: context.cell.host.timers)
    if state.withLock({ $0.timedOut }) { return timeout }
    return GridError(.handlerFailed, "\(error): \(ended(status).message)")
  }

  /// Looks how far the program has read as long as there is something unread, ever less often while nothing moves.
  private func watchMail(
    _ child: ChildProcess, _ context: ActorContext, after wait: Duration, again pause: Duration
  ) {
    let look: @Sendable () -> Void = { self.environment.eventLoop.execute { self.lookAtMail(child, context, pause) } }
    if wait == .zero { look() } else { context.cell.host.timers.schedule(after: wait, look) }
  }

  private func lookAtMail(_ child: ChildProcess, _ context: ActorContext, _ pause: Duration) {
    let offset = child.bytesRead
    let (count, goesOn) = state.withLock { state -> (Int, Bool) in
      let count = state.mail.read(upTo: offset)
      state.isWatchingMail = !state.mail.isEmpty
      return (count, state.isWatchingMail)
    }
    if count > 0 { context.cell.read(count) }
    guard goesOn else { return }
    let next = count > 0 ? .milliseconds(1) : min(pause * 2, Self.longestMailPause)
    watchMail(child, context, after: pause, again: next)
  }

  private static let longestMailPause = Duration.milliseconds(50)

  /// What the program has not read is mail again. For the cell's own drain, once the program has ended.
  private func returnMail(_ child: ChildProcess, _ context: ActorContext) async {
    let offset = try? await environment.eventLoop.submit { child.bytesRead }.get()
    let (read, unread) = state.withLock { state in
      (state.mail.read(upTo: offset ?? 0), state.mail.takeAll(for: context.name))
    }
    if read > 0 { context.cell.read(read) }
    if !unread.isEmpty { context.cell.giveBack(unread) }
  }

  // MARK: The rest

  /// How much of its input the program has read. On the event loop.
  var bytesRead: Int { state.withLock { $0.child }?.bytesRead ?? 0 }

  /// Hands the program a line unless its input is full; a program that does not read is not waited for.
  func writeIfRoom(_ line: [UInt8]) { _ = try? state.withLock { $0.child }?.writeIfRoom(line) }

  /// Reads no more of the program's output for a time. On the event loop.
  func pauseReading(for time: Duration, _ context: ActorContext) {
    guard let child = state.withLock({ $0.child }) else { return }
    child.pauseReading()
    let loop = environment.eventLoop
    context.cell.host.timers.schedule(after: time) { loop.execute { child.resumeReading() } }
  }

  func stop(_ context: ActorContext) async {
    let child = state.withLock { state in
      state.isReported = true
      return state.child
    }
    guard let child else { return }
    _ = await child.terminate(grace: Self.grace)
    await returnMail(child, context)
    letGo()
  }

  func details() -> [String: JSONValue] {
    let child = state.withLock { $0.child }
    return ["pid": .optional(child.map { Int($0.processIdentifier) })]
  }

  private func ended(_ status: ProcessExitStatus) -> GridError {
    GridError(.handlerFailed, "the program \(status)\(log.lastWords)")
  }
}
