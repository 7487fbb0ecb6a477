internal import GridConcurrency
internal import GridCore
internal import NIOCore

/// What a link knows, as a value: outbound bytes, open exchanges, windows. Every change is a synchronous method that
/// says what is to be done once the lock is released.
struct LinkState {
  /// Encoded frames that are not yet handed to the channel.
  var outbound: ByteBuffer
  /// Whether somebody will call ``Link/flush()`` on the event loop anyway.
  var flushIsPending = false
  /// Asks and answers in ``outbound``.
  private var gathered = 0
  var exchanges = ExchangeTable()
  /// Whether the deadlines of new exchanges are looked at soon.
  var sweepIsPending = false
  /// When deadlines are looked at, soon or when the first is due.
  var sweepToken: TimerToken?
  /// The deadlines of exchanges that a sweep has found open: of most, the answer comes before.
  private var deadlines = TimerWheel<UInt64>(shift: 24)
  private var deadlineLimit = Self.leastDeadlineLimit
  private var lastSwept: UInt64 = 0
  var windows = SendWindows()
  var credits = CreditLedger()
  /// What this side writes to channels that the peer reads, and who writes it.
  var outbox = ChannelOutbox()
  var writers: [UInt64: ChannelWriters] = [:]
  /// Why the link is closed; nil while it is open.
  var closed: GridError?

  init() { outbound = ByteBuffer() }

  /// What an asynchronous step left to do.
  enum Step {
    case nothing
    case flush
    /// Somebody will flush, but there is enough for the peer to begin with.
    case write
    case refuse(GridError)
  }

  /// So many asks or answers leave at once, though more may follow: the peer works on them while the others are made.
  /// With 64 in flight, half as many cost more writes than they save time, and twice as many leave one of two
  /// processors waiting.
  static let enough = 32

  /// Encodes a frame; `.flush` when the caller must see to it that ``Link/flush()`` runs, `.refuse` also for one that
  /// is too large.
  mutating func append(_ frame: LinkFrame) -> Step {
    if let closed { return .refuse(closed) }
    guard let frame = frame.fitted else { return .refuse(Self.oversize) }
    frame.encode(into: &outbound)
    return flushOnce()
  }

  private static let oversize = GridError(
    .undecodable, "it does not fit into a frame of \(LinkFrame.maximumBytes) bytes")

  /// Appends the frame of a message.
  mutating func append(_ envelope: Envelope, correlation: UInt64, remainingMicroseconds: UInt64) -> Step {
    if let closed { return .refuse(closed) }
    LinkFrame.encode(
      envelope, correlation: correlation, remainingMicroseconds: remainingMicroseconds, into: &outbound)
    return envelope.expectation == .reply ? flushOnceOrWrite() : flushOnce()
  }

  /// Appends the frame of a reply that fits into one.
  mutating func append(_ message: Message, answering correlation: UInt64) -> Step {
    if let closed { return .refuse(closed) }
    LinkFrame.encode(message, answering: correlation, into: &outbound)
    return flushOnceOrWrite()
  }

  mutating func flushOnce() -> Step {
    guard !flushIsPending else { return .nothing }
    flushIsPending = true
    return .flush
  }

  private mutating func flushOnceOrWrite() -> Step {
    gathered += 1
    guard flushIsPending, gathered >= Self.enough else { return flushOnce() }
    return .write
  }

  /// What has gathered, to be handed to the channel.
  mutating func takeOutbound(_ allocator: ByteBufferAllocator) -> ByteBuffer {
    gathered = 0
    let size = min(outbound.readableBytes, 256 * 1024)
    defer { outbound = allocator.buffer(capacity: max(512, size)) }
    return outbound
  }

  /// Whether the peer reads so slowly that nothing more may be queued for it.
  var isCongested: Bool { outbound.readableBytes > Link.maximumOutboundBytes }

  /// Deadlines beyond which those of exchanges that are over are looked for and left out.
  private static let leastDeadlineLimit = 1024

  /// Removes the exchanges whose deadline has passed.
  mutating func takeExpired(at now: MonotonicTime) -> [OpenExchange] {
    noteDeadlines()
    return deadlines.advance(to: now).compactMap { exchanges.take($0) }
  }

  /// The first deadline of an exchange that was open at the last sweep.
  var nextDeadline: MonotonicTime? { deadlines.next }

  /// Takes in the deadlines of what was opened since the last time and is open still.
  private mutating func noteDeadlines() {
    for number in exchanges.numbers(after: lastSwept) {
      guard let deadline = exchanges[number]?.deadline, deadline != .distantFuture else { continue }
      deadlines.insert(number, at: deadline)
    }
    lastSwept = exchanges.last
    guard deadlines.count > deadlineLimit else { return }
    deadlines.removeAll { exchanges[$0] == nil }
    deadlineLimit = max(Self.leastDeadlineLimit, 2 * deadlines.count)
  }
}

/// Somebody on our side who waits for an answer of the peer.
struct OpenExchange {
  var kind: Kind
  var deadline: MonotonicTime
  /// What was asked of whom, for the message of a failure.
  var target: String
  /// Whether it is a control request with one answer, not a message.
  var isRequest = false

  enum Kind {
    case message(any ExchangeResponder, correlation: UInt64)
    case channel(ChannelFeed)
  }

  func fail(_ error: GridError) {
    switch kind {
    case .message(let responder, let correlation): responder.resolve(correlation, .failure(error))
    case .channel(let feed): feed.end(error)
    }
  }

  func finish(_ outcome: ExchangeOutcome) {
    switch (kind, outcome) {
    case (.message(let responder, let correlation), _): responder.resolve(correlation, outcome)
    case (.channel(let feed), .failure(let error)): feed.end(error)
    case (.channel(let feed), .reply(let message)): feed.answered(message.body)
    case (.channel(let feed), .accepted): feed.end(nil)
    }
  }
}
