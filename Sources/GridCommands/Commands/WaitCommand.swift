internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import Synchronization

/// `gridctl wait`
struct WaitCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait", _superCommandName: "gridctl",
    abstract: "Return when something has become so.",
    discussion: """
      Conditions: peers>=N and actors>=N (and other comparisons: <=, =, <, >, !=), actor/NAME, no-actor/NAME,
      leader/NAME, event/KIND. All of them must hold at once; with --any one is enough. A node that does not answer yet
      is waited for, too. When --timeout is over, the exit code is 124.

      Examples:
        gridctl wait 'peers>=3' -t 30s
        gridctl wait actor/orders leader/main
        gridctl wait 'actors>=100'
        gridctl wait --any no-actor/import event/peer
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("What to wait for.", valueName: "condition"))
  var conditions: [String]
  @Flag(help: "One condition is enough.")
  var any = false

  func run() async throws {
    var wanted: [WaitCondition] = []
    for text in conditions { wanted.append(try WaitCondition(parsing: text)) }
    let settings = try Settings(global)
    let limit = settings.sources.timeout == .standard ? Duration.seconds(30) : settings.timeout
    let waiter = Waiter(global: global, conditions: wanted, isAnyEnough: any)
    let hasEnded = try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await waiter.run()
        return true
      }
      group.addTask {
        try await ProcessTimers.shared.pause(for: limit)
        return false
      }
      defer { group.cancelAll() }
      return try await group.next() ?? false
    }
    guard hasEnded else {
      throw GridError(
        .deadline, "after \(HumanText.duration(limit)): \(waiter.found.joined(separator: "; "))",
        hint: "it was waited for: \(wanted.map(\.text).joined(separator: any ? " or " : " and "))")
    }
    if settings.format != .table {
      try settings.renderer.object(
        ["conditions": .array(wanted.map { .string($0.text) })], kind: "WaitResult", noun: "wait")
    }
  }
}

/// Waits for conditions over as many connections as it takes.
private final class Waiter: Sendable {
  private let global: GlobalOptions
  private let conditions: [WaitCondition]
  private let isAnyEnough: Bool
  private let state = Mutex((found: ["no node has answered"], seen: Set<String>()))

  init(global: GlobalOptions, conditions: [WaitCondition], isAnyEnough: Bool) {
    self.global = global
    self.conditions = conditions
    self.isAnyEnough = isAnyEnough
  }

  /// What was found at the last look, for each condition that does not hold.
  var found: [String] { state.withLock { $0.found } }

  private static let pauseBeforeReconnecting = Duration.milliseconds(200)

  func run() async throws {
    while true {
      do {
        return try await follow(try await CommandSession(global))
      } catch let error as GridError where ClusterClient.isLoss(error) {
        state.withLock { $0.found = [error.message] }
        try await ProcessTimers.shared.pause(for: Self.pauseBeforeReconnecting)
      }
    }
  }

  private func follow(_ session: CommandSession) async throws {
    let bells = ChangeBells()
    let kinds = Set(conditions.flatMap(\.events)).sorted { $0.rawValue < $1.rawValue }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await bells.follow(session.connection, kinds: kinds) { event in
          guard let event else { return }
          self.state.withLock { _ = $0.seen.insert(event.kind.rawValue) }
        }
      }
      group.addTask { try await bells.untilTrue { try await self.look(WaitProbe(session: session)) } }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func look(_ probe: WaitProbe) async throws -> Bool {
    let seen = state.withLock { $0.seen }
    var missing: [String] = []
    for condition in conditions {
      let (holds, found) = try await probe.look(condition, seen: seen)
      if !holds { missing.append(found) }
    }
    state.withLock { $0.found = missing }
    return isAnyEnough ? missing.count < conditions.count : missing.isEmpty
  }
}
