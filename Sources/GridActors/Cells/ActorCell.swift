internal import DequeModule
package import GridCore
internal import NIOCore
internal import Synchronization

/// One activation of an actor: name, mailbox, behaviour, supervision.
///
/// At any time at most one drain runs it: whoever makes an idle cell busy must ``run(_:)`` it. System messages (stop,
/// failure) overtake user mail between two messages.
package final class ActorCell: Sendable {
  package let name: String
  package let epoch: Int64
  let kind: KindDefinition
  let request: SpawnRequest
  let host: any ActorHost
  let state: Mutex<CellState>
  let hasSystemMail = Atomic(false)
  let isSlow = Atomic(false)

  package init(
    name: String, epoch: Int64, kind: KindDefinition, request: SpawnRequest, behavior: any ActorBehavior,
    host: any ActorHost
  ) {
    self.name = name
    self.epoch = epoch
    self.kind = kind
    self.request = request
    self.host = host
    state = Mutex(CellState(behavior: behavior, startedAt: host.clock.now()))
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
    let (admission, wakes) = state.withLock { state -> (CellState.Arrival, Bool) in
      state.admit(envelope, options: options)
    }
    settle(envelope, admission)
    return wakes
  }

  private func settle(_ envelope: Envelope, _ arrival: CellState.Arrival) {
    switch arrival {
    case .queued: admitted(envelope)
    case .waits: break
    case .displaced(let oldest):
      admitted(envelope)
      refuse(oldest, .mailboxFull, GridError(.mailboxFull, "the mailbox of \(name) was full: dropped as the oldest"))
    case .dropped:
      admitted(envelope)
      host.deadLetter(envelope, .mailboxFull, "the mailbox was full: dropped as the newest")
      if envelope.expectation == .reply { envelope.resolve(.failure(fullness)) }
    case .full: refuse(envelope, .mailboxFull, fullness)
    case .ended: refuse(envelope, .stopped, GridError(.stopped, "actor \(name) has stopped"))
    }
  }

  /// Puts messages of one sender into the mailbox, in order, under one lock.
  ///
  /// - Returns: whether the cell was idle: then the caller must ``run(_:)`` it.
  package func enqueue(_ envelopes: ArraySlice<Envelope>) -> Bool {
    let (others, wakes) = state.withLock { state -> ([Int: CellState.Arrival], Bool) in
      var others: [Int: CellState.Arrival] = [:]
      var wakes = false
      for index in envelopes.indices {
        let (arrival, wakesNow) = state.admit(envelopes[index], options: options)
        wakes = wakes || wakesNow
        if case .queued = arrival { continue }
        others[index] = arrival
      }
      return (others, wakes)
    }
    var credit = 0
    for index in envelopes.indices where others.isEmpty || others[index] == nil {
      if envelopes[index].waitsForRoom { credit += envelopes[index].message.cost }
      if envelopes[index].expectation == .acceptance { envelopes[index].resolve(.accepted) }
    }
    if credit > 0, let first = envelopes.first { first.responder?.returnCredit(target: first.target, bytes: credit) }
    for (index, arrival) in others.sorted(by: { $0.key < $1.key }) { settle(envelopes[index], arrival) }
    return wakes
  }

  /// Takes a message when there is room, and does nothing with it otherwise.
  ///
  /// - Returns: nil when there is no room or the cell has ended; else whether the caller must ``run(_:)`` the cell.
  package func offer(_ envelope: Envelope) -> Bool? {
    state.withLock { state in
      guard state.hasRoom(options: options) else { return nil }
      return state.admit(envelope, options: options).1
    }
  }

  private var fullness: GridError {
    GridError(
      .mailboxFull, "the mailbox of \(name) is full (\(options.capacity) messages)",
      hint: "send again later, or look at it with: gridctl inspect \(name)")
  }

  private func admitted(_ envelope: Envelope) {
    if envelope.waitsForRoom {
      envelope.responder?.returnCredit(target: envelope.target, bytes: envelope.message.cost)
    }
    if envelope.expectation == .acceptance { envelope.resolve(.accepted) }
  }

  func refuse(_ envelope: Envelope, _ reason: DeadLetter.Reason, _ error: GridError) {
    if envelope.waitsForRoom {
      envelope.responder?.returnCredit(target: envelope.target, bytes: envelope.message.cost)
    }
    host.deadLetter(envelope, reason, error.message)
    if envelope.expectation != .nothing { envelope.resolve(.failure(error)) }
  }

  // MARK: System messages

  /// Ends the actor after the current message; waiting mail becomes dead letters.
  package func stop(reason: String) {
    let (wakes, task) = state.withLock { $0.post(.stop(reason)) }
    hasSystemMail.store(true, ordering: .releasing)
    task?.cancel()
    if wakes { run(.pool) }
  }

  /// Hands a failure that no message caused to the supervision.
  package func failed(_ error: GridError) {
    let (wakes, _) = state.withLock { $0.post(.failed(error)) }
    hasSystemMail.store(true, ordering: .releasing)
    if wakes { run(.pool) }
  }

  /// Ends the cell although its handler does not return: its mail becomes dead letters, its name is released.
  package func abandon(reason: String) {
    let (letters, isFirst) = state.withLock { $0.end() }
    finish(letters, isFirst: isFirst, reason)
  }

  /// Runs the `started` hook before any mail, and returns when it is done.
  ///
  /// - Throws: what the hook threw; the cell has ended then, without having been supervised.
  package func start() async throws(GridError) {
    let spawner = PendingAsk()
    let wakes = state.withLock { state in
      state.tell(spawner)
      return state.wake()
    }
    if wakes { run(.here) }
    _ = try await spawner.reply()
  }

  /// Tells whoever spawned the actor how its first start went.
  ///
  /// - Returns: false when the cell has ended by it.
  private func startFinished(_ error: GridError?) -> Bool {
    let spawner = state.withLock { $0.takeSpawner() }
    guard let error else {
      spawner?.resolve(0, .accepted)
      return true
    }
    guard let spawner else {
      supervise(error)
      return true
    }
    abandon(reason: "stopped: it could not start: \(error)")
    spawner.resolve(0, .failure(error))
    return false
  }

  // MARK: Running

  /// Runs a busy cell until it is idle. Only for whoever was told that it became busy.
  package func run(_ place: Place) {
    let immediate = state.withLock { $0.behavior.immediate }
    if let immediate {
      if place == .here, !isSlow.load(ordering: .relaxed) {
        drain(immediate)
      } else {
        UnstructuredTask.start { self.drain(immediate) }
      }
      return
    }
    let task = UnstructuredTask.start(immediately: place == .here) { await self.drainSuspending() }
    state.withLock { $0.note(task) }
  }

  private func drain(_ behavior: any ImmediateBehavior) {
    var behavior = behavior
    var began = host.clock.now()
    while let work = next(at: began, atMost: Mailbox.maximumBatch) {
      switch work {
      case .start:
        guard startFinished(Self.failure { try behavior.startedNow(ActorContext(cell: self)) }) else { return }
      case .batch(var batch):
        while let envelope = batch.popFirst() {
          if hasSystemMail.load(ordering: .relaxed) {
            putBack(batch, first: envelope)
            break
          }
          handle(envelope, began) { try behavior.receiveNow($0, $1) }
        }
      case .failed(let error): supervise(error)
      case .stop(let reason):
        behavior.stoppedNow(ActorContext(cell: self))
        abandon(reason: reason)
        return
      case .replaced(let replacement):
        guard let fresh = replacement.immediate else { continue }
        behavior.stoppedNow(ActorContext(cell: self))
        behavior = fresh
        state.withLock { $0.behavior = replacement }
      }
      let now = host.clock.now()
      if now - began > Self.slowBatch { isSlow.store(true, ordering: .relaxed) }
      began = now
    }
  }

  /// A batch that takes longer than this moves the cell off the threads that serve connections.
  private static let slowBatch = Duration.milliseconds(5)

  private func drainSuspending() async {
    // One at a time: a handler that never returns would take the rest of a batch with it.
    while let work = next(at: host.clock.now(), atMost: 1) {
      let behavior = state.withLock { $0.behavior }
      switch work {
      case .start:
        var failure: GridError?
        do { try await behavior.started(ActorContext(cell: self)) } catch { failure = Self.gridError(error) }
        guard startFinished(failure) else { return }
      case .batch(var batch):
        while let envelope = batch.popFirst() {
          if hasSystemMail.load(ordering: .relaxed) {
            putBack(batch, first: envelope)
            break
          }
          await handleSuspending(envelope, behavior)
        }
      case .failed(let error): supervise(error)
      case .stop(let reason):
        await behavior.stopped(ActorContext(cell: self))
        abandon(reason: reason)
        return
      case .replaced(let fresh):
        await behavior.stopped(ActorContext(cell: self))
        state.withLock { $0.behavior = fresh }
      }
    }
  }

  /// What to do next, or nil when the cell has become idle.
  private func next(at now: MonotonicTime, atMost most: Int) -> CellState.Work? {
    guard host.ownsNames(at: now) || epoch == 0 else {
      return .stop("the node's lease ended: \(name) may be somebody else's now")
    }
    let (work, admissions) = state.withLock { state -> (CellState.Work?, [Envelope]) in
      hasSystemMail.store(false, ordering: .relaxed)
      return state.next(options: options, atMost: most)
    }
    for envelope in admissions { admitted(envelope) }
    return work
  }

  /// Lets a system message overtake the rest of a batch.
  private func putBack(_ batch: Deque<Envelope>, first: Envelope) {
    guard !state.withLock({ $0.putBack(batch, first: first) }) else { return }
    for envelope in [first] + batch {
      refuse(envelope, .stopped, GridError(.stopped, "actor \(name) stopped before it handled the message"))
    }
  }

  // MARK: One message

  private func context(for envelope: Envelope) -> ActorContext {
    guard envelope.expectation == .reply, let responder = envelope.responder else {
      return ActorContext(cell: self, sender: envelope.sender, deadline: envelope.deadline)
    }
    return ActorContext(
      cell: self, exchange: Exchange(responder: responder, correlation: envelope.correlation),
      sender: envelope.sender, deadline: envelope.deadline)
  }

  private func isTooLate(_ envelope: Envelope, at now: MonotonicTime) -> Bool {
    guard envelope.deadline <= now else { return false }
    refuse(envelope, .deadline, GridError(.deadline, "the deadline passed while it waited for \(name)"))
    return true
  }

  private func handle(
    _ envelope: Envelope, _ now: MonotonicTime, _ body: (Message, ActorContext) throws -> Void
  ) {
    if isTooLate(envelope, at: now) { return }
    let context = context(for: envelope)
    do { try body(envelope.message, context) } catch { failed(envelope, context, Self.gridError(error)) }
  }

  private func handleSuspending(_ envelope: Envelope, _ behavior: any ActorBehavior) async {
    if isTooLate(envelope, at: host.clock.now()) { return }
    let context = context(for: envelope)
    do { try await behavior.receive(envelope.message, context) } catch {
      failed(envelope, context, Self.gridError(error))
    }
  }

  private func failed(_ envelope: Envelope, _ context: ActorContext, _ error: GridError) {
    let isStopping = error.code == .cancelled && hasSystemMail.load(ordering: .relaxed)
    let shown = isStopping ? GridError(.stopped, "actor \(name) was stopped") : error
    host.deadLetter(envelope, DeadLetter.Reason(shown.code), shown.description)
    context.fail(shown)
    if isStopping { return }
    state.withLock { $0.noteFailure(error) }
    supervise(error)
  }

  static func gridError(_ error: any Error) -> GridError {
    GridError.wrapping(error, as: .handlerFailed, "the handler failed")
  }
}

extension DeadLetter.Reason {
  /// The reason that fits a failure.
  package init(_ code: GridError.Code) {
    switch code {
    case .noSuchActor: self = .noSuchActor
    case .mailboxFull: self = .mailboxFull
    case .stopped, .cancelled: self = .stopped
    case .deadline: self = .deadline
    case .undecodable: self = .undecodable
    case .nodeLost, .unavailable: self = .nodeLost
    case .refused, .retryLater: self = .refused
    default: self = .handlerFailed
    }
  }
}
