internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridRequests
internal import GridSecurity
internal import GridSystem
internal import Synchronization

/// What becomes of connections that were refused: they are counted, written down, and told as events, so many a minute.
final class RefusedLogIns: Sendable {
  private struct State {
    var tally = RefusalTally()
    var budget = RecordBudget()
    /// Places that this minute's events name. Overflow: the others are told together.
    var told: Set<String> = []
    var untold = 0
    var last: GridError?
    /// Whether what was left out is told soon.
    var isDue = false
  }

  private static let minute = Duration.seconds(60)
  private static let mostTold = 10

  let gate: LogInGate
  private let audit: AuditTrail
  private let events: EventLog
  private let node: NodeSelf
  private let work: BackgroundWork
  private let timers: any Timers
  private let state = Mutex(State())

  init(audit: AuditTrail, events: EventLog, node: NodeSelf, work: BackgroundWork, timers: any Timers) {
    gate = LogInGate(clock: timers)
    self.audit = audit
    self.events = events
    self.node = node
    self.work = work
    self.timers = timers
  }

  /// Since the node started.
  var total: Int64 { state.withLock { $0.tally.total } }

  /// How many since then, and what the last of them was about.
  func recent(since: CalendarTime) -> (count: Int, last: String?) {
    state.withLock { ($0.tally.count(since: since), $0.tally.last) }
  }

  func run() async {
    while let attempt = await gate.heard.next() { take(attempt, unheard: gate.heard.takeDropped()) }
  }

  private func take(_ attempt: LinkAttempt, unheard: Int) {
    let (now, date) = (timers.now(), timers.date())
    let place = attempt.place
    let (isWritten, isTold, isDue) = state.withLock { state in
      let description = "\(place): \(attempt.error.message)"
      for _ in 0...unheard { state.tally.add(description, at: date) }
      state.last = attempt.error
      let isWritten = state.budget.takes(at: now)
      let isTold = state.told.count < Self.mostTold && state.told.insert(place).inserted
      state.untold += unheard + (isTold ? 0 : 1)
      defer { state.isDue = true }
      return (isWritten, isTold, !state.isDue)
    }
    if isWritten { _ = try? audit.write(attempt.record) }
    if isTold { record(place, attempt.claimed, count: 1, attempt.error) }
    guard isDue else { return }
    timers.schedule(after: Self.minute) { [self] in work.add({ self.tellRest() }, refused: { _ in }) }
  }

  /// Once a minute, while there are any.
  private func tellRest() {
    let now = timers.now()
    let (leftOut, untold, last) = state.withLock { state in
      defer { (state.told, state.untold, state.isDue) = ([], 0, false) }
      return (state.budget.takeLeftOut(at: now), state.untold, state.last)
    }
    audit.noteLeftOut(leftOut, of: "log-ins")
    if untold > 0, let last { record("", "", count: untold, last) }
  }

  private func record(_ place: String, _ claimed: String, count: Int, _ error: GridError) {
    let name = node.name
    events.record(.logInRefused(from: place, as: claimed, count: count, error), name, node: name)
  }
}

extension LinkAttempt {
  /// Where it came from.
  fileprivate var place: String { user.map { "unix, user \(UserNames.name(of: $0))" } ?? host }

  /// Whom it said to be.
  fileprivate var claimed: String { greeting.map { String($0.name.prefix(NameRules.maximumLength)) } ?? "" }

  fileprivate var record: AuditRecord {
    var caller = Caller()
    var subject = JSONValue.object([:])
    if let user {
      // The kernel says so; over TCP nobody does.
      (caller.name, caller.source, caller.from) = (UserNames.name(of: user), .socket, "unix")
    } else {
      caller.from = host
    }
    if let greeting {
      subject = ["claimed": .string(claimed), "as": .string(greeting.role == .node ? "node" : "client")]
      switch greeting.credential {
      case .secret: caller.source = .secret
      case .token:
        caller.source = .token
        subject = subject.with("token", .string(String(greeting.token.prefix(NameRules.maximumLength))))
      case .certificate: caller.source = .certificate
      }
    }
    return AuditRecord("log-in", subject, caller, .denied, error: error)
  }
}
