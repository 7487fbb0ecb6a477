internal import Glibc
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import GridSystem
internal import Synchronization

/// One campaign, and one run of a program under it.
final class LeaderRun: Sendable {
  let session: CommandSession
  let name: String
  let command: [String]
  let options: Options
  /// Until when the program may certainly act.
  private let validUntil = Mutex(MonotonicTime(nanoseconds: .min))
  let clock = SystemClock()
  /// Ends the program in time although this process is stopped or hangs.
  private let runLimit = RunLimit()

  /// What the command line says of the run.
  struct Options: Sendable {
    /// How long the program may take to end after a signal.
    var grace: Duration
    /// How long to wait for the leadership; nil for as long as it takes.
    var waitLimit: Duration?
    /// False ends the run when somebody else leads.
    var waits = true
    /// The program is not run again within this after the start of a run that ended well.
    var period: Duration?
  }

  init(session: CommandSession, name: String, command: [String], options: Options) {
    self.session = session
    self.name = name
    self.command = command
    self.options = options
  }

  /// How often the node is asked how long the leadership still holds.
  private static let interval = Duration.milliseconds(200)
  /// With less than this left, and no news from the node, the program is asked to end.
  private static let warning = Duration.milliseconds(1500)
  /// With less than this left the program is asked to end, also by its keeper.
  private static let notice = Duration.seconds(1)

  /// - Returns: the exit code of the program.
  /// - Throws: `ExitCode` for a signal that came before there was one.
  func untilExit() async throws -> Int32 {
    let relay = try SignalRelay(grace: options.grace) { [self] in
      say("the program did not end within \(options.grace.gridText); it is killed")
    }
    return try await relay.command { try await self.lead(relay) }
  }

  private func lead(_ relay: SignalRelay) async throws -> Int32 {
    if try await hasRun() { return 0 }
    let campaign = session.connection.stream(
      CampaignRequest(name, holder: "\(Self.hostName) process \(getpid())", isOnce: !options.waits))
    let token = try await electionInTime(campaign)
    // Who led until now may have run it.
    if try await hasRun() { return 0 }
    // Before the program starts it must be known until when it may act.
    guard await renew(token, patience: session.timeout) else {
      throw GridError(.leaseLost, "the leadership of \(name) was lost at once", hint: "see: gridctl peers")
    }
    let variables = ProcessEnvironment.forPrograms().merging([
      "GRIDCTL_LEADER": name, "GRIDCTL_FENCING_TOKEN": String(token), "GRIDCTL_ENDPOINTS": session.connection.endpoint,
      "GRIDCTL_NAMESPACE": session.settings.namespace,
    ])
    let startedAt = clock.date()
    let status = try await relay.program { () async throws(GridError) in
      try await AttachedChild.start(command, environment: variables, limit: runLimit)
    } beside: { child in
      await withDiscardingTaskGroup { group in
        group.addTask { await self.follow(campaign, child, relay) }
        group.addTask { await self.watchLimits(token, child) }
      }
    } ended: { status in
      await self.record(status, token, startedAt: startedAt)
    }
    return ExitStatus.code(of: status)
  }

  private static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Waits until elected, but not for longer than was said.
  private func electionInTime(_ campaign: AsyncThrowingStream<JSONValue, any Error>) async throws -> Int64 {
    guard let limit = options.waitLimit else { return try await election(campaign) }
    return try await withThrowingTaskGroup(of: Int64?.self) { group in
      group.addTask { try await self.election(campaign) }
      group.addTask {
        try await self.session.cluster.timers.pause(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      if let token = try await group.next() ?? nil { return token }
      throw GridError(
        .deadline, "the leadership of \(name) was not won within \(HumanText.duration(limit))",
        hint: "see who leads: gridctl leader show \(name)")
    }
  }

  /// Waits until elected.
  ///
  /// - Returns: the fencing token.
  private func election(_ campaign: AsyncThrowingStream<JSONValue, any Error>) async throws -> Int64 {
    for try await item in campaign {
      switch try? CampaignRequest.item(item) {
      case .elected(_, let token): return token
      case .held(_, let message):
        throw GridError(.retryLater, message, hint: "without --no-wait it waits until it leads")
      case .lost(_, let message): throw GridError(.unavailable, message)
      case .resign, nil: continue
      }
    }
    try Task.checkCancellation()
    throw GridError(.unavailable, "node \(session.connection.nodeName) is gone", hint: "see: gridctl peers")
  }

  /// Acts on what the node says of the leadership.
  private func follow(
    _ campaign: AsyncThrowingStream<JSONValue, any Error>, _ child: AttachedChild, _ relay: SignalRelay
  ) async {
    var reason = "node \(session.connection.nodeName) is gone"
    do {
      news: for try await item in campaign {
        switch try? CampaignRequest.item(item) {
        case .resign:
          say("was asked to give up")
          relay.pass(SIGTERM)
        case .lost(_, let message):
          reason = message
          break news
        case .elected, .held, nil: continue
        }
      }
    } catch { reason = "\(reason): \(GridError.wrapping(error, as: .unavailable, "the stream broke").message)" }
    if Task.isCancelled { return }
    // Somebody else may lead from now on.
    say("\(reason); the program is killed")
    child.signal(SIGKILL)
  }

  /// Asks again and again how long the leadership holds, and ends the program before it does not.
  private func watchLimits(_ token: Int64, _ child: AttachedChild) async {
    var isWarned = false
    while !Task.isCancelled {
      let remaining = validUntil.withLock { $0 } - clock.now()
      if remaining <= .zero {
        say("it ran out; the program is killed")
        return child.signal(SIGKILL)
      }
      if remaining < Self.warning, !isWarned {
        isWarned = true
        say("it cannot be renewed at the moment")
        child.signal(SIGTERM)
      }
      if !(await renew(token, patience: min(remaining, .milliseconds(500)))) {
        if Task.isCancelled { return }
        say("it is lost; the program is killed")
        return child.signal(SIGKILL)
      }
      await session.cluster.timers.sleep(for: Self.interval)
    }
  }

  /// Asks how long the leadership holds, and counts that from before the question.
  ///
  /// - Returns: false when it is lost for certain; a node that does not answer changes nothing.
  private func renew(_ token: Int64, patience: Duration) async -> Bool {
    let asked = clock.now()
    do throws(GridError) {
      let remaining = try await session.connection.ask(
        KeepLeadershipRequest(name, token: token), timeout: patience
      ).remaining
      let validUntil = validUntil.withLock { known in
        known = max(known, asked + remaining)
        return known
      }
      runLimit.extend(until: validUntil, notice: Self.notice)
      return true
    } catch {
      return error.code != .leaseLost
    }
  }

  func say(_ text: String) { session.writer.remark("leader \(name): \(text)") }
}
