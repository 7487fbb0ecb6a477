internal import FuzzSupport
internal import GridCore
internal import NIOCore
internal import NIOEmbedded
internal import Synchronization

@testable internal import GridLink

/// Bytes of the other side, cut anywhere, between what our side does with the link: whatever they are, what we send is
/// the preamble and whole frames, and over TCP nobody is let in by them.
let linkTarget = FuzzTarget("link") { bytes in
  var input = FuzzBytes(bytes)
  let harness = try LinkUnderTest(dials: input.flag(), trust: input.flag() ? .kernel : .proof)
  defer { harness.finish() }
  if input.flag() { try harness.greet() }
  var steps = 0
  while !input.isEmpty, steps < 200 {
    steps += 1
    try step(harness, &input)
  }
  try harness.check()
}

private func step(_ harness: LinkUnderTest, _ input: inout FuzzBytes) throws {
  let choice = input.choice(16)
  switch choice {
  case 0...5: try harness.receive(input.take(Int(input.byte())))
  case 6: try harness.receive(input.piece())
  // A frame as it should be: with its length.
  case 7, 8, 9:
    let body = input.take(Int(input.byte()))
    try harness.receive([0, 0, 0, UInt8(body.count)] + body)
  case 10: harness.pass(.milliseconds(input.number()))
  default: harness.act(choice, &input)
  }
}

/// One side of a link on a channel without a socket.
private final class LinkUnderTest {
  private let channel = EmbeddedChannel()
  private let timers = FuzzTimers()
  private let receiver = SilentReceiver()
  private let dials: Bool
  private let trust: LinkTrust
  private var readers: [ChannelReader] = []
  private var sent: [UInt8] = []

  init(dials: Bool, trust: LinkTrust) throws {
    self.dials = dials
    self.trust = trust
    var endpoint = LinkEndpoint(
      greeting: { Known.greeting(.node, name: "n1") }, receiver: receiver, timers: timers,
      transport: NIOTransport(channel.embeddedEventLoop), secret: { () throws(GridError) in Known.secret })
    endpoint.token = { $0 == Known.token.identifier ? Known.verifier(isRevoked: false) : nil }
    try channel.pipeline.syncOperations.addHandler(
      LinkChannelHandler(
        endpoint: endpoint, trust: trust, dialled: dials ? { _ in } : nil, objection: { _ in nil }))
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
  }

  private var link: Link? { receiver.opened }

  /// Preamble and greeting, as they should be; over TCP without the proof.
  func greet() throws {
    let greeting = Known.greeting(dials ? .node : .client, name: "n2")
    let frame = dials ? LinkFrame.welcome(greeting) : .hello(greeting)
    try receive(LinkChannelHandler.preamble + frame.encoded)
  }

  /// A channel hands on errors that its handlers have reported; the link has been told of them.
  func receive(_ bytes: [UInt8]) throws {
    _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
    channel.embeddedEventLoop.run()
    try collect()
  }

  func pass(_ time: Duration) {
    timers.advance(by: time)
    channel.embeddedEventLoop.run()
  }

  /// What a node or a client does with a link.
  func act(_ choice: Int, _ input: inout FuzzBytes) {
    guard let link else { return }
    let number = UInt64(input.byte())
    switch choice {
    case 11: link.openChannel("events", [:], window: input.number(), listener: receiver)
    case 12:
      _ = link.request(
        "ping", [:], deadline: timers.now() + .milliseconds(input.number()), responder: receiver, correlation: number)
    case 13:
      link.send(
        Envelope(
          target: "a\(number % 4)", message: Message(body: input.take(Int(input.byte()))),
          expectation: input.flag() ? .reply : .acceptance, waitsForRoom: input.flag(),
          deadline: timers.now() + .seconds(1), responder: receiver, correlation: number))
    case 14:
      let writer = link.writer(number)
      _ = writer.offer(input.take(input.number()))
      if input.flag() { writer.end() }
    default:
      if input.flag() { readers.append(link.openChannel("events", [:])) } else { link.cancel(number) }
    }
    channel.embeddedEventLoop.run()
  }

  private func collect() throws {
    while let buffer = try channel.readOutbound(as: ByteBuffer.self) { sent += buffer.readableBytesView }
  }

  func check() throws {
    pass(.seconds(60))
    try collect()
    try promise(trust == .kernel || !receiver.wasOpened, "somebody was let in over TCP without a proof")
    try promise(sent.starts(with: LinkChannelHandler.preamble), "the preamble was not said first")
    let (frames, rest) = LinkFrame.split(sent.dropFirst(LinkChannelHandler.preamble.count))
    try promise(rest.isEmpty, "what was sent is no whole frame")
    for frame in frames {
      try promise(LinkFrame.decoded(frame.dropFirst(4)) != nil, "what was sent cannot be read")
    }
  }

  func finish() {
    readers = []
    _ = try? channel.finish(acceptAlreadyClosed: true)
    // What was opened is told of its end, once.
    channel.embeddedEventLoop.run()
  }
}

/// Takes everything and does nothing with it.
private final class SilentReceiver: LinkReceiver, ExchangeResponder, ChannelListener {
  private struct State {
    var link: Link?
    var wasOpened = false
  }

  private let state = Mutex(State())

  var opened: Link? { state.withLock { $0.link } }
  var wasOpened: Bool { state.withLock { $0.wasOpened } }

  func opened(_ link: Link) { state.withLock { $0 = State(link: link, wasOpened: true) } }
  func received(_ envelopes: inout EnvelopeQueue, on link: Link) {
    while let envelope = envelopes.popFirst() { envelope.resolve(.reply(envelope.message)) }
  }
  func received(_ request: RequestFrame, deadline: MonotonicTime, on link: Link) {}
  func received(_ signal: LinkSignal, on link: Link) {}
  func cancelled(_ correlation: UInt64, on link: Link) {}
  func readCompleted(_ link: Link) {}
  func undeliverable(_ envelope: Envelope, _ error: GridError) { envelope.resolve(.failure(error)) }
  func closed(_ link: Link, _ error: GridError) { state.withLock { $0.link = nil } }

  func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {}
  func channelReceived(_ item: [UInt8]) {}
  func channelEnded(_ error: GridError?) {}
}
