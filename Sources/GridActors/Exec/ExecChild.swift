internal import GridCore
internal import NIOCore
internal import Synchronization

/// The program behind an `exec` actor, and who reports its end: the message being handled when there is one, else the
/// program's exit itself; never both, so that one death costs one restart.
final class ExecChild: Sendable {
  private struct State {
    var child: ChildProcess?
    var isHandling = false
    var isReported = false
    var timedOut = false
  }

  let specification: ExecSpecification
  let environment: ExecEnvironment
  private let state = Mutex(State())

  /// A program that ignores SIGTERM is killed after this.
  static let grace = Duration.seconds(5)

  init(_ specification: ExecSpecification, _ environment: ExecEnvironment) {
    self.specification = specification
    self.environment = environment
  }

  func start(_ context: ActorContext, output: ChildProcess.OutputDelivery) async throws {
    var options = ChildProcess.Options()
    options.output = output
    options.standardError = { line, _ in context.log(String(decoding: line, as: UTF8.self)) }
    let command = specification.processCommand(environment.variables(for: specification, context))
    let child = try await environment.processes.spawn(command, options: options, on: environment.eventLoop)
    let isUnwanted = state.withLock { state in
      state.child = child
      return state.isReported
    }
    if isUnwanted { _ = await child.terminate(grace: .zero) }
    child.onExit { [self] status in
      let reports = state.withLock { state in
        defer { if !state.isHandling { state.isReported = true } }
        return !state.isHandling && !state.isReported
      }
      if reports { context.escalate(Self.ended(status)) }
    }
  }

  /// Runs `body` as the handling of one message.
  func handle<Result>(_ context: ActorContext, _ body: (ChildProcess) async throws -> Result) async throws -> Result {
    let child = state.withLock { state in
      state.isHandling = true
      return state.child
    }
    guard let child else { throw GridError(.handlerFailed, "the program does not run") }
    let timer = scheduleTimeout(child)
    do {
      let result = try await body(child)
      timer?.cancel()
      finish(context, child)
      return result
    } catch {
      timer?.cancel()
      throw await failure(error, child)
    }
  }

  private func scheduleTimeout(_ child: ChildProcess) -> Scheduled<Void>? {
    guard let limit = specification.handlerTimeout else { return nil }
    return environment.eventLoop.scheduleTask(in: .nanoseconds(limit.wholeNanoseconds)) { [self] in
      state.withLock { $0.timedOut = true }
      child.signal(.kill)
    }
  }

  /// The program may have ended while the message was handled, after its answer.
  private func finish(_ context: ActorContext, _ child: ChildProcess) {
    let reports = state.withLock { state in
      state.isHandling = false
      guard child.exitStatus != nil, !state.isReported else { return false }
      state.isReported = true
      return true
    }
    if reports, let status = child.exitStatus { context.escalate(Self.ended(status)) }
  }

  /// What a failed handling means, once the program is out of the way.
  private func failure(_ error: any Error, _ child: ChildProcess) async -> any Error {
    if let known = error as? GridError, known.code == .undecodable || known.code == .refused {
      // The message was at fault, not the program.
      state.withLock { $0.isHandling = false }
      return error
    }
    let timedOut = state.withLock { state in
      state.isReported = true
      state.isHandling = false
      return state.timedOut
    }
    let status = await child.terminate(grace: .milliseconds(100))
    if timedOut, let limit = specification.handlerTimeout {
      return GridError(
        .deadline, "the program did not answer within \(limit.gridText), and was killed",
        hint: "spawn it with a longer --handler-timeout, or look for what it waits for in its node's log")
    }
    if let known = error as? GridError, known.code != .handlerFailed { return known }
    return GridError(
      .handlerFailed, "\(error is GridError ? "\(error)" : "the program failed"): \(Self.ended(status).message)")
  }

  /// Hands the program a line unless its input is full; a program that does not read is not waited for.
  func writeIfRoom(_ line: [UInt8]) { _ = try? state.withLock { $0.child }?.writeIfRoom(line) }

  func stop() async {
    let child = state.withLock { state in
      state.isReported = true
      return state.child
    }
    _ = await child?.terminate(grace: Self.grace)
  }

  func details() -> [String: JSONValue] {
    let child = state.withLock { $0.child }
    return ["pid": .optional(child.map { Int($0.processIdentifier) })]
  }

  private static func ended(_ status: ProcessExitStatus) -> GridError {
    GridError(.handlerFailed, "the program \(status)")
  }
}
