internal import GridConcurrency
package import GridCore
package import GridRequests
package import NIOCore
internal import Synchronization

/// One open connection to a node or a client: frames out, outcomes of exchanges back, flow control.
///
/// Every method may be called from any thread. Frames that are queued while a flush is pending leave in one write.
/// What arrives goes to the ``LinkReceiver``, on the event loop of the connection.
package final class Link: Sendable {
  /// What the other side said of itself.
  package let remote: LinkGreeting
  /// Who is at the other end, as was proved.
  package let caller: Caller
  /// The address of the other end, for logs.
  package let remoteAddress: String
  package let eventLoop: any EventLoop
  let channel: any Channel
  let receiver: any LinkReceiver
  let timers: any Timers
  let state = Mutex(LinkState())
  private let lastHeard: Atomic<Int64>
  private let waiters = Mutex<[Latch]>([])
  private let goodbye = Atomic(false)

  /// Bytes that may wait for a peer that does not read; beyond it new messages are refused (`retry-later`), and a peer
  /// whose answers pile up to twice as much is disconnected.
  package static let maximumOutboundBytes = 32 * 1024 * 1024

  init(channel: any Channel, remote: LinkGreeting, caller: Caller, receiver: any LinkReceiver, timers: any Timers) {
    self.channel = channel
    self.remote = remote
    self.caller = caller
    self.receiver = receiver
    self.timers = timers
    eventLoop = channel.eventLoop
    remoteAddress = LinkAddress(channel.remoteAddress)?.description ?? "unix"
    lastHeard = Atomic(timers.now().nanoseconds)
  }

  /// When the peer was last heard of.
  package var lastHeardAt: MonotonicTime { MonotonicTime(nanoseconds: lastHeard.load(ordering: .relaxed)) }

  /// Whether the peer announced that it leaves.
  package var saidGoodbye: Bool { goodbye.load(ordering: .relaxed) }

  package var isClosed: Bool { state.withLock { $0.closed != nil } }

  // MARK: Sending

  /// Sends a tell or an ask; its responder hears of every failure, this one included.
  package func send(_ envelope: Envelope) {
    if envelope.message.carried != nil { return sendWritten(envelope) }
    if let error = LinkFrame.oversize(
      envelope.message, names: envelope.target.utf8.count + envelope.sender.utf8.count)
    {
      return receiver.undeliverable(envelope, error)
    }
    let step = state.withLock { state -> SendStep in
      if let closed = state.closed { return .failed(closed) }
      if state.isCongested { return .failed(Self.congestion(remote.name)) }
      if envelope.waitsForRoom {
        switch state.windows.admit(envelope) {
        case .parked: return .parked
        case .full: return .failed(Self.congestion(remote.name))
        case .send: break
        }
      }
      return .sent(append(envelope, to: &state))
    }
    switch step {
    case .sent(let next):
      if envelope.waitsForRoom {
        envelope.responder?.returnCredit(target: envelope.target, bytes: envelope.message.cost)
      }
      follow(next)
    case .parked: break
    case .failed(let error): receiver.undeliverable(envelope, error)
    }
  }

  /// Whether somebody waits for room.
  var hasWaiters: Bool { waiters.withLock { !$0.isEmpty } }

  private enum SendStep {
    case sent(LinkState.Step)
    case parked
    case failed(GridError)
  }

  /// Suspends until the window of `target` has room, so that a sender keeps memory flat.
  ///
  /// - Throws: ``GridError`` when the link closes meanwhile; `CancellationError`-like ``GridError/Code/cancelled`` when
  ///   the task is cancelled.
  package func windowOpens(for target: String) async throws(GridError) {
    while true {
      let isOpen = state.withLock { $0.closed != nil || $0.windows.isOpen(target) && !$0.isCongested }
      if isOpen { return }
      let waiter = Latch()
      waiters.withLock { $0.append(waiter) }
      // The window may have opened between the look and the entry in the list.
      if state.withLock({ $0.closed != nil || $0.windows.isOpen(target) && !$0.isCongested }) { wakeWaiters() }
      await waiter.wait()
      if Task.isCancelled { throw GridError(.cancelled, "cancelled while waiting for room") }
    }
  }

  /// Sends a control request whose one answer goes to `responder`.
  ///
  /// - Returns: the number to ``cancel(_:)`` it with.
  package func request(
    _ verb: String, _ arguments: JSONValue, deadline: MonotonicTime, responder: any ExchangeResponder,
    correlation: UInt64
  ) -> UInt64 {
    open(
      verb, arguments, .message(responder, correlation: correlation), deadline: deadline,
      remainingMicroseconds: remainingMicroseconds(until: deadline))
  }

  func open(
    _ verb: String, _ arguments: JSONValue, _ kind: OpenExchange.Kind, deadline: MonotonicTime, credit: Int = 0,
    remainingMicroseconds remaining: UInt64
  ) -> UInt64 {
    var exchange = OpenExchange(kind: kind, deadline: deadline, target: verb)
    // Of a channel, what may be asked of another node is what its reader waits for with a limit.
    if case .message = kind { exchange.isRequest = true } else { exchange.isRequest = remaining > 0 }
    let text = arguments.serialized()
    let (step, number) = state.withLock { state -> (LinkState.Step, UInt64) in
      let number = state.exchanges.open(exchange)
      let step = state.append(
        .request(
          RequestFrame(
            correlation: number, verb: verb, arguments: text, remainingMicroseconds: remaining,
            credit: UInt64(max(0, credit)))))
      if case .refuse = step { _ = state.exchanges.take(number) }
      return (step, number)
    }
    if case .refuse(let error) = step { exchange.fail(error) } else { follow(step) }
    scheduleSweep(for: deadline)
    return number
  }

  /// Gives up on a request or channel: nothing more is delivered for it.
  package func cancel(_ number: UInt64) { giveUp(number, GridError(.cancelled, "cancelled")) }

  /// Says goodbye and closes once what is queued has left.
  package func closeGracefully(_ reason: String) {
    append(.goodbye(reason))
    eventLoop.execute {
      self.flush()
      self.close(GridError(.unavailable, reason))
    }
  }

  /// Closes at once; every open exchange fails with `error`.
  package func close(_ error: GridError) {
    shut(error)
    channel.close(promise: nil)
  }

  /// Tells the peer; where the link is closed, nobody needs to know any more.
  package func send(_ signal: LinkSignal) { append(.signal(signal)) }

  // MARK: Answering

  /// - Parameter answered: the number that the frame ends; a channel of that number is over.
  func append(_ frame: LinkFrame, answering answered: UInt64 = 0) {
    append(answering: answered) { $0.append(frame) }
  }

  @inline(__always)
  func append(answering answered: UInt64, _ append: (inout LinkState) -> LinkState.Step) {
    let (step, isHopeless, woken) = state.withLock { state in
      let step = append(&state)
      let woken = answered == 0 || state.writers.isEmpty ? [] : state.dropWriters(answered)
      return (step, state.outbound.readableBytes > 2 * Self.maximumOutboundBytes, woken)
    }
    follow(step)
    for latch in woken { latch.open() }
    if isHopeless { close(GridError(.unavailable, "\(remote.name) does not read what it asked for")) }
  }

  func append(_ envelope: Envelope, to state: inout LinkState) -> LinkState.Step {
    var number: UInt64 = 0
    if envelope.expectation != .nothing, let responder = envelope.responder {
      number = state.exchanges.open(
        OpenExchange(
          kind: .message(responder, correlation: envelope.correlation), deadline: envelope.deadline,
          target: envelope.target))
    }
    let step = state.append(
      envelope, correlation: number, remainingMicroseconds: remainingMicroseconds(until: envelope.deadline))
    if number != 0, envelope.deadline != .distantFuture { sweepSoon(&state) }
    return step
  }

  private func remainingMicroseconds(until deadline: MonotonicTime) -> UInt64 {
    guard deadline != .distantFuture else { return 0 }
    return UInt64(max(1, deadline.nanoseconds.subtractingClamped(timers.now().nanoseconds) / 1000))
  }

  // MARK: Event loop

  func follow(_ step: LinkState.Step) {
    switch step {
    case .nothing, .refuse: break
    case .flush: eventLoop.execute { self.flush() }
    case .write: write()
    }
  }

  /// Hands what has gathered to the channel ahead of the flush that follows, when it is this thread that may.
  private func write() {
    guard eventLoop.inEventLoop, channel.isWritable else { return }
    channel.writeAndFlush(state.withLock { $0.takeOutbound(channel.allocator) }, promise: nil)
    // The flush that follows may find nothing left, and then wakes nobody.
    wakeWaiters()
  }

  /// Hands queued frames to the channel: messages and outcomes first, then a round of what the channels have. On the
  /// event loop.
  func flush() {
    var woken: [Latch] = []
    var goesOn = false
    let buffer = state.withLock { state -> ByteBuffer? in
      for (target, bytes) in state.credits.takeAll() {
        LinkFrame.credit(target: target, bytes: UInt64(bytes)).fitted?.encode(into: &state.outbound)
      }
      if state.outbox.isReady, channel.isWritable { woken = state.takeRound() }
      goesOn = state.outbox.isReady
      guard state.outbound.readableBytes > 0, channel.isWritable else {
        // Not writable: the channel calls again when it is, so nobody else needs to.
        state.flushIsPending = goesOn || state.outbound.readableBytes > 0
        return nil
      }
      state.flushIsPending = goesOn
      return state.takeOutbound(channel.allocator)
    }
    guard let buffer else { return }
    channel.writeAndFlush(buffer, promise: nil)
    wakeWaiters()
    for latch in woken { latch.open() }
    // A round at a time: what else has come for the peer meanwhile leaves before the next one.
    if goesOn { eventLoop.execute { self.flush() } }
  }

  /// From here to ``endRead()`` answers gather without scheduling a flush of their own.
  func beginRead(at now: MonotonicTime) {
    lastHeard.store(now.nanoseconds, ordering: .relaxed)
    state.withLock { $0.flushIsPending = true }
  }

  func endRead() {
    receiver.readCompleted(self)
    flush()
  }

  /// Acts on one frame of the peer.
  func received(_ frame: LinkFrame, at now: MonotonicTime) {
    switch frame {
    case .message(let frame):
      var envelopes = EnvelopeQueue()
      envelopes.append(envelope(frame, at: now))
      receiver.received(&envelopes, on: self)
    case .accepted(let number): take(number)?.finish(.accepted)
    case .reply(let number, let message): take(number)?.finish(.reply(message))
    case .failure(let number, let error): take(number)?.finish(.failure(error))
    case .credit(let target, let bytes): credited(target, bytes: Int(clamping: bytes))
    case .request(let frame):
      if frame.credit > 0 { state.withLock { $0.openChannel(frame) } }
      receiver.received(frame, deadline: deadline(frame.remainingMicroseconds, now), on: self)
    case .cancel(let number):
      readerLeft(number)
      receiver.cancelled(number, on: self)
    case .data(let number, let part, let hasMore): received(part, hasMore: hasMore, of: number)
    case .grant(let number, let bytes): granted(number, bytes: Int(clamping: bytes))
    case .close(let number, let error): take(number)?.finish(error.map { .failure($0) } ?? .accepted)
    case .signal(let signal): receiver.received(signal, on: self)
    case .ping(let number): append(.pong(number))
    case .goodbye(let reason):
      goodbye.store(true, ordering: .relaxed)
      refuseRequests(GridError(.notServing, "node \(remote.name) leaves: nothing was done", hint: "ask another node"))
      close(GridError(.nodeLost, "\(remote.name) left: \(reason)"))
    case .pong, .hello, .welcome, .refusal, .challenge, .proof, .unknown: break
    }
  }

  /// Acts on a frame of kind ``FrameKind/reply``: as ``received(_:at:)``, without a frame value in between.
  func received(replyIn bytes: UnsafeRawBufferPointer) throws(GridError) {
    let (number, message) = try Message.reply(in: bytes)
    take(number)?.finish(.reply(message))
  }

  private func take(_ number: UInt64) -> OpenExchange? {
    state.withLock { $0.exchanges.take(number) }
  }

  /// The message of a frame, to be answered on this link.
  func envelope(_ frame: MessageFrame, at now: MonotonicTime) -> Envelope {
    Envelope(
      target: frame.target, message: frame.message, sender: frame.sender, expectation: frame.expectation,
      waitsForRoom: frame.waitsForRoom, deadline: deadline(frame.remainingMicroseconds, now),
      responder: frame.correlation != 0 || frame.waitsForRoom ? self : nil, correlation: frame.correlation)
  }

  /// The message in the bytes of a frame of kind ``FrameKind/message``, without a frame value in between.
  func envelope(
    decoding bytes: UnsafeRawBufferPointer, names: inout TextCache, at now: MonotonicTime
  ) throws(GridError) -> Envelope {
    var envelope = Envelope(target: "", message: Message())
    let remaining = try envelope.readFields(bytes, names: &names)
    envelope.deadline = deadline(remaining, now)
    if envelope.correlation != 0 || envelope.waitsForRoom { envelope.responder = self }
    return envelope
  }

  private func deadline(_ remainingMicroseconds: UInt64, _ now: MonotonicTime) -> MonotonicTime {
    guard remainingMicroseconds > 0 else { return .distantFuture }
    return now + .microseconds(Int64(clamping: min(remainingMicroseconds, 3_155_760_000_000_000)))
  }

  private func credited(_ target: String, bytes: Int) {
    let (released, step) = state.withLock { state -> ([Envelope], LinkState.Step) in
      let released = state.windows.credit(target, bytes: bytes)
      var last = LinkState.Step.nothing
      for envelope in released {
        if case .flush = append(envelope, to: &state) { last = .flush }
      }
      return (released, last)
    }
    follow(step)
    for envelope in released {
      envelope.responder?.returnCredit(target: envelope.target, bytes: envelope.message.cost)
    }
    wakeWaiters()
  }

  private func wakeWaiters() {
    let woken = waiters.withLock { list in
      defer { list.removeAll() }
      return list
    }
    for waiter in woken { waiter.open() }
  }

  // MARK: Deadlines and the end

  private static let sweepInterval = Duration.milliseconds(20)

  private func scheduleSweep(for deadline: MonotonicTime) {
    if deadline != .distantFuture { state.withLock { sweepSoon(&$0) } }
  }

  /// Sees to it that the deadlines of new exchanges are looked at. Called with the lock held, so that no sweep is
  /// scheduled once the link is closed.
  private func sweepSoon(_ state: inout LinkState) {
    guard !state.sweepIsPending, state.closed == nil else { return }
    state.sweepIsPending = true
    setSweep(at: timers.now() + Self.sweepInterval, &state)
  }

  private func setSweep(at time: MonotonicTime, _ state: inout LinkState) {
    if let token = state.sweepToken { timers.cancel(token) }
    state.sweepToken = timers.schedule(at: time) { self.sweep() }
  }

  private func sweep() {
    let now = timers.now()
    let expired = state.withLock { state in
      let expired = state.takeExpired(at: now)
      state.sweepToken = nil
      state.sweepIsPending = false
      if state.closed == nil, let next = state.nextDeadline { setSweep(at: next, &state) }
      return expired
    }
    for exchange in expired {
      exchange.fail(GridError(.deadline, "\(exchange.target) did not answer in time"))
    }
  }

  /// Marks the link closed and fails what is open. Safe to call more than once.
  func shut(_ error: GridError) {
    let (exchanges, parked, writers) = state.withLock { state -> ([OpenExchange], [Envelope], [Latch]) in
      guard state.closed == nil else { return ([], [], []) }
      state.closed = error
      if let token = state.sweepToken { timers.cancel(token) }
      state.sweepToken = nil
      return (state.exchanges.takeAll { _ in true }, state.windows.takeParked(), state.dropAllWriters())
    }
    for exchange in exchanges { exchange.fail(error) }
    for latch in writers { latch.open() }
    for envelope in parked { receiver.undeliverable(envelope, error) }
    wakeWaiters()
  }

  private static func congestion(_ name: String) -> GridError {
    GridError(.retryLater, "\(name) reads too slowly", hint: "send again later")
  }
}
