internal import ArgumentParser
internal import Glibc
internal import Grid
internal import GridClient
internal import GridCore
internal import Synchronization

/// `gridctl leader run`
struct LeaderRunCommand: OwnProcessCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a program while leading.",
    discussion: """
      Waits until it leads, runs the program, and ends with its exit code. The program gets
      GRIDCTL_LEADER and GRIDCTL_FENCING_TOKEN. When the leadership is asked back or runs out, the program gets
      SIGTERM, and SIGKILL after --grace or before anybody else can lead, whichever is first.

      Examples:
        gridctl leader run nightly -- ./backup.sh
        gridctl leader run main --grace 2s -- sh -c 'exec ./writer --token "$GRIDCTL_FENCING_TOKEN"'
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The leader's name.", valueName: "leader"))
  var name: LeaderArgument
  @Option(help: ArgumentHelp("How long the program may take to end after SIGTERM.", valueName: "duration"))
  var grace: String = "5s"
  @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
  var command: [String] = []

  func run() async throws {
    let name = try name.validated()
    let grace = try Duration.argument(grace)
    guard !command.isEmpty else {
      throw GridError(.usage, "no program was given", hint: "gridctl leader run \(name) -- COMMAND [ARGUMENT…]")
    }
    let session = try await CommandSession(global)
    let run = LeaderRun(session: session, name: name, command: command, grace: grace)
    throw ExitCode(try await run.untilExit())
  }
}

/// One campaign, and one run of a program under it.
final class LeaderRun: Sendable {
  let session: CommandSession
  let name: String
  let command: [String]
  let grace: Duration
  private let limits = Mutex(Limits())
  private let clock = SystemClock()
  /// Ends the program in time although this process is stopped or hangs.
  private let runLimit = RunLimit()

  init(session: CommandSession, name: String, command: [String], grace: Duration) {
    self.session = session
    self.name = name
    self.command = command
    self.grace = grace
  }

  private struct Limits {
    /// Until when the program may certainly act.
    var validUntil = MonotonicTime(nanoseconds: .min)
    /// When it is killed because it did not end by itself.
    var killAt = MonotonicTime.distantFuture
  }

  /// How often the node is asked how long the leadership still holds.
  private static let interval = Duration.milliseconds(200)
  /// With less than this left, and no news from the node, the program is asked to end.
  private static let warning = Duration.milliseconds(1500)
  /// With less than this left the program is asked to end, also by its keeper.
  private static let notice = Duration.seconds(1)

  /// - Returns: the exit code of the command.
  func untilExit() async throws -> Int32 {
    let campaign = session.connection.stream(
      "leader.campaign",
      ["name": .string(name), "holder": .string("\(Self.hostName) process \(getpid())")])
    let signals = TerminationSignals.stream()
    guard let token = try await election(campaign, signals) else { return ExitStatus.interrupted.rawValue }
    // Before the program starts it must be known until when it may act.
    guard await renew(token, patience: session.timeout) else {
      throw GridError(.leaseLost, "the leadership of \(name) was lost at once", hint: "see: gridctl peers")
    }
    let variables = ProcessEnvironment.forPrograms().merging([
      "GRIDCTL_LEADER": name, "GRIDCTL_FENCING_TOKEN": String(token), "GRIDCTL_ENDPOINTS": session.connection.endpoint,
      "GRIDCTL_NAMESPACE": session.settings.namespace,
    ])
    let child = try await AttachedChild.start(command, environment: variables, limit: runLimit)
    return ExitStatus.code(of: await supervise(child, campaign, signals, token))
  }

  private static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Waits until elected; nil when a signal came first.
  private func election(
    _ campaign: AsyncThrowingStream<JSONValue, any Error>, _ signals: AsyncStream<Int32>
  ) async throws -> Int64? {
    try await withThrowingTaskGroup(of: Int64?.self) { group in
      group.addTask {
        for try await item in campaign {
          switch item["kind"]?.stringValue {
          case "elected": return item["token"]?.integerValue
          case "lost": throw GridError(.unavailable, item["message"]?.stringValue ?? "the election failed")
          default: continue
          }
        }
        throw GridError(.unavailable, "node \(self.session.connection.nodeName) is gone", hint: "see: gridctl peers")
      }
      group.addTask {
        for await _ in signals { break }
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }

  private func supervise(
    _ child: AttachedChild, _ campaign: AsyncThrowingStream<JSONValue, any Error>, _ signals: AsyncStream<Int32>,
    _ token: Int64
  ) async -> ProcessExitStatus {
    await withTaskGroup(of: ProcessExitStatus?.self) { group in
      group.addTask { await child.exit() }
      group.addTask { await self.follow(campaign, child) }
      group.addTask { await self.watchLimits(token, child) }
      group.addTask {
        for await signal in signals { child.signal(signal) }
        return nil
      }
      for await status in group {
        guard let status else { continue }
        group.cancelAll()
        return status
      }
      return .lost
    }
  }

  /// Acts on what the node says of the leadership.
  private func follow(
    _ campaign: AsyncThrowingStream<JSONValue, any Error>, _ child: AttachedChild
  ) async -> ProcessExitStatus? {
    var reason = "node \(session.connection.nodeName) is gone"
    do {
      news: for try await item in campaign {
        switch item["kind"]?.stringValue {
        case "resign":
          say("was asked to give up")
          child.signal(SIGTERM)
          limits.withLock { $0.killAt = min($0.killAt, clock.now() + grace) }
        case "lost":
          reason = item["message"]?.stringValue ?? "it is lost"
          break news
        default: continue
        }
      }
    } catch { reason = "\(reason): \(GridError.wrapping(error, as: .unavailable, "the stream broke").message)" }
    if Task.isCancelled { return nil }
    // Somebody else may lead from now on.
    say("\(reason); the program is killed")
    child.signal(SIGKILL)
    return nil
  }

  /// Asks again and again how long the leadership holds, and ends the program before it does not.
  private func watchLimits(_ token: Int64, _ child: AttachedChild) async -> ProcessExitStatus? {
    var isWarned = false
    while !Task.isCancelled {
      let (remaining, isOverdue) = limits.withLock { limits in
        (limits.validUntil - clock.now(), clock.now() >= limits.killAt)
      }
      if remaining <= .zero || isOverdue {
        say(isOverdue ? "the program did not end within \(grace.gridText); it is killed" : "it ran out")
        child.signal(SIGKILL)
        return nil
      }
      if remaining < Self.warning, !isWarned {
        isWarned = true
        say("it cannot be renewed at the moment")
        child.signal(SIGTERM)
      }
      if !(await renew(token, patience: min(remaining, .milliseconds(500)))) {
        if Task.isCancelled { return nil }
        say("it is lost; the program is killed")
        child.signal(SIGKILL)
        return nil
      }
      try? await Task.sleep(for: Self.interval)
    }
    return nil
  }

  /// Asks how long the leadership holds, and counts that from before the question.
  ///
  /// - Returns: false when it is lost for certain; a node that does not answer changes nothing.
  private func renew(_ token: Int64, patience: Duration) async -> Bool {
    let asked = clock.now()
    do throws(GridError) {
      let answer = try await session.connection.request(
        "leader.keep", ["name": .string(name), "token": .integer(token)], timeout: patience)
      let remaining = Duration.microseconds(answer["remainingMicroseconds"]?.integerValue ?? 0)
      let validUntil = limits.withLock { limits in
        limits.validUntil = max(limits.validUntil, asked + remaining)
        return limits.validUntil
      }
      runLimit.extend(until: validUntil, notice: Self.notice)
      return true
    } catch {
      return error.code != .leaseLost
    }
  }

  private func say(_ text: String) { session.writer.error("leader \(name): \(text)") }
}
