internal import GridConcurrency
internal import GridCore

/// What a cell knows, as a value under its lock.
///
/// ```
/// starting ─▶ running ◀──▶ restarting (paused) ─▶ stopping ─▶ ended
/// ```
struct CellState {
  var behavior: any ActorBehavior
  let startedAt: MonotonicTime
  var mailbox = Mailbox()
  /// Messages that were taken from the mailbox.
  private var taken = 0
  private var work = WorkInHand()
  var failures = 0
  var restarts = 0
  private var phase = Phase.starting
  private var isBusy = false
  private var system: [SystemMessage] = []
  private var trouble: Trouble?
  private var task: Task<Void, Never>?
  /// Told how the first start went; gone after it.
  private var spawner: PendingAsk?
  /// Told how the start goes that they asked for.
  private var restarters: [PendingAsk] = []
  /// `started` runs: a restart waits for its end, and does not break it off.
  private var isStarting = false
  /// `started` has run, and `stopped` has not yet.
  private var owesFarewell = false

  /// What went wrong, out of the way: most actors have none.
  private final class Trouble: Sendable {
    let last: GridError
    /// How often it may fail yet; nil when it has not failed since it was made.
    let budget: RestartBudget?

    init(_ last: GridError, _ budget: RestartBudget?) {
      self.last = last
      self.budget = budget
    }
  }

  private enum Phase {
    /// `started` has not run yet.
    case starting
    case running
    /// Waiting for the pause before a restart to pass.
    case paused
    case ended
  }

  enum SystemMessage {
    case failed(GridError)
    case stop(TerminationReason)
    case replaced(any ActorBehavior)
    /// As ``replaced(_:)``, because somebody asked for it.
    case restart(any ActorBehavior, [PendingAsk])
  }

  /// What a drain does next.
  enum Work {
    case start
    /// Messages, in the drain's own batch.
    case batch
    case failed(GridError)
    case stop(TerminationReason)
    /// The cell was ended while its handler ran: only the hook `stopped` is left to do.
    case farewell
    case replaced(any ActorBehavior)
  }

  /// What became of an arriving message.
  enum Arrival {
    case queued
    case waits
    case displaced(Envelope)
    case full(Envelope)
    case dropped(Envelope)
    case ended(Envelope)
  }

  init(behavior: any ActorBehavior, startedAt: MonotonicTime) {
    self.behavior = behavior
    self.startedAt = startedAt
  }

  var status: ActorReport.Status {
    if isStopping { return .stopping }
    if queuedRestart != nil { return .restarting }
    switch phase {
    case .starting, .running: return .running
    case .paused: return .restarting
    case .ended: return .stopping
    }
  }

  private var isStopping: Bool { system.contains { if case .stop = $0 { true } else { false } } }

  private var queuedRestart: Int? { system.firstIndex { if case .restart = $0 { true } else { false } } }

  /// Admits a message; true when the cell was idle and is busy from now on.
  ///
  /// - Parameter arrival: the time, as ``Envelope/arrival``; 0 where nobody looks.
  mutating func admit(
    _ envelope: consuming Envelope, arrival: UInt32 = 0, options: MailboxOptions
  ) -> (Arrival, Bool) {
    if case .ended = phase { return (.ended(envelope), false) }
    switch mailbox.admit(envelope, arrival: arrival, options: options) {
    case .queued: return (.queued, wake())
    case .waits: return (.waits, wake())
    case .full(let refused): return (.full(refused), false)
    case .displaced(let oldest): return (.displaced(oldest), wake())
    case .dropped(let refused): return (.dropped(refused), false)
    }
  }

  /// Whether a message would be taken at once.
  func hasRoom(options: MailboxOptions) -> Bool {
    if case .ended = phase { return false }
    return mailbox.depth < options.capacity && !mailbox.hasWaiting
  }

  /// Makes an idle cell busy; false when it is busy already, paused with nothing urgent, or ended.
  mutating func wake() -> Bool {
    guard !isBusy else { return false }
    if case .ended = phase { return false }
    if case .paused = phase, system.isEmpty { return false }
    isBusy = true
    return true
  }

  mutating func post(_ message: SystemMessage) -> (wakes: Bool, task: Task<Void, Never>?) {
    if case .ended = phase { return (false, nil) }
    system.append(message)
    return (wake(), task)
  }

  /// The next piece of work, with its messages in `batch`, and the messages that found room by it; nil work makes the
  /// cell idle.
  mutating func next(
    _ batch: inout EnvelopeQueue, takesOne: Bool, options: MailboxOptions, at now: MonotonicTime
  ) -> (Work?, [Envelope]) {
    work.ended(at: now, isMeasured: takesOne, taken: taken)
    if let work = nextSystem() { return (work, []) }
    switch phase {
    case .ended:
      if owesFarewell { return (.farewell, []) }
      isBusy = false
      return (nil, [])
    case .paused:
      isBusy = false
      return (nil, [])
    case .starting:
      phase = .running
      owesFarewell = true
      isStarting = true
      return (.start, [])
    case .running:
      let admitted = mailbox.takeBatch(into: &batch, takesOne: takesOne, options: options)
      if batch.isEmpty {
        isBusy = false
        task = nil
        mailbox.rest()
        return (nil, admitted)
      }
      taken += batch.count
      work.began(batch.count, at: now)
      return (.batch, admitted)
    }
  }

  private mutating func nextSystem() -> Work? {
    // A stop overtakes everything else.
    for message in system { if case .stop(let reason) = message { return .stop(reason) } }
    guard !system.isEmpty else { return nil }
    switch system.removeFirst() {
    case .failed(let error): return .failed(error)
    case .replaced(let fresh): return .replaced(fresh)
    case .restart(let fresh, let asks):
      phase = .starting
      restarts += 1
      trouble = trouble.map { Trouble($0.last, nil) }
      restarters += asks
      return .replaced(fresh)
    case .stop(let reason): return .stop(reason)
    }
  }

  /// Whether `stopped` must run; true once for each behaviour that was started.
  mutating func takeFarewell() -> Bool {
    defer { owesFarewell = false }
    return owesFarewell
  }

  /// Whether the cell has ended: what it still does concerns nobody else.
  var hasEnded: Bool { if case .ended = phase { true } else { false } }

  /// Has `spawner` told how the first start goes.
  mutating func tell(_ spawner: PendingAsk) { self.spawner = spawner }

  private mutating func takeSpawner() -> PendingAsk? {
    defer { spawner = nil }
    return spawner
  }

  private mutating func takeRestarters() -> [PendingAsk] {
    defer { restarters = [] }
    return restarters
  }

  /// Notes that `started` has returned; who is to be told of it.
  mutating func startEnded() -> (spawner: PendingAsk?, restarters: [PendingAsk]) {
    isStarting = false
    return (takeSpawner(), takeRestarters())
  }

  /// What became of the wish for a restart.
  enum Restarting {
    /// It is to come. What is under way in `task` is broken off for it.
    case queued(wakes: Bool, task: Task<Void, Never>?)
    /// The actor ends, or has ended.
    case ends
    /// As many wait for the one that is to come already as there is room for.
    case isCrowded
  }

  /// So many may wait for one restart; more are refused.
  static let maximumRestarters = 64

  /// Has a fresh behaviour take the place of the present one, between two messages; the mail waits.
  ///
  /// - Parameter ask: told how the start of the fresh one went.
  mutating func restart(with fresh: any ActorBehavior, telling ask: PendingAsk) -> Restarting {
    if case .ended = phase { return .ends }
    if isStopping { return .ends }
    if let queuedRestart, case .restart(let queued, let asks) = system[queuedRestart] {
      guard asks.count < Self.maximumRestarters else { return .isCrowded }
      system[queuedRestart] = .restart(queued, asks + [ask])
      return .queued(wakes: false, task: nil)
    }
    system.append(.restart(fresh, [ask]))
    return .queued(wakes: wake(), task: isStarting ? nil : task)
  }

  /// Returns messages of an unfinished batch to the head of the queue.
  ///
  /// - Returns: those the cell has no use for, since it has ended meanwhile.
  mutating func putBack(_ batch: inout EnvelopeQueue, first: Envelope) -> [Envelope] {
    taken -= batch.count + 1
    work.putBack(batch.count + 1)
    if case .ended = phase { return [first] + batch.removeAll() }
    mailbox.putBack(&batch, first: first)
    return []
  }

  /// Notes that a program has read `count` messages that were lent to it.
  ///
  /// - Returns: messages that found room by it, and whether an idle cell became busy.
  mutating func read(_ count: Int, options: MailboxOptions) -> ([Envelope], wakes: Bool) {
    if case .ended = phase { return ([], false) }
    let admitted = mailbox.read(count, options: options)
    return (admitted, admitted.isEmpty ? false : wake())
  }

  /// Takes messages back that were lent to a program and that it has not read.
  ///
  /// - Returns: those the cell has no use for, since it has ended meanwhile.
  mutating func giveBack(_ unread: [Envelope]) -> [Envelope] {
    taken -= unread.count
    if case .ended = phase { return unread }
    mailbox.giveBack(unread)
    return []
  }

  mutating func note(_ task: Task<Void, Never>) { if isBusy { self.task = task } }

  mutating func noteFailure(_ error: GridError) {
    failures += 1
    trouble = Trouble(error, trouble?.budget)
  }

  mutating func restartDecision(
    _ error: GridError, _ policy: RestartPolicy, at now: MonotonicTime
  ) -> RestartBudget.Decision {
    var budget = trouble?.budget ?? RestartBudget(policy: policy)
    defer { trouble = Trouble(error, budget) }
    let decision = budget.failed(at: now)
    if case .restart = decision, case .ended = phase {} else if case .restart = decision { phase = .paused }
    return decision
  }

  /// Puts a fresh behaviour in place of the failed one once the pause is over.
  mutating func replace(with fresh: any ActorBehavior) -> (isReplaced: Bool, wakes: Bool) {
    guard case .paused = phase else { return (false, false) }
    restarts += 1
    phase = .starting
    system.append(.replaced(fresh))
    return (true, wake())
  }

  /// What is left to do once a cell has ended.
  struct End {
    var letters: [Envelope] = []
    /// Whether this call ended it.
    var isFirst = false
    /// Whoever waits for a start.
    var waiting: [PendingAsk] = []
    /// Whether it was idle and must run its last hook: then the caller must run it.
    var wakes = false
  }

  /// Ends the cell. A handler that runs goes on; the hook `stopped` follows it.
  mutating func end() -> End {
    if case .ended = phase { return End() }
    phase = .ended
    var waiting = takeRestarters()
    for case .restart(_, let asks) in system { waiting += asks }
    if let spawner = takeSpawner() { waiting.append(spawner) }
    system = []
    let wakes = owesFarewell && !isBusy
    if wakes { isBusy = true }
    return End(letters: mailbox.takeAll(), isFirst: true, waiting: waiting, wakes: wakes)
  }

  /// Messages whose handling has ended; a program has read them.
  var processed: Int { taken - mailbox.inHand - mailbox.lent }

  /// How long the message in hand is being handled, and how old the oldest message that waits is.
  ///
  /// Of an actor that never suspends it is known that what waits came after the batch in hand was begun, and no more.
  func ages(at now: MonotonicTime) -> ActorReport.Latency {
    let isBusy = mailbox.inHand > 0
    let inHand = isBusy ? max(0, (now - work.since).inSeconds) : nil
    var oldest = mailbox.oldestArrival.map { Double(now.milliseconds &- $0) / 1e3 }
    if oldest == nil, mailbox.depth > (isBusy ? 1 : 0) { oldest = inHand }
    return ActorReport.Latency(inHandSeconds: inHand, oldestSeconds: oldest)
  }

  /// The ages, and how long the latest messages took.
  func latency(at now: MonotonicTime) -> ActorReport.Latency {
    var latency = ages(at: now)
    (latency.handlerP50Seconds, latency.handlerP99Seconds) =
      work.percentiles.map {
        ($0.half.inSeconds, $0.most.inSeconds)
      } ?? (nil, nil)
    return latency
  }

  func details(options: MailboxOptions) -> [String: JSONValue] {
    [
      "mailboxCapacity": .integer(Int64(options.capacity)), "overflow": .string(options.overflow.rawValue),
      "lastFailure": trouble.map { .string($0.last.description) } ?? .null,
    ]
  }
}
