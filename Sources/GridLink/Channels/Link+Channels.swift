internal import GridConcurrency
package import GridCore
internal import NIOCore
internal import Synchronization

/// Those of this side who write to a channel.
struct ChannelWriters {
  let ended = Latch()
  /// Those who wait for room.
  var waiting: [Latch] = []
}

extension Link {
  // MARK: Reading

  /// Sends a request whose answer is a channel, and returns its reading end.
  ///
  /// - Parameters:
  ///   - window: bytes that may be under way or wait here, and so what a slow reader costs.
  ///   - patience: how long each item may be waited for; nil means without end.
  package func openChannel(
    _ verb: String, _ arguments: JSONValue, window: Int = ChannelLimits.window, patience: Duration? = nil
  ) -> ChannelReader {
    let feed = ChannelFeed(window: window)
    let remaining = patience.map { UInt64(max(1, $0.wholeNanoseconds / 1000)) } ?? 0
    let number = open(
      verb, arguments, .channel(feed), deadline: .distantFuture, credit: max(1, window),
      remainingMicroseconds: remaining)
    return ChannelReader(link: self, number: number, feed: feed, verb: verb, patience: patience)
  }

  /// Sends a request whose answer is a channel; `listener` takes each item as it comes.
  ///
  /// - Returns: the number to ``cancel(_:)`` it with.
  @discardableResult
  package func openChannel(
    _ verb: String, _ arguments: JSONValue, window: Int = ChannelLimits.window, listener: any ChannelListener
  ) -> UInt64 {
    open(
      verb, arguments, .channel(ChannelFeed(window: window, listener: listener)), deadline: .distantFuture,
      credit: max(1, window), remainingMicroseconds: 0)
  }

  /// A part of an item has come.
  func received(_ part: [UInt8], hasMore: Bool, of number: UInt64) {
    guard case .channel(let feed)? = state.withLock({ $0.exchanges[number]?.kind }) else { return }
    switch feed.received(part, hasMore: hasMore) {
    case .nothing: break
    case .grant(let bytes): append(.grant(number, UInt64(bytes)))
    case .violation(let error): giveUp(number, error)
    }
  }

  /// Ends what this side has opened, for a reason of its own, and tells the peer.
  func giveUp(_ number: UInt64, _ error: GridError) {
    let (exchange, step) = state.withLock { state -> (OpenExchange?, LinkState.Step) in
      guard let exchange = state.exchanges.take(number) else { return (nil, .nothing) }
      return (exchange, state.append(.cancel(number)))
    }
    follow(step)
    exchange?.fail(error)
  }

  // MARK: Writing

  /// The writing end of the channel that the peer's request of that number has opened; one that is over when the peer
  /// has given it up, or wants one answer and no channel.
  package func writer(_ number: UInt64) -> ChannelWriter {
    ChannelWriter(link: self, number: number, ended: state.withLock { $0.writers[number]?.ended } ?? .opened)
  }

  /// How many channels the peer has open here.
  package var openWriters: Int { state.withLock { $0.writers.count } }

  /// Ends a channel at once, with an error in place of what waits.
  func cut(_ number: UInt64, _ error: GridError) {
    follow(
      state.withLock { state in
        state.outbox.cut(number, error)
        return state.flushWhenReady()
      })
  }

  enum Enqueued {
    case queued
    case wait(Latch)
    case gone(GridError)
  }

  func enqueue(_ item: [UInt8], to number: UInt64) -> Enqueued {
    let (outcome, step) = state.withLock { state -> (Enqueued, LinkState.Step) in
      if let closed = state.closed { return (.gone(closed), .nothing) }
      switch state.outbox.append(item, to: number, limit: ChannelLimits.sendBytes) {
      case .queued: return (.queued, state.flushWhenReady())
      case .full:
        let room = Latch()
        state.writers[number]?.waiting.append(room)
        return (.wait(room), .nothing)
      case .gone: return (.gone(GridError(.cancelled, "nobody reads the channel any more")), .nothing)
      }
    }
    follow(step)
    return outcome
  }

  func hasRoom(_ number: UInt64) -> Bool {
    state.withLock { $0.closed == nil && $0.outbox.hasRoom(number, limit: ChannelLimits.offerBytes) }
  }

  func offer(_ item: [UInt8], to number: UInt64) -> Bool {
    let step = state.withLock { state -> LinkState.Step? in
      guard state.closed == nil, state.outbox.append(item, to: number, limit: ChannelLimits.offerBytes) == .queued
      else { return nil }
      return state.flushWhenReady()
    }
    guard let step else { return false }
    follow(step)
    return true
  }

  func end(_ number: UInt64, _ error: GridError?) {
    follow(
      state.withLock { state in
        state.outbox.finish(number, error)
        return state.flushWhenReady()
      })
  }

  func granted(_ number: UInt64, bytes: Int) {
    follow(
      state.withLock { state in
        state.outbox.grant(number, bytes: bytes)
        return state.flushWhenReady()
      })
  }

  /// The reader has given a channel up.
  func readerLeft(_ number: UInt64) {
    let woken = state.withLock { $0.dropWriters(number) }
    for latch in woken { latch.open() }
  }
}

extension LinkState {
  /// Opens the writing end that a request asks for.
  mutating func openChannel(_ request: RequestFrame) {
    guard request.credit > 0, closed == nil, writers[request.correlation] == nil else { return }
    writers[request.correlation] = ChannelWriters()
    outbox.open(request.correlation, credit: Int(clamping: request.credit))
  }

  /// `.flush` when there is something to send that nobody sees to.
  mutating func flushWhenReady() -> Step { outbox.isReady && closed == nil ? flushOnce() : .nothing }

  /// Encodes a round of what the channels have, behind the messages.
  ///
  /// - Returns: what is to be opened once the lock is released.
  mutating func takeRound() -> [Latch] {
    let round = outbox.round()
    for frame in round.frames { frame.fitted?.encode(into: &outbound) }
    var woken = round.closed.flatMap { dropWriters($0) }
    for number in round.relieved {
      woken += writers[number]?.waiting ?? []
      writers[number]?.waiting = []
    }
    return woken
  }

  /// Forgets the writing end of a channel; returns what its writers wait for.
  mutating func dropWriters(_ number: UInt64) -> [Latch] {
    _ = outbox.drop(number)
    guard let writers = writers.removeValue(forKey: number) else { return [] }
    return [writers.ended] + writers.waiting
  }

  /// Forgets all channels, when the link has closed.
  mutating func dropAllWriters() -> [Latch] {
    defer { (writers, outbox) = ([:], ChannelOutbox()) }
    return writers.values.flatMap { [$0.ended] + $0.waiting }
  }
}

extension Latch {
  fileprivate static var opened: Latch {
    let latch = Latch()
    latch.open()
    return latch
  }
}
