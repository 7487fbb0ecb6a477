internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import Logging

extension NodeRuntime {
  // MARK: What happens

  /// Notes what fails and is tried again, and says it in the log once for each reason.
  func stands(_ standing: HealthLedger.Standing, _ error: GridError, _ message: Logger.Message) {
    guard error.code != .cancelled, !stopRequested.isOpen else { return }
    guard healthLedger.stands(standing, error, at: clock.date()) else { return }
    logger.warning(message, metadata: ["error": "\(error)", "hint": "\(error.hint ?? "")", "subject": "\(standing)"])
  }

  func mended(_ standing: HealthLedger.Standing, _ message: Logger.Message) {
    if healthLedger.mended(standing) { logger.notice(message, metadata: ["subject": "\(standing)"]) }
  }

  // MARK: What is asked

  /// How far back failures count where nobody says.
  private static let standardWindow = Duration.seconds(3600)
  /// Names that an answer holds.
  private static let longestList = 100

  /// What `gridctl check` needs: of this node, and unless only that is asked for of every other one.
  func health(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    if arguments.isLocal { return await ownHealth(arguments) }
    async let own = ownHealth(arguments)
    let (answers, missing) = await gather("health", arguments, deadline: deadline)
    let reports = peerReports(answers)
    var nodes = [await own.with("node", .string(nodeName))]
    nodes += answers.map { $0.answer.with("node", .string($0.peer.name)) }
    return ["peers": .array(reports.map(\.json)), "nodes": .array(nodes), "missing": .array(missing)]
  }

  private func ownHealth(_ arguments: JSONValue) async -> JSONValue {
    let window = arguments["windowMilliseconds"]?.integerValue ?? Self.standardWindow.wholeNanoseconds / 1_000_000
    let now = clock.date().millisecondsSince1970
    let since = CalendarTime(millisecondsSince1970: now - min(max(0, window), max(0, now)))
    let failures = healthLedger.failures(since: since)
    // Those that have ended first: nobody mends them by waiting.
    let told = failures.filter { $0.failures.endedAt != nil } + failures.filter { $0.failures.endedAt == nil }
    let problem = membershipProblem
    let members: [String: JSONValue] = [
      "member": .bool(problem == nil), "problem": .optional(problem?.description), "advice": .optional(problem?.hint),
      "lostMemberships": .integer(Int64(healthLedger.losses(since: since))),
      "deadLetters": await letters(since: since), "failing": .integer(Int64(failures.count)),
      "ended": .integer(Int64(failures.count { $0.failures.endedAt != nil })),
      "failingActors": .array(told.prefix(Self.longestList).map(Self.json)), "troubles": .array(troubles()),
      "store": await storeHealth(),
    ]
    return members.reduce(load()) { $0.with($1.key, $1.value) }
  }

  /// Why the node is no member; nil while it is one.
  var membershipProblem: GridError? {
    guard membership.record == nil else { return nil }
    return healthLedger.trouble(.membership)?.error
      ?? GridError(.notServing, "it has lost its membership, and joins again", hint: "look at its log")
  }

  private static func json(_ entry: (name: String, failures: HealthLedger.Failures)) -> JSONValue {
    [
      "name": .string(entry.name), "count": .integer(Int64(entry.failures.times.count)),
      "ended": .bool(entry.failures.endedAt != nil), "message": .string(entry.failures.last.description),
    ]
  }

  private func troubles() -> [JSONValue] {
    healthLedger.standing.compactMap { standing, trouble in
      let (kind, name): (String, String)
      switch standing {
      case .membership: return nil
      case .watch(let prefix): (kind, name) = ("watch", prefix)
      case .singleton(let actor): (kind, name) = ("singleton", actor)
      }
      return [
        "kind": .string(kind), "name": .string(name), "message": .string(trouble.error.description),
        "advice": .optional(trouble.error.hint), "since": .string(trouble.since.rfc3339),
      ]
    }
  }

  private func letters(since: CalendarTime) async -> JSONValue {
    do throws(GridError) {
      let log = try deadLetterOffice.log()
      let counts = try await log.counts()
      return [
        "recent": .integer(Int64(try await log.count(since: since))), "kept": .integer(Int64(counts.kept)),
        "dropped": .integer(Int64(counts.dropped)), "failure": .optional(deadLetterOffice.failure?.description),
      ]
    } catch {
      return ["failure": .string(error.description), "advice": .optional(error.hint)]
    }
  }

  /// How long the store may take to say what it is.
  private static let storePatience = Duration.milliseconds(1500)

  private func storeHealth() async -> JSONValue {
    let store = store
    let described: Result<StoreDescription, GridError>? = await withTaskGroup { group in
      group.addTask { () -> Result<StoreDescription, GridError>? in
        do throws(GridError) { return .success(try await store.describe()) } catch { return .failure(error) }
      }
      group.addTask {
        try? await Task.sleep(for: Self.storePatience)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
    switch described {
    case .success(let store):
      return ["engine": .string(store.engine), "version": .string(store.version), "place": .string(store.place)]
    case .failure(let error): return ["failure": .string(error.description), "advice": .optional(error.hint)]
    case nil:
      let limit = Self.storePatience.inSeconds
      return [
        "failure": .string("the coordination store has not answered for \(limit) s"),
        "advice": "is it there, and can it be reached from the node?",
      ]
    }
  }
}
