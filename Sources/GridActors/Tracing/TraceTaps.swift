package import GridCore
internal import Synchronization

/// The traces of a node under way. Actors ask ``isActive`` for every message and pay no more while nobody traces.
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

  /// Starts a trace; it ends with ``remove(_:)``, and tells nothing more once its budget is spent.
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

  func arrived(_ envelope: borrowing Envelope, at cell: ActorCell) {
    let (message, sender) = (envelope.message, envelope.sender)
    tell(.arrived, cell) {
      TraceRecord(
        step: .arrived, actor: cell.name, kind: cell.kind.name, sender: sender, message: message, outcome: "queued")
    }
  }

  func left(
    _ message: Message, from sender: String, _ cell: ActorCell, _ outcome: String, detail: String = "",
    since began: MonotonicTime?
  ) {
    let now = clock.now()
    tell(.left, cell) {
      TraceRecord(
        step: .left, actor: cell.name, kind: cell.kind.name, sender: sender, message: message, outcome: outcome,
        detail: detail, duration: began.map { now - $0 })
    }
  }

  private func tell(_ step: TraceRecord.Step, _ cell: ActorCell, _ record: () -> TraceRecord) {
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
        state.taps[number] = tap
      }
      return told
    }
    guard !told.isEmpty else { return }
    var record = record()
    for tap in told {
      record.sequence = tap.sequence
      tap.receive(record, tap.leftOut)
    }
  }
}

/// A message in an actor's hands whose answer is traced.
struct TracedExchange: Sendable {
  let taps: TraceTaps
  let cell: ActorCell
  let message: Message
  let sender: String
  let began: MonotonicTime

  func answered(_ outcome: ExchangeOutcome) {
    switch outcome {
    case .accepted: break
    case .reply(let reply): taps.left(reply, from: sender, cell, "replied", since: began)
    case .failure(let error): taps.left(message, from: sender, cell, "failed", detail: error.description, since: began)
    }
  }
}

extension ActorCell {
  /// Tells of a message that was handled; an asking sender's answer is traced when it is given, which may be later.
  func traceHandled(_ envelope: Envelope, _ context: ActorContext, since began: MonotonicTime) {
    if context.exchange != nil { return }
    taps.left(envelope.message, from: envelope.sender, self, "handled", since: began)
  }
}
