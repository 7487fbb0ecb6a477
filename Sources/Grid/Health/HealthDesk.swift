internal import GridCore
internal import GridRequests
internal import GridSystem

/// Answers `gridctl check`: how this node is, and unless only that is asked for every other one.
struct HealthDesk: Sendable {
  /// How far back failures count where nobody says.
  private static let standardWindow = Duration.seconds(3600)
  /// Names that an answer holds.
  private static let longestList = 100
  /// How long the store may take to say what it is.
  private static let storePatience = Duration.milliseconds(1500)

  let node: NodeSelf
  let health: Health
  let letters: DeadLetterOffice
  let audit: AuditTrail
  let refused: RefusedLogIns
  let store: any CoordinationStore
  let nodes: NodeDesk
  let calls: ClusterCalls
  let timers: any Timers

  func cluster(_ request: HealthRequest, _ call: RequestCall) async -> ClusterHealth {
    var answer = ClusterHealth()
    async let own = here(window: request.window)
    if !call.isLocal {
      let gathered = await calls.gather(NodeHealthRequest(window: request.window), call)
      answer.peers = nodes.peerReports(gathered.answers.map { ($0.peer, $0.answer.load, $0.seconds) })
      answer.nodes = gathered.answers.map(\.answer)
      answer.missing = gathered.missing
    }
    answer.nodes.insert(await own, at: 0)
    return answer
  }

  func here(window: Duration?) async -> NodeHealth {
    let now = clock
    let milliseconds = (window ?? Self.standardWindow).wholeNanoseconds / 1_000_000
    let since = CalendarTime(millisecondsSince1970: now - min(max(0, milliseconds), max(0, now)))
    let failures = health.ledger.failures(since: since)
    // Those that have ended first: nobody mends them by waiting.
    let told = failures.filter { $0.failures.endedAt != nil } + failures.filter { $0.failures.endedAt == nil }
    let problem = health.membershipProblem
    var report = NodeHealth()
    report.node = node.name
    report.isMember = problem == nil
    report.problem = problem?.description
    report.advice = problem?.hint
    report.lostMemberships = health.ledger.losses(since: since)
    report.deadLetters = await deadLetters(since: since)
    report.failing = failures.count
    report.ended = failures.count { $0.failures.endedAt != nil }
    report.failingActors = told.prefix(Self.longestList).map { name, failures in
      FailingActor(
        name: name, count: failures.times.count, hasEnded: failures.endedAt != nil, message: failures.last.description)
    }
    report.troubles = troubles
    report.store = await storeReport()
    report.load = nodes.load()
    report.load.deadLetters = nil
    report.stateDirectory = nodes.configuration.stateDirectory
    let space = DiskSpace(of: nodes.configuration.stateDirectory)
    (report.stateBytesFree, report.stateBytesTotal) = (space?.freeBytes, space?.totalBytes)
    report.weakened = nodes.configuration.weakened
    report.certificateSecondsLeft = nodes.certificate?.remaining?.inSeconds
    let fault = nodes.certificate?.fault
    (report.certificateFailure, report.certificateAdvice) = (fault?.description, fault?.hint)
    let failure = audit.failure()
    (report.auditFailure, report.auditAdvice) = (failure?.message, failure?.hint)
    let refusals = refused.recent(since: since)
    report.refusedLogIns = refusals.count
    report.lastRefusal = refusals.count > 0 ? refusals.last : nil
    return report
  }

  private var clock: Int64 { timers.date().millisecondsSince1970 }

  private var troubles: [Trouble] {
    health.ledger.standing.compactMap { standing, trouble in
      let (kind, name): (Trouble.Kind, String)
      switch standing {
      case .membership: return nil
      case .watch(let prefix): (kind, name) = (.watch, prefix)
      case .singleton(let actor): (kind, name) = (.singleton, actor)
      }
      return Trouble(
        kind: kind, name: name, message: trouble.error.description, advice: trouble.error.hint, since: trouble.since)
    }
  }

  private func deadLetters(since: CalendarTime) async -> DeadLetterHealth {
    var report = DeadLetterHealth()
    do throws(GridError) {
      let log = try letters.log()
      let counts = try await log.counts()
      report.recent = try await log.count(since: since)
      (report.kept, report.dropped) = (counts.kept, counts.dropped)
      report.failure = letters.failure?.description
    } catch {
      (report.failure, report.advice) = (error.description, error.hint)
    }
    return report
  }

  private func storeReport() async -> StoreReport {
    let store = store
    do throws(GridError) {
      let described = try await timers.withLimit(Self.storePatience) { () async throws(GridError) in
        try await store.describe()
      }
      if let described { return StoreReport(described) }
      return StoreReport(
        failure: "the coordination store has not answered for \(Self.storePatience.inSeconds) s",
        advice: "is it there, and can it be reached from the node?")
    } catch {
      return StoreReport(failure: error.description, advice: error.hint)
    }
  }
}
