internal import GridConcurrency
internal import GridCore
internal import NIOCore
internal import NIOEmbedded
internal import Synchronization

@testable internal import GridLink

/// Timers that a test moves.
final class StillTimers: Timers {
  private struct State {
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    var wheel = TimerWheel<@Sendable () -> Void>()
  }

  private let state = Mutex(State())

  func now() -> MonotonicTime { state.withLock { $0.now } }

  func date() -> CalendarTime { CalendarTime(millisecondsSince1970: 0) }

  @discardableResult
  func schedule(at time: MonotonicTime, _ action: @escaping @Sendable () -> Void) -> TimerToken {
    state.withLock { $0.wheel.insert(action, at: time) }
  }

  func cancel(_ token: TimerToken) { state.withLock { _ = $0.wheel.remove(token) } }

  /// How many wait for their time.
  var count: Int { state.withLock { $0.wheel.count } }

  func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.now = state.now + duration
      return state.wheel.advance(to: state.now)
    }
    for action in due { action() }
  }
}

/// Writes down what a link delivers.
final class RecordingReceiver: LinkReceiver {
  struct Record {
    var opened: [Link] = []
    var envelopes: [Envelope] = []
    var requests: [RequestFrame] = []
    var signals: [LinkSignal] = []
    var cancelled: [UInt64] = []
    var undeliverable: [GridError] = []
    var closed: [GridError] = []
  }

  private let state = Mutex(Record())

  var record: Record { state.withLock { $0 } }

  func opened(_ link: Link) { state.withLock { $0.opened.append(link) } }
  func received(_ envelopes: inout EnvelopeQueue, on link: Link) {
    state.withLock { $0.envelopes += envelopes.removeAll() }
  }
  func received(_ request: RequestFrame, deadline: MonotonicTime, on link: Link) {
    state.withLock { $0.requests.append(request) }
  }
  func received(_ signal: LinkSignal, on link: Link) { state.withLock { $0.signals.append(signal) } }
  func cancelled(_ correlation: UInt64, on link: Link) { state.withLock { $0.cancelled.append(correlation) } }
  func readCompleted(_ link: Link) {}
  func undeliverable(_ envelope: Envelope, _ error: GridError) { state.withLock { $0.undeliverable.append(error) } }
  func closed(_ link: Link, _ error: GridError) { state.withLock { $0.closed.append(error) } }
}

/// One side of a link on a channel without a socket; the test plays the other side, byte by byte.
struct LinkHarness {
  private let channel: EmbeddedChannel
  private let timers = StillTimers()
  let receiver = RecordingReceiver()
  private let failures = RecordedErrors()

  /// - Parameters:
  ///   - dials: whether the link is the side that connected.
  ///   - trust: a Unix socket, unless it is said otherwise.
  ///   - objection: why the other side is refused.
  init(
    _ greeting: LinkGreeting = .ofNode, dials: Bool = false, trust: LinkTrust = .kernel,
    stranger: GridError? = nil, objection: @escaping @Sendable (LinkGreeting) -> GridError? = { _ in nil }
  ) throws {
    let failures = failures
    let endpoint = LinkEndpoint(
      greeting: { greeting }, receiver: receiver, timers: timers, transport: NIOTransport(EmbeddedEventLoop()),
      secret: { () throws(GridError) in .example }, rejected: { failures.add($0) })
    channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandler(
      LinkChannelHandler(
        endpoint: endpoint, trust: trust, dialled: dials ? { _ in } : nil, objection: objection,
        accepted: LinkChannelHandler.Accepted(stranger: stranger)))
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
  }

  /// Why connections never got through the greeting.
  var rejected: [GridError] { failures.all }

  var isOpen: Bool { channel.isActive }

  /// How many times the link waits for.
  var timersLeft: Int { timers.count }

  /// Lets time pass.
  func pass(_ time: Duration) {
    timers.advance(by: time)
    channel.embeddedEventLoop.run()
  }

  /// Hands bytes of the other side to the link.
  func receive(_ bytes: [UInt8]) throws {
    try channel.writeInbound(ByteBuffer(bytes: bytes))
    channel.embeddedEventLoop.run()
  }

  /// The bytes the link has sent since the last call.
  func sentBytes() throws -> [UInt8] {
    channel.embeddedEventLoop.run()
    var bytes: [UInt8] = []
    while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
    return bytes
  }

  /// The frames the link has sent since the last call, a preamble left out.
  func sentFrames() throws -> [LinkFrame] { try Self.frames(try sentBytes()[...]) }

  /// The same, by the writes that they left with.
  func sentWrites() throws -> [[LinkFrame]] {
    channel.embeddedEventLoop.run()
    var writes: [[LinkFrame]] = []
    while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
      writes.append(try Self.frames(Array(buffer.readableBytesView)[...]))
    }
    return writes
  }

  private static func frames(_ bytes: ArraySlice<UInt8>) throws -> [LinkFrame] {
    var rest = bytes
    if rest.starts(with: LinkChannelHandler.preamble) { rest = rest.dropFirst(8) }
    var frames: [LinkFrame] = []
    while rest.count > 4 {
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      frames.append(try LinkFrame(payload: Array(rest.dropFirst(4).prefix(length))))
      rest = rest.dropFirst(4 + length)
    }
    return frames
  }

  /// Goes through the greeting; afterwards nothing is waiting to be read.
  func greet(_ greeting: LinkGreeting = .ofClient) throws -> Link? {
    try receive(LinkChannelHandler.preamble + LinkFrame.hello(greeting).bytes)
    _ = try sentBytes()
    return receiver.record.opened.first
  }

  func finish() { _ = try? channel.finish(acceptAlreadyClosed: true) }
}

private final class RecordedErrors: Sendable {
  private let state = Mutex<[GridError]>([])
  var all: [GridError] { state.withLock { $0 } }
  func add(_ error: GridError) { state.withLock { $0.append(error) } }
}
