package import GridCore
internal import Synchronization

/// The traces of a node under way. Its actors are told with ``ActorCell/noteTraces()`` when the first begins and the
/// last ends.
package final class TraceTaps: Sendable {
  /// Told of a record, with how many were left out before it for want of budget.
  package typealias Receiver = @Sendable (TraceRecord, _ leftOut: Int) -> Void

  private struct Tap {
    let filter: TraceFilter
    var budget: TraceBudget
    var leftOut = 0
    var sequence: Int64 = 0
    let receive: Receiver
  }

  private struct State {
    var taps: [UInt64: Tap] = [:]
    var next: UInt64 = 0
  }

  private let state = Mutex(State())
  private let active = Atomic(false)
  private let clock: any GridClock

  package init(clock: any GridClock) { self.clock = clock }

  /// Whether anybody traces anything.
  var isActive: Bool { active.load(ordering: .relaxed) }

  /// Starts a trace; it ends with ``remove(_:)``, or with its budget.
  package func add(_ filter: TraceFilter, budget: TraceBudget, _ receive: @escaping Receiver) -> UInt64 {
    state.withLock { state in
      state.next += 1
      state.taps[state.next] = Tap(filter: filter, budget: budget, receive: receive)
      active.store(true, ordering: .relaxed)
      return state.next
    }
  }

  package func remove(_ number: UInt64) {
    state.withLock { state in
      state.taps[number] = nil
      active.store(!state.taps.isEmpty, ordering: .relaxed)
    }
  }

  func arrived(_ envelope: Envelope, at cell: ActorCell) {
    let (message, sender) = (envelope.message, envelope.sender)
    tell(.arrived, cell) { _ in
      TraceRecord(
        step: .arrived, actor: cell.name, kind: cell.kind.name, sender: sender, message: message, outcome: "queued")
    }
  }

  func left(
    _ message: Message, from sender: String, _ cell: ActorCell, _ outcome: String, detail: String = "",
    since began: MonotonicTime?
  ) {
    tell(.left, cell) { now in
      TraceRecord(
        step: .left, actor: cell.name, kind: cell.kind.name, sender: sender, message: message, outcome: outcome,
        detail: detail, duration: began.map { now - $0 })
    }
  }

  private func tell(_ step: TraceRecord.Step, _ cell: ActorCell, _ record: (MonotonicTime) -> TraceRecord) {
    // The last trace has ended since the cell was told of one.
    guard isActive else { return cell.noteTraces() }
    let now = clock.now()
    let told = state.withLock { state in
      var told: [Tap] = []
      for (number, tap) in state.taps
      where tap.filter.steps.contains(step) && tap.filter.covers(actor: cell.name, kind: cell.kind.name) {
        var tap = tap
        if tap.budget.admits(at: now) {
          tap.sequence += 1
          told.append(tap)
          tap.leftOut = 0
        } else {
          tap.leftOut += 1
        }
        state.taps[number] = tap.budget.isSpent(at: now) ? nil : tap
      }
      if state.taps.isEmpty { active.store(false, ordering: .relaxed) }
      return told
    }
    guard !told.isEmpty else { return }
    var record = record(now)
    for tap in told {
      record.sequence = tap.sequence
      tap.receive(record, tap.leftOut)
    }
  }
}

/// A message in an actor's hands whose answer is traced.
final class TracedExchange: Sendable {
  let taps: TraceTaps
  let cell: ActorCell
  let message: Message
  let sender: String
  let began: MonotonicTime

  init(taps: TraceTaps, cell: ActorCell, message: Message, sender: String, began: MonotonicTime) {
    self.taps = taps
    self.cell = cell
    self.message = message
    self.sender = sender
    self.began = began
  }

  func answered(_ outcome: ExchangeOutcome) {
    switch outcome {
    case .accepted: break
    case .reply(let reply): taps.left(reply, from: sender, cell, "replied", since: began)
    case .failure(let error): taps.left(message, from: sender, cell, "failed", detail: error.description, since: began)
    }
  }
}

// Apart from the ways of messages that nobody traces, which must cost no copy more than they do.
extension ActorCell {
  /// Looks whether anybody traces on this node now.
  package func noteTraces() { isTraced.store(host.taps.isActive, ordering: .relaxed) }

  @inline(never)
  func offerTraced(_ envelope: Envelope) -> Bool? {
    let arrival = arrivalTime
    let wakes = state.withLock { state -> Bool? in
      guard state.hasRoom(options: options) else { return nil }
      return state.admit(envelope, arrival: arrival, options: options).1
    }
    // Not under the lock: whoever follows the trace runs code of its own.
    if wakes != nil { host.taps.arrived(envelope, at: self) }
    return wakes
  }

  @inline(never)
  func handleTraced(_ envelope: Envelope, _ behavior: any ImmediateBehavior) {
    let trace = tracedExchange(envelope)
    let context = context(for: envelope, trace: trace)
    do {
      try behavior.receiveNow(envelope.message, context)
      traceEnd(trace, context, nil)
    } catch {
      let error = Self.gridError(error)
      traceEnd(trace, context, error)
      failed(envelope, context, error)
    }
  }

  func tracedExchange(_ envelope: Envelope) -> TracedExchange {
    TracedExchange(
      taps: host.taps, cell: self, message: envelope.message, sender: envelope.sender, began: host.now())
  }

  /// Tells how a handler ended; an asking sender's answer is told when it is given, which may be later.
  func traceEnd(_ trace: TracedExchange, _ context: ActorContext, _ error: GridError?) {
    if context.exchange != nil { return }
    host.taps.left(
      trace.message, from: trace.sender, self, error == nil ? "handled" : "failed", detail: error?.description ?? "",
      since: trace.began)
  }
}
