internal import GridConcurrency
package import GridCore
internal import NIOCore
internal import Synchronization

/// One activation of an actor: name, mailbox, behaviour, supervision.
///
/// At any time at most one drain runs it: whoever makes an idle cell busy must ``run(_:)`` it. System messages (stop,
/// failure) overtake user mail between two messages.
package final class ActorCell: Sendable {
  package let identity: ActorIdentity
  let kind: KindDefinition
  let request: SpawnRequest
  let host: any ActorHost
  let state: Mutex<CellState>
  let hasSystemMail = Atomic(false)
  let isSlow = Atomic(false)
  /// Whether messages are told when they came: those of handlers that may suspend, where looking at the clock costs
  /// next to nothing beside them.
  private let notesArrivals: Bool
  /// Whether anybody traces on this node; asked for every message, so it costs one load and touches no other object.
  let isTraced: Atomic<Bool>

  package convenience init(
    name: String, epoch: Int64, kind: KindDefinition, request: SpawnRequest, behavior: any ActorBehavior,
    host: any ActorHost
  ) {
    self.init(.named(name, epoch: epoch), kind: kind, request: request, behavior: behavior, host: host)
  }

  package init(
    _ identity: ActorIdentity, kind: KindDefinition, request: SpawnRequest, behavior: any ActorBehavior,
    host: any ActorHost
  ) {
    self.identity = identity
    self.kind = kind
    self.request = request
    self.host = host
    isTraced = Atomic(host.taps.isActive)
    notesArrivals = behavior.immediate == nil
    state = Mutex(CellState(behavior: behavior, startedAt: host.now()))
  }

  var options: MailboxOptions { request.mailbox ?? kind.mailbox }

  // MARK: Arrivals

  /// How a cell that has become busy gets its thread.
  package enum Place {
    /// Here and now when the handler never suspends, else on the pool.
    case here
    /// On the thread pool.
    case pool
  }

  /// Puts a message into the mailbox and tells its sender.
  ///
  /// - Returns: whether the cell was idle: then the caller must ``run(_:)`` it.
  package func enqueue(_ envelope: Envelope) -> Bool {
    if let error = envelope.message.oversize {
      refuse(envelope, .undecodable, error)
      return false
    }
    if isTraced.load(ordering: .relaxed) { host.taps.arrived(envelope, at: self) }
    let arrival = arrivalTime
    let (admission, wakes) = state.withLock { state -> (CellState.Arrival, Bool) in
      state.admit(envelope, arrival: arrival, options: options)
    }
    settle(envelope, admission)
    return wakes
  }

  private func settle(_ envelope: Envelope, _ arrival: CellState.Arrival) {
    switch arrival {
    case .queued, .displaced: admitted(envelope)
    case .waits, .full, .dropped, .ended: break
    }
    turnAway(arrival)
  }

  /// Tells whoever is concerned about a message that is not in the mailbox.
  private func turnAway(_ arrival: CellState.Arrival) {
    switch arrival {
    case .queued, .waits: break
    case .displaced(let oldest):
      refuse(oldest, .mailboxFull, GridError(.mailboxFull, "the mailbox of \(name) was full: dropped as the oldest"))
    case .dropped(let envelope):
      admitted(envelope)
      deadLetter(envelope, .mailboxFull, "the mailbox was full: dropped as the newest")
      if envelope.expectation == .reply { envelope.resolve(.failure(fullness)) }
    case .full(let envelope): refuse(envelope, .mailboxFull, fullness)
    case .ended(let envelope): refuse(envelope, .stopped, GridError(.stopped, "actor \(name) has stopped"))
    }
  }

  /// Moves the first `count` messages, all of one link and for this actor, into the mailbox, in order and under one
  /// lock.
  ///
  /// - Returns: whether the cell was idle: then the caller must ``run(_:)`` it.
  package func enqueue(_ envelopes: inout EnvelopeQueue, count: Int) -> Bool {
    if isTraced.load(ordering: .relaxed) { envelopes.forEachFirst(count) { host.taps.arrived($0, at: self) } }
    var responder: (any ExchangeResponder)?
    var credit = 0
    var others: [CellState.Arrival] = []
    var accepted: [UInt64] = []
    let arrival = arrivalTime
    let wakes = state.withLock { state -> Bool in
      var wakes = false
      for _ in 0..<count {
        guard let envelope = envelopes.popFirst() else { break }
        let bytes = envelope.waitsForRoom ? envelope.message.cost : 0
        let correlation = envelope.expectation == .acceptance ? envelope.correlation : 0
        if responder == nil { responder = envelope.responder }
        let (arrival, wakesNow) = state.admit(envelope, arrival: arrival, options: options)
        wakes = wakes || wakesNow
        switch arrival {
        case .queued:
          credit += bytes
          if correlation != 0 { accepted.append(correlation) }
        case .displaced:
          credit += bytes
          if correlation != 0 { accepted.append(correlation) }
          others.append(arrival)
        case .waits, .full, .dropped, .ended: others.append(arrival)
        }
      }
      return wakes
    }
    if credit > 0 { responder?.returnCredit(target: name, bytes: credit) }
    for correlation in accepted { responder?.resolve(correlation, .accepted) }
    for arrival in others { turnAway(arrival) }
    return wakes
  }

  /// Takes a message when there is room, and does nothing with it otherwise.
  ///
  /// - Returns: nil when there is no room, the cell has ended or the message is too large; else whether the caller must
  ///   ``run(_:)`` the cell.
  package func offer(_ envelope: consuming Envelope) -> Bool? {
    if envelope.message.oversize != nil { return nil }
    if isTraced.load(ordering: .relaxed) { return offerTraced(envelope) }
    // Through an optional it is moved into the lock's closure; a parameter would be copied.
    var offered = Optional(envelope)
    let arrival = arrivalTime
    return state.withLock { state in
      guard state.hasRoom(options: options), let envelope = offered.take() else { return nil }
      return state.admit(envelope, arrival: arrival, options: options).1
    }
  }

  /// What a message that comes now is marked with; 0 where nobody looks.
  var arrivalTime: UInt32 { notesArrivals ? max(1, host.now().milliseconds) : 0 }

  private var fullness: GridError {
    GridError(
      .mailboxFull, "the mailbox of \(name) is full (\(options.capacity) messages)",
      hint: "send again later, or look at it with: gridctl inspect \(name)")
  }

  func admitted(_ envelope: Envelope) {
    if envelope.waitsForRoom {
      envelope.responder?.returnCredit(target: envelope.target, bytes: envelope.message.cost)
    }
    if envelope.expectation == .acceptance { envelope.resolve(.accepted) }
  }

  func refuse(_ envelope: Envelope, _ reason: DeadLetter.Reason, _ error: GridError) {
    if envelope.waitsForRoom {
      envelope.responder?.returnCredit(target: envelope.target, bytes: envelope.message.cost)
    }
    if isTraced.load(ordering: .relaxed) {
      host.taps.left(envelope.message, from: envelope.sender, self, "refused", detail: error.message, since: nil)
    }
    deadLetter(envelope, reason, error.message)
    if envelope.expectation != .nothing { envelope.resolve(.failure(error)) }
  }

  // MARK: Running

  /// Runs a busy cell until it is idle. Only for whoever was told that it became busy.
  package func run(_ place: Place) {
    let immediate = state.withLock { $0.behavior.immediate }
    if let immediate {
      if place == .here, !isSlow.load(ordering: .relaxed) {
        drain(immediate, lingers: false)
      } else {
        let executor = host.executor
        UnstructuredTask.start(on: executor) { self.drain(immediate, lingers: executor == nil) }
      }
      return
    }
    let task = UnstructuredTask.start(immediately: place == .here, on: host.executor) { await self.drainSuspending() }
    state.withLock { $0.note(task) }
  }

  private func drain(_ behavior: any ImmediateBehavior, lingers: Bool) {
    var behavior = behavior
    var batch = EnvelopeQueue()
    var began = host.now()
    while let work = next(&batch, takesOne: false, at: began) {
      switch work {
      case .start:
        guard startFinished(Self.failure { try behavior.startedNow(ActorContext(cell: self)) }) else { return }
      case .batch:
        let isStream = batch.count >= Self.streamBatch
        handle(&batch, behavior, at: began)
        if lingers, isStream { linger() }
      case .failed(let error): supervise(error)
      case .farewell: if takesFarewell { behavior.stoppedNow(ActorContext(cell: self)) }
      case .stop(let reason):
        if takesFarewell { behavior.stoppedNow(ActorContext(cell: self)) }
        abandon(reason)
        return
      case .replaced(let replacement):
        guard let fresh = replacement.immediate else { continue }
        if takesFarewell { behavior.stoppedNow(ActorContext(cell: self)) }
        behavior = fresh
        state.withLock { $0.behavior = replacement }
      }
      let now = host.now()
      if now - began > Self.slowBatch { isSlow.store(true, ordering: .relaxed) }
      began = now
    }
  }

  /// Gives a sender that streams the time for its next messages: to fall asleep and be woken again costs more.
  ///
  /// Measured, one sender on the same node: 5.0 instead of 3.4 million messages a second.
  private func linger() {
    let until = host.now() + Self.lingering
    while host.now() < until {}
  }

  private static let lingering = Duration.microseconds(3)
  /// A batch of so many comes of a stream.
  private static let streamBatch = 8

  /// A batch that takes longer than this moves the cell off the threads that serve connections.
  private static let slowBatch = Duration.milliseconds(5)

  private func drainSuspending() async {
    var batch = EnvelopeQueue()
    // A handler that never returns must not take more than its own message with it.
    var now = host.now()
    while let work = next(&batch, takesOne: true, at: now) {
      let behavior = state.withLock { $0.behavior }
      switch work {
      case .start:
        var failure: GridError?
        do { try await behavior.started(ActorContext(cell: self)) } catch { failure = Self.gridError(error) }
        guard startFinished(failure) else { return }
      case .batch:
        guard let envelope = batch.popFirst() else { break }
        await handleSuspending(envelope, behavior, at: now)
      case .failed(let error): supervise(error)
      case .farewell: if takesFarewell { await behavior.stopped(ActorContext(cell: self)) }
      case .stop(let reason):
        if takesFarewell { await behavior.stopped(ActorContext(cell: self)) }
        abandon(reason)
        return
      case .replaced(let fresh):
        if takesFarewell { await behavior.stopped(ActorContext(cell: self)) }
        state.withLock { $0.behavior = fresh }
        // In a task of its own: this one may have been cancelled to break the message in hand off.
        return run(.pool)
      }
      now = host.now()
    }
  }

  /// What to do next, or nil when the cell has become idle.
  private func next(_ batch: inout EnvelopeQueue, takesOne: Bool, at now: MonotonicTime) -> CellState.Work? {
    guard host.ownsNames(at: now) || !hasName else {
      return .stop(.leaseLost)
    }
    let (work, admissions) = state.withLock { state -> (CellState.Work?, [Envelope]) in
      hasSystemMail.store(false, ordering: .relaxed)
      return state.next(&batch, takesOne: takesOne, options: options, at: now)
    }
    for envelope in admissions { admitted(envelope) }
    return work
  }

  // MARK: One message

  @inline(__always)
  func context(for envelope: Envelope, trace: TracedExchange? = nil) -> ActorContext {
    guard envelope.expectation == .reply, let responder = envelope.responder else {
      return ActorContext(cell: self, sender: envelope.sender, deadline: envelope.deadline)
    }
    return ActorContext(
      cell: self, exchange: Exchange(responder: responder, correlation: envelope.correlation, trace: trace),
      sender: envelope.sender, deadline: envelope.deadline)
  }

  private func isTooLate(_ envelope: Envelope, at now: MonotonicTime) -> Bool {
    guard envelope.deadline <= now else { return false }
    refuse(envelope, .deadline, GridError(.deadline, "the deadline passed while it waited for \(name)"))
    return true
  }

  private func handle(_ batch: inout EnvelopeQueue, _ behavior: any ImmediateBehavior, at now: MonotonicTime) {
    let stride = max(1, min(Self.largestStride, options.capacity / 16))
    while let envelope = batch.popFirst() {
      if hasSystemMail.load(ordering: .relaxed) { return putBack(&batch, first: envelope) }
      if !isTooLate(envelope, at: now) {
        if isTraced.load(ordering: .relaxed) {
          handleTraced(envelope, behavior)
        } else {
          let context = context(for: envelope)
          do { try behavior.receiveNow(envelope.message, context) } catch {
            failed(envelope, context, Self.gridError(error))
          }
        }
      }
      noteProgress(batch, every: stride)
    }
  }

  private func putBack(_ batch: inout EnvelopeQueue, first: Envelope) {
    for envelope in state.withLock({ $0.putBack(&batch, first: first) }) {
      refuse(envelope, .stopped, GridError(.stopped, "actor \(name) stopped before it handled the message"))
    }
  }

  /// Messages of a batch after which those handled stop counting as mail, where locking for each would cost too much.
  private static let largestStride = 256

  /// Makes room in the mailbox for messages of a batch that were handled.
  private func noteProgress(_ batch: borrowing EnvelopeQueue, every stride: Int) {
    guard batch.count % stride == 0, !batch.isEmpty else { return }
    let found = state.withLock { $0.mailbox.handled(butFor: batch.count, options: options) }
    for envelope in found { admitted(envelope) }
  }

  private func handleSuspending(
    _ envelope: Envelope, _ behavior: any ActorBehavior, at now: MonotonicTime
  ) async {
    if isTooLate(envelope, at: now) { return }
    let trace = isTraced.load(ordering: .relaxed) ? tracedExchange(envelope) : nil
    let context = context(for: envelope, trace: trace)
    do {
      try await behavior.receive(envelope.message, context)
      if let trace { traceEnd(trace, context, nil) }
    } catch is MessageNotTaken {
      context.exchange?.withdraw()
      var rest = EnvelopeQueue()
      putBack(&rest, first: envelope)
    } catch {
      let error = Self.gridError(error)
      if let trace { traceEnd(trace, context, error) }
      failed(envelope, context, error)
    }
  }

  @inline(never)
  func failed(_ envelope: Envelope, _ context: ActorContext, _ error: GridError) {
    let isStopping = error.code == .cancelled && hasSystemMail.load(ordering: .relaxed)
    let shown = told(error, isStopping: isStopping)
    deadLetter(envelope, DeadLetter.Reason(shown.code), shown.description)
    context.fail(shown)
    if isStopping { return }
    state.withLock { $0.noteFailure(error) }
    supervise(error)
  }
}
