internal import GridCore
internal import Synchronization
internal import Testing

@testable internal import GridLink

/// What an open link does with frames, played byte by byte.
@Suite struct SessionTests {
  /// Writes down how exchanges end.
  private final class Outcomes: ExchangeResponder {
    private let state = Mutex<[UInt64: ExchangeOutcome]>([:])
    private let freed = Mutex<[String: Int]>([:])
    var all: [UInt64: ExchangeOutcome] { state.withLock { $0 } }
    var credit: [String: Int] { freed.withLock { $0 } }
    func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) { state.withLock { $0[correlation] = outcome } }
    func returnCredit(target: String, bytes: Int) { freed.withLock { $0[target, default: 0] += bytes } }
  }

  private func message(
    _ target: String = "calc", _ text: String = "x", expecting expectation: Envelope.Expectation = .reply,
    correlation: UInt64 = 7, remaining: UInt64 = 0, waits: Bool = false
  ) -> LinkFrame {
    .message(
      MessageFrame(
        target: target, message: Message(text), sender: "client", expectation: expectation, waitsForRoom: waits,
        correlation: correlation, remainingMicroseconds: remaining))
  }

  @Test func `a message arrives with its deadline and its outcome goes back under its number`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.greet()
    try harness.receive(message(remaining: 5_000_000).bytes)
    let envelope = try #require(harness.receiver.record.envelopes.first)
    #expect(envelope.target == "calc" && envelope.message.text == "x" && envelope.sender == "client")
    #expect(envelope.deadline == StillTimers().now() + .seconds(5))
    envelope.resolve(.reply(Message("1024")))
    #expect(try harness.sentFrames() == [.reply(7, Message("1024"))])
    envelope.resolve(.accepted)
    #expect(try harness.sentFrames() == [.accepted(7)])
    let failure = GridError(.mailboxFull, "full", hint: "later", cause: "much")
    envelope.resolve(.failure(failure))
    #expect(try harness.sentFrames().map(\.inFull) == [LinkFrame.failure(7, failure).inFull])
  }

  @Test func `a peer that says nothing any more is given up, and nothing waits for it afterwards`() throws {
    let harness = try LinkHarness(.ofClient, dials: true)
    defer { harness.finish() }
    try harness.receive(LinkChannelHandler.preamble + LinkFrame.welcome(.ofNode).bytes)
    _ = try harness.sentBytes()
    harness.pass(.seconds(4))
    #expect(harness.isOpen && harness.timersLeft == 1, "\(harness.receiver.record.closed) \(harness.rejected)")
    #expect(try harness.sentFrames() == [.ping(0)])
    harness.pass(.seconds(30))
    #expect(!harness.isOpen && harness.receiver.record.closed.map(\.code) == [.nodeLost])
    #expect(harness.timersLeft == 0)
  }

  @Test(
    arguments: [
      (0, MonotonicTime.distantFuture), (UInt64.max, StillTimers().now() + .seconds(3_155_760_000)),
    ] as [(UInt64, MonotonicTime)])
  func `no deadline and one beyond all measure are both read`(_ remaining: UInt64, _ expected: MonotonicTime) throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.greet()
    try harness.receive(message(remaining: remaining).bytes)
    #expect(harness.receiver.record.envelopes.first?.deadline == expected)
  }

  @Test func `nobody answers a message that expects nothing`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.greet()
    try harness.receive(message(expecting: .nothing, correlation: 0).bytes)
    harness.receiver.record.envelopes.first?.resolve(.accepted)
    #expect(try harness.sentFrames().isEmpty)
  }

  @Test func `what is sent gets numbers of its own and is ended by the outcome of the same number`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let outcomes = Outcomes()
    for correlation in [100, 200, 300] as [UInt64] {
      link.send(
        Envelope(
          target: "calc", message: Message("x"), expectation: .reply,
          deadline: StillTimers().now() + .microseconds(250), responder: outcomes, correlation: correlation))
    }
    let frames = try harness.sentFrames()
    #expect(
      frames
        == (1...3).map { number in
          .message(
            MessageFrame(
              target: "calc", message: Message("x"), sender: "", expectation: .reply, waitsForRoom: false,
              correlation: number, remainingMicroseconds: 250))
        })
    try harness.receive(
      LinkFrame.failure(3, GridError(.noSuchActor, "no")).bytes + LinkFrame.reply(1, Message("a")).bytes
        + LinkFrame.reply(1, Message("again")).bytes + LinkFrame.reply(99, Message("nobody's")).bytes)
    #expect(outcomes.all == [100: .reply(Message("a")), 300: .failure(GridError(.noSuchActor, ""))])
  }

  @Test func `what is not answered fails at its deadline, soon or late, and what is answered does not`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let outcomes = Outcomes()
    for (correlation, limit) in [(1, 0.03), (2, 5), (3, 5), (4, 3600)] as [(UInt64, Double)] {
      link.send(
        Envelope(
          target: "calc", message: Message("x"), expectation: .reply,
          deadline: StillTimers().now() + .seconds(limit), responder: outcomes, correlation: correlation))
    }
    harness.pass(.milliseconds(20))
    #expect(outcomes.all.isEmpty)
    harness.pass(.milliseconds(30))
    #expect(outcomes.all == [1: .failure(GridError(.deadline, ""))])
    try harness.receive(LinkFrame.reply(3, Message("a")).bytes)
    harness.pass(.seconds(5))
    #expect(
      outcomes.all
        == [1: .failure(GridError(.deadline, "")), 2: .failure(GridError(.deadline, "")), 3: .reply(Message("a"))])
  }

  @Test func `a closed connection fails what is open`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let outcomes = Outcomes()
    link.send(
      Envelope(target: "a", message: Message("x"), expectation: .acceptance, responder: outcomes, correlation: 5))
    try harness.receive(LinkFrame.goodbye("bye").bytes)
    #expect(outcomes.all == [5: .failure(GridError(.nodeLost, ""))])
    #expect(link.saidGoodbye && link.isClosed)
    link.send(Envelope(target: "a", message: Message("x"), expectation: .acceptance, responder: outcomes))
    #expect(harness.receiver.record.undeliverable.map(\.code) == [.nodeLost])
  }

  @Test func `many answers leave in several writes and in order, many tells in one`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    for number in 1...80 { link.resolve(UInt64(number), .reply(Message("x"))) }
    let writes = try harness.sentWrites()
    #expect(writes.map(\.count) == [LinkState.enough, LinkState.enough, 80 - 2 * LinkState.enough])
    #expect(writes.flatMap(\.self) == (1...80).map { LinkFrame.reply(UInt64($0), Message("x")) })
    for _ in 1...80 { link.send(Envelope(target: "a", message: Message("x"))) }
    #expect(try harness.sentWrites().map(\.count) == [80])
  }

  @Test(.timeLimit(.minutes(5)))
  func `whoever waits for a congested link goes on when answers have taken what waited along`() async throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let body = [UInt8](repeating: 1, count: 8 << 20)
    for _ in 0..<5 { link.send(Envelope(target: "a", message: Message(body: body))) }
    #expect(link.state.withLock { $0.isCongested })
    async let opens: Void = link.windowOpens(for: "b")
    while !link.hasWaiters { await Task.yield() }
    // The loop does not run: nobody flushes.
    for number in 1...LinkState.enough { link.resolve(UInt64(number), .reply(Message("x"))) }
    try await opens
    #expect(link.state.withLock { !$0.isCongested })
  }

  @Test func `a ping is answered with its number`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.greet()
    try harness.receive(LinkFrame.ping(77).bytes)
    #expect(try harness.sentFrames() == [.pong(77)])
  }

  @Test func `kinds of newer peers, and known ones at the wrong time, are skipped`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.greet()
    try harness.receive(
      [0, 0, 0, 3, 99, 0xFF, 0xFF] + LinkFrame.hello(.ofClient).bytes + LinkFrame.pong(1).bytes
        + LinkFrame.close(5, nil).bytes + LinkFrame.data(5, [], hasMore: false).bytes
        + LinkFrame.grant(5, 1).bytes + message("b").bytes)
    #expect(harness.isOpen)
    #expect(harness.receiver.record.envelopes.map(\.target) == ["b"])
  }

  @Test func `a malformed frame is refused and the connection closed`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.greet()
    try harness.receive(message("a").bytes + [0, 0, 0, 2, 10, 0x0B])
    #expect(harness.receiver.record.envelopes.map(\.target) == ["a"], "what came before counts")
    guard case .refusal(let error)? = try harness.sentFrames().first else {
      Issue.record("no refusal was sent")
      return
    }
    #expect(error.code == .protocolMismatch)
    #expect(!harness.isOpen)
    #expect(harness.receiver.record.closed.map(\.code) == [.protocolMismatch])
  }

  @Test(arguments: [0, 16_777_217, UInt32.max])
  func `the length is checked before anything is kept for it`(_ length: UInt32) throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.greet()
    try harness.receive((0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) })
    #expect(!harness.isOpen)
  }

  @Test func `a frame of the largest size is taken`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.greet()
    let body = [UInt8](repeating: 7, count: Message.maximumBodyBytes)
    try harness.receive(
      LinkFrame.message(
        MessageFrame(
          target: "calc", message: Message(body: body), sender: "", expectation: .nothing, waitsForRoom: false,
          correlation: 0, remainingMicroseconds: 0)
      ).bytes)
    #expect(harness.receiver.record.envelopes.first?.message.body.count == Message.maximumBodyBytes)
  }

  @Test func `what does not fit into a frame fails alone, the connection goes on`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let outcomes = Outcomes()
    let body = [UInt8](repeating: 7, count: LinkFrame.maximumBytes)
    link.send(Envelope(target: "a", message: Message(body: body), expectation: .reply, responder: outcomes))
    #expect(harness.receiver.record.undeliverable.map(\.code) == [.undecodable])
    let text = JSONValue.string(String(repeating: "x", count: LinkFrame.maximumBytes))
    _ = link.request("show", ["text": text], deadline: .distantFuture, responder: outcomes, correlation: 8)
    #expect(outcomes.all == [8: .failure(GridError(.undecodable, ""))])
    try harness.receive(message("a").bytes)
    harness.receiver.record.envelopes.first?.resolve(.reply(Message(body: body)))
    #expect(try harness.sentFrames() == [.failure(7, GridError(.undecodable, ""))])
    #expect(harness.isOpen)
  }

  // MARK: Requests

  @Test func `requests and cancels keep to their numbers`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.greet()
    let request = RequestFrame(correlation: 9, verb: "events", arguments: [], remainingMicroseconds: 0)
    try harness.receive(LinkFrame.request(request).bytes + LinkFrame.cancel(9).bytes)
    #expect(harness.receiver.record.requests == [request])
    #expect(harness.receiver.record.cancelled == [9])
  }

  // MARK: Flow control

  @Test func `flow-controlled messages keep to the window of their target and go on with its credit`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let body = [UInt8](repeating: 1, count: 400_000)
    func send(_ target: String) {
      link.send(Envelope(target: target, message: Message(body: body), waitsForRoom: true))
    }
    func targets() throws -> [String] {
      try harness.sentFrames().compactMap { if case .message(let frame) = $0 { frame.target } else { nil } }
    }
    for _ in 0..<5 { send("slow") }
    #expect(try targets() == ["slow", "slow"], "a third does not fit into 1 MiB")
    #expect(!link.windowIsOpen(for: "slow") && link.windowIsOpen(for: "other"))
    send("other")
    #expect(try targets() == ["other"], "one slow actor holds up nobody else")
    try harness.receive(LinkFrame.credit(target: "slow", bytes: 400_064).bytes)
    #expect(try targets() == ["slow"])
    try harness.receive(LinkFrame.credit(target: "slow", bytes: .max).bytes)
    #expect(try targets() == ["slow", "slow"])
    try harness.receive(LinkFrame.credit(target: "unheard-of", bytes: 5).bytes)
    #expect(harness.isOpen)
  }

  @Test func `one message larger than the window goes when nothing is under way`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let body = [UInt8](repeating: 1, count: 2 * SendWindows.bytesPerTarget)
    for _ in 0..<2 { link.send(Envelope(target: "a", message: Message(body: body), waitsForRoom: true)) }
    #expect(try harness.sentFrames().count == 1)
    try harness.receive(LinkFrame.credit(target: "a", bytes: UInt64(body.count + 64)).bytes)
    #expect(try harness.sentFrames().count == 1)
  }

  @Test func `more credit than was charged does not widen a window`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let body = [UInt8](repeating: 1, count: 400_000)
    for round in 0..<2 {
      for _ in 0..<5 { link.send(Envelope(target: "a", message: Message(body: body), waitsForRoom: true)) }
      #expect(try harness.sentFrames().count == (round == 0 ? 2 : 0))
      try harness.receive(LinkFrame.credit(target: "a", bytes: 100_000_000).bytes)
      #expect(try harness.sentFrames().count == 2)
    }
  }

  @Test func `credit of many messages is summed into one frame a target`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    for _ in 0..<10 { link.returnCredit(target: "a", bytes: 65) }
    link.returnCredit(target: "b", bytes: 1)
    let frames = try harness.sentFrames()
    #expect(frames.count == 2)
    #expect(frames.contains(.credit(target: "a", bytes: 650)) && frames.contains(.credit(target: "b", bytes: 1)))
  }

  @Test func `parked messages fail with the connection`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let body = [UInt8](repeating: 1, count: SendWindows.bytesPerTarget)
    for _ in 0..<3 { link.send(Envelope(target: "a", message: Message(body: body), waitsForRoom: true)) }
    link.close(GridError(.nodeLost, "gone"))
    #expect(harness.receiver.record.undeliverable.map(\.code) == [.nodeLost, .nodeLost])
  }
}
