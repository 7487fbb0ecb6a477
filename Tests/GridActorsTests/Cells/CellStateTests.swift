import GridConcurrency
import GridCore
import Testing

@testable import GridActors

/// What a cell does next, event by event.
@Suite struct CellStateTests {
  private final class StillBehavior: ActorBehavior {
    func started(_ context: ActorContext) async throws {}
    func receive(_ message: Message, _ context: ActorContext) async throws {}
    func stopped(_ context: ActorContext) async {}
  }

  /// A piece of work as a word.
  private static func word(_ work: CellState.Work?) -> String {
    switch work {
    case .start: "start"
    case .batch: "batch"
    case .failed(let error): "failed \(error.message)"
    case .stop(let reason): "stop \(reason.label)"
    case .farewell: "farewell"
    case .replaced: "replaced"
    case nil: "idle"
    }
  }

  private let options = MailboxOptions(capacity: 10)

  private func fresh() -> CellState {
    CellState(behavior: StillBehavior(), startedAt: MonotonicTime(nanoseconds: 0))
  }

  private func next(_ state: inout CellState, at milliseconds: Int64 = 0) -> String {
    var batch = EnvelopeQueue()
    let now = MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    let (work, _) = state.next(&batch, takesOne: false, options: options, at: now)
    return Self.word(work) + (batch.isEmpty ? "" : " of \(batch.count)")
  }

  private func admit(_ state: inout CellState, _ text: String = "x") -> (String, wakes: Bool) {
    let (arrival, wakes) = state.admit(Envelope(target: "a", message: Message(text)), options: options)
    switch arrival {
    case .queued: return ("queued", wakes)
    case .waits: return ("waits", wakes)
    case .displaced: return ("displaced", wakes)
    case .full: return ("full", wakes)
    case .dropped: return ("dropped", wakes)
    case .ended: return ("ended", wakes)
    }
  }

  /// One that has started and is idle.
  private func running() -> CellState {
    var state = fresh()
    #expect(state.wake() == true)
    #expect(next(&state) == "start")
    _ = state.startEnded()
    #expect(next(&state) == "idle")
    return state
  }

  private static let failure = GridError(.handlerFailed, "x")

  private func post(_ state: inout CellState, _ message: CellState.SystemMessage) -> Bool { state.post(message).wakes }

  @Test func `it starts before it handles anything, and one drain runs it at a time`() {
    var state = fresh()
    #expect(state.status == .running)
    #expect(admit(&state) == ("queued", wakes: true))
    #expect(admit(&state) == ("queued", wakes: false))
    #expect(state.wake() == false)
    #expect(next(&state) == "start")
    #expect(next(&state) == "batch of 2")
    #expect(state.processed == 0 && state.mailbox.inHand == 2)
    #expect(next(&state) == "idle")
    #expect(state.processed == 2)
    #expect(admit(&state) == ("queued", wakes: true))
  }

  @Test func `a stop overtakes everything, and comes again until the cell has ended`() {
    var state = running()
    #expect(admit(&state).wakes)
    #expect(post(&state, .failed(Self.failure)) == false)
    #expect(post(&state, .stop(.request)) == false)
    #expect(state.status == .stopping)
    #expect(next(&state) == "stop request")
    #expect(next(&state) == "stop request")
    #expect(state.takeFarewell() == true)
    #expect(state.takeFarewell() == false)
    let end = state.end()
    #expect(end.isFirst && end.letters.count == 1 && !end.wakes)
    #expect(next(&state) == "idle")
    #expect(admit(&state) == ("ended", wakes: false))
    #expect(post(&state, .stop(.killed)) == false)
    #expect(state.wake() == false)
    #expect(!state.end().isFirst)
  }

  @Test func `what is ended while its handler runs says farewell after it`() {
    var state = running()
    #expect(admit(&state).wakes)
    #expect(next(&state) == "batch of 1")
    let end = state.end()
    #expect(end.isFirst && !end.wakes && state.hasEnded)
    #expect(next(&state) == "farewell")
    #expect(state.takeFarewell() == true)
    #expect(next(&state) == "idle")
  }

  @Test func `what is ended while it is idle is woken for its farewell`() {
    var state = running()
    let end = state.end()
    #expect(end.isFirst && end.wakes)
    #expect(next(&state) == "farewell")
  }

  @Test func `what never started has no farewell`() {
    var state = fresh()
    let spawner = PendingAsk()
    state.tell(spawner)
    let end = state.end()
    #expect(!end.wakes && end.waiting.count == 1)
    #expect(end.waiting.first === spawner)
    #expect(next(&state) == "idle")
  }

  @Test func `a failure pauses it, and mail waits until the pause is over`() {
    var state = running()
    let policy = RestartPolicy(
      maximumRestarts: 1, window: .seconds(60), backoff: Backoff(first: .seconds(1), limit: .seconds(1)))
    let now = MonotonicTime(nanoseconds: 0)
    #expect(post(&state, .failed(Self.failure)) == true)
    #expect(next(&state) == "failed x")
    #expect(state.restartDecision(Self.failure, policy, at: now) == .restart(after: .seconds(1)))
    #expect(state.status == .restarting)
    #expect(next(&state) == "idle")
    #expect(admit(&state) == ("queued", wakes: false))
    let (isReplaced, wakes) = state.replace(with: StillBehavior())
    #expect(isReplaced && wakes && state.restarts == 1)
    // Its place is taken between two messages, and it starts before the mail.
    #expect(next(&state) == "replaced")
    #expect(next(&state) == "start")
    #expect(next(&state) == "batch of 1")
    #expect(state.restartDecision(Self.failure, policy, at: now) == .stop)
    #expect(!state.replace(with: StillBehavior()).isReplaced)
  }

  @Test func `a stop ends one that is paused`() {
    var state = running()
    _ = state.restartDecision(Self.failure, .standard, at: MonotonicTime(nanoseconds: 0))
    #expect(post(&state, .stop(.request)) == true)
    #expect(next(&state) == "stop request")
    _ = state.end()
    #expect(!state.replace(with: StillBehavior()).isReplaced)
    #expect(state.status == .stopping)
  }

  @Test func `restarts that are asked for are one, and forgive`() {
    var state = running()
    func restart() -> String {
      switch state.restart(with: StillBehavior(), telling: PendingAsk()) {
      case .queued(let wakes, _): "queued \(wakes)"
      case .ends: "ends"
      case .isCrowded: "crowded"
      }
    }
    #expect(restart() == "queued true")
    #expect(state.status == .restarting)
    for _ in 1..<CellState.maximumRestarters { #expect(restart() == "queued false") }
    #expect(restart() == "crowded")
    #expect(next(&state) == "replaced")
    #expect(state.restarts == 1)
    #expect(next(&state) == "start")
    #expect(state.startEnded().restarters.count == CellState.maximumRestarters)
    #expect(state.startEnded().restarters.isEmpty)
    #expect(post(&state, .stop(.request)) == false)
    #expect(restart() == "ends")
    _ = state.end()
    #expect(restart() == "ends")
  }

  @Test func `whoever waits for a restart is told when the cell ends instead`() {
    var state = running()
    let asks = (0..<3).map { _ in PendingAsk() }
    for ask in asks { _ = state.restart(with: StillBehavior(), telling: ask) }
    #expect(state.end().waiting.count == 3)
  }

  @Test func `messages that come back count as never taken`() {
    var state = running()
    for _ in 0..<3 { _ = admit(&state) }
    var batch = EnvelopeQueue()
    _ = state.next(&batch, takesOne: false, options: options, at: MonotonicTime(nanoseconds: 0))
    _ = batch.popFirst()
    guard let first = batch.popFirst() else { return }
    #expect(state.putBack(&batch, first: first).isEmpty)
    #expect(state.processed == 1 && state.mailbox.depth == 2)
    #expect(next(&state) == "batch of 2")
    _ = state.end()
    var rest = EnvelopeQueue()
    rest.append(Envelope(target: "a", message: Message("2")))
    // The cell has no use for them.
    #expect(
      state.putBack(&rest, first: Envelope(target: "a", message: Message("1"))).map(\.message.text) == ["1", "2"])
  }

  @Test func `room that a program makes wakes an idle cell`() {
    let options = MailboxOptions(capacity: 1)
    var state = running()
    #expect(admit(&state).wakes)
    var batch = EnvelopeQueue()
    _ = state.next(&batch, takesOne: true, options: options, at: MonotonicTime(nanoseconds: 0))
    state.mailbox.lend()
    batch = EnvelopeQueue()
    _ = state.next(&batch, takesOne: true, options: options, at: MonotonicTime(nanoseconds: 0))
    let (arrival, _) = state.admit(
      Envelope(target: "a", message: Message("2"), waitsForRoom: true), options: options)
    guard case .waits = arrival else {
      Issue.record("it does not wait")
      return
    }
    _ = state.next(&batch, takesOne: true, options: options, at: MonotonicTime(nanoseconds: 0))
    let (admitted, wakes) = state.read(1, options: options)
    #expect(admitted.count == 1 && wakes)
    _ = state.end()
    #expect(state.read(1, options: options).0.isEmpty)
    #expect(state.giveBack([Envelope(target: "a", message: Message("2"))]).count == 1)
  }
}
