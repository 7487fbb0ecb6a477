internal import ArgumentParser
@preconcurrency internal import Dispatch  // its queues are not marked as Sendable; one only runs a timer here
internal import Glibc
internal import GridCore
internal import GridSystem
internal import Synchronization

/// What signals to a command mean that runs programs: while one runs they are passed on to it, and it is killed when it
/// has not ended within a grace; otherwise they end the command.
///
/// The same for every command that runs a program on its own terminal: `leader run`, `events --exec`, the pager, the
/// editor. A session keeps its signals to itself: there a program is asked to end when the command is cancelled.
final class SignalRelay: Sendable {
  private struct State {
    var child: AttachedChild?
    /// Whether a program is being started, which a signal is for.
    var isStarting = false
    /// Whether the program is to end, and is killed when it does not.
    var isEnding = false
    /// The signal that came first.
    var caught: Int32?
  }

  private let signals: TerminationSignals?
  private let passed: [Int32]
  private let grace: Duration
  private let killed: @Sendable () -> Void
  private let state = Mutex(State())

  /// How long a program may take to end where nobody said otherwise.
  static let standardGrace = Duration.seconds(5)

  /// Takes the signals over, until the relay is gone.
  ///
  /// - Parameters:
  ///   - passed: those that a program gets; what it has from the terminal itself is left out.
  ///   - killed: told that a program did not end within the grace.
  init(
    passes passed: [Int32] = TerminationSignals.all, grace: Duration = standardGrace,
    killed: @escaping @Sendable () -> Void = {}
  ) throws(GridError) {
    self.passed = passed
    self.grace = grace
    self.killed = killed
    signals = CommandEnvironment.current == nil ? try TerminationSignals.take() : nil
  }

  deinit { giveBack() }

  /// The signal that came first; nil while none did.
  var caught: Int32? { state.withLock { $0.caught } }

  /// Runs a command that may run programs, and cancels it for a signal that comes while it runs none.
  ///
  /// - Throws: what `body` throws; `ExitCode` with 128 and the signal's number.
  func command<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        guard let number = await self.nextForCommand() else { return nil }
        throw ExitCode(128 + number)
      }
      defer { group.cancelAll() }
      while let result = try await group.next() { if let result { return result } }
      throw CancellationError()
    }
  }

  /// Starts a program, and returns when it has ended.
  ///
  /// - Parameters:
  ///   - beside: what is done while it runs; cancelled at its end.
  ///   - ended: what is done at its end before `beside` is cancelled.
  /// - Throws: what `start` throws; `ExitCode` with 128 and its number when a signal came before.
  func program(
    _ start: () async throws(GridError) -> AttachedChild,
    beside: @escaping @Sendable (AttachedChild) async -> Void = { _ in },
    ended: (ProcessExitStatus) async -> Void = { _ in }
  ) async throws -> ProcessExitStatus {
    let caught = state.withLock { state in
      state.isStarting = state.caught == nil
      return state.caught
    }
    if let caught { throw ExitCode(128 + caught) }
    defer { state.withLock { $0 = State(caught: $0.caught) } }
    let child = try await start()
    let early = state.withLock { state in
      (state.child, state.isStarting) = (child, false)
      return state.caught
    }
    if let early { pass(early) }
    return await withTaskCancellationHandler {
      await withDiscardingTaskGroup { group in
        group.addTask { await beside(child) }
        let status = await child.exit()
        await ended(status)
        group.cancelAll()
        return status
      }
    } onCancel: {
      pass(SIGTERM)
    }
  }

  /// Lets the signals do again what they did before.
  func giveBack() { signals?.giveBack() }

  /// Sends the program a signal after which it has to end.
  func pass(_ number: Int32) {
    let (child, isFirst) = state.withLock { state in
      defer { if state.child != nil { state.isEnding = true } }
      return (state.child, !state.isEnding)
    }
    guard let child else { return }
    child.signal(number)
    guard isFirst else { return }
    // Not in a task: it holds for a command that is cancelled, too.
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: grace.wholeNanoseconds))) {
      guard self.state.withLock({ $0.child === child }) else { return }
      self.killed()
      child.signal(SIGKILL)
    }
  }

  /// Passes signals on to programs, and returns the first that comes while none runs; nil when the task is cancelled.
  private func nextForCommand() async -> Int32? {
    while let number = await signals?.next() {
      let isForCommand = state.withLock { state in
        let isForCommand = state.child == nil && !state.isStarting
        if isForCommand || passed.contains(number) { state.caught = state.caught ?? number }
        return isForCommand
      }
      if isForCommand { return number }
      if passed.contains(number) { pass(number) }
    }
    return nil
  }
}

/// A program that people use in the place of this one: a pager, an editor.
enum ForegroundProgram {
  /// Starts a program, and returns when it has ended. Ctrl-C and Ctrl-\ are its own, from the terminal; SIGTERM and
  /// SIGHUP are passed on, and end this process once the program has put the terminal back.
  ///
  /// - Throws: what `start` throws.
  static func run(
    _ start: @escaping @Sendable () async throws(GridError) -> AttachedChild
  ) async throws(GridError) -> ProcessExitStatus {
    let relay = try SignalRelay(passes: [SIGTERM, SIGHUP])
    do {
      let status = try await relay.command { try await relay.program(start) }
      if let caught = relay.caught { end(relay, caught) }
      return status
    } catch let error as GridError {
      throw error
    } catch {
      if let caught = relay.caught { end(relay, caught) }
      throw GridError(.cancelled, "cancelled")
    }
  }

  /// Ends as the signal would have ended this process at once.
  private static func end(_ relay: SignalRelay, _ number: Int32) {
    relay.giveBack()
    // To this very thread, which lets it through: one to the process would come to another thread while this one goes
    // on and says that the program failed.
    var numbers = sigset_t()
    sigemptyset(&numbers)
    sigaddset(&numbers, number)
    pthread_sigmask(SIG_UNBLOCK, &numbers, nil)
    raise(number)
  }
}
