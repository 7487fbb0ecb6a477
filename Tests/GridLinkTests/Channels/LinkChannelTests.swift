internal import GridCore
internal import NIOCore
internal import Synchronization
internal import Testing

@testable internal import GridLink

/// Channels on an open link, the other side played byte by byte. What waits does so on the main thread, to which the
/// event loop belongs.
@Suite struct LinkChannelTests {
  private static let request = RequestFrame(
    correlation: 9, verb: "events", arguments: [], remainingMicroseconds: 0, credit: 1 << 20)

  private func items(_ frames: [LinkFrame]) throws -> [JSONValue] {
    try frames.compactMap { frame in
      if case .data(9, let part, false) = frame { try JSONValue(parsing: part) } else { nil }
    }
  }

  /// A link whose other side has opened channel 9.
  private func opened(_ request: RequestFrame = request) throws -> (LinkHarness, Link) {
    let harness = try LinkHarness()
    let link = try #require(try harness.greet())
    try harness.receive(LinkFrame.request(request).bytes)
    return (harness, link)
  }

  @MainActor private static func next(_ reader: ChannelReader) async throws(GridError) -> [UInt8]? {
    try await reader.next()
  }

  @MainActor private static func sendAndFinish(_ item: [UInt8], _ writer: ChannelWriter) async throws(GridError) {
    try await writer.send(item)
    await writer.finish()
  }

  // MARK: Writing

  @Test @MainActor func `a writer sends items and one end`() async throws {
    let (harness, link) = try opened()
    defer { harness.finish() }
    #expect(harness.receiver.record.requests == [Self.request])
    let writer = link.writer(9)
    try await writer.send(["a": 1])
    #expect(writer.offer(["a": 2]))
    writer.end()
    #expect(!writer.isEnded, "it has not left yet")
    #expect(!writer.offer(["a": 3]))
    let frames = try harness.sentFrames()
    #expect(try items(frames) == [["a": 1], ["a": 2]])
    #expect(frames.last == .close(9, nil))
    #expect(writer.isEnded)
  }

  @Test func `a binary letter of 12 MiB loses its body and the connection goes on`() throws {
    let (harness, link) = try opened()
    defer { harness.finish() }
    let body = Base64.encoded([UInt8](repeating: 0, count: 13 << 20))
    #expect(link.writer(9).offer(["id": "1", "body": .string(body), "bodyEncoding": "base64"]))
    #expect(link.writer(9).offer(["id": "2"]))
    #expect(
      try items(try harness.sentFrames()) == [
        ["id": "1", "body": "", "bodyEncoding": "base64", "bodyBytes": .integer(13 << 20), "bodyLeftOut": true],
        ["id": "2"],
      ])
    #expect(harness.isOpen)
  }

  @Test @MainActor func `an item that is too large is an error of its own`() async throws {
    let (harness, link) = try opened()
    defer { harness.finish() }
    let writer = link.writer(9)
    let hopeless = JSONValue.array((0..<17_000).map { _ in .string(String(repeating: "x", count: 1020)) })
    #expect(!writer.offer(["rows": hopeless]), "it counts as missed")
    #expect(!writer.offer([UInt8](repeating: 1, count: ChannelLimits.itemBytes + 1)))
    let error = await #expect(throws: GridError.self) { try await writer.send(["rows": hopeless]) }
    #expect(error?.code == .undecodable)
    try await writer.send(["a": 1])
    #expect(try items(try harness.sentFrames()) == [["a": 1]])
    #expect(harness.isOpen)
  }

  @Test func `a slow reader costs a bounded number of bytes, and messages pass what waits for it`() throws {
    let (harness, link) = try opened(
      RequestFrame(correlation: 9, verb: "events", arguments: [], remainingMicroseconds: 0, credit: 1000))
    defer { harness.finish() }
    let writer = link.writer(9)
    let item = [UInt8](repeating: 1, count: 10_000)
    let taken = (0..<10_000).count { _ in writer.offer(item) }
    #expect(taken == (ChannelLimits.offerBytes + item.count - 1) / item.count)
    #expect(try harness.sentFrames() == [.data(9, item, hasMore: false)], "there is credit for one")
    // It comes when the first round has left, and all the others wait.
    link.eventLoop.execute { link.send(Envelope(target: "a", message: Message("x"))) }
    try harness.receive(LinkFrame.grant(9, 1 << 30).bytes + LinkFrame.ping(5).bytes)
    let frames = try harness.sentFrames()
    let message = try #require(frames.firstIndex { if case .message = $0 { true } else { false } })
    let pong = try #require(frames.firstIndex(of: .pong(5)))
    #expect(frames.count > 100)
    let inOneRound = ChannelLimits.roundBytes / item.count + 2
    #expect(message <= inOneRound && pong <= inOneRound, "\(message), \(pong) of \(frames.count)")
  }

  @Test @MainActor func `a waiting writer goes on with credit`() async throws {
    let (harness, link) = try opened(
      RequestFrame(correlation: 9, verb: "actors", arguments: [], remainingMicroseconds: 0, credit: 1))
    defer { harness.finish() }
    let item = [UInt8](repeating: 1, count: ChannelLimits.sendBytes)
    try await link.writer(9).send(item)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await Self.sendAndFinish(item, link.writer(9)) }
      var bytes = 0
      var isClosed = false
      while !isClosed {
        try harness.receive(LinkFrame.grant(9, 50_000).bytes)
        for frame in try harness.sentFrames() {
          if case .data(9, let part, _) = frame { bytes += part.count }
          if frame == .close(9, nil) { isClosed = true }
        }
        await Task.yield()
      }
      #expect(bytes == 2 * item.count)
      try await group.waitForAll()
    }
  }

  @Test(arguments: ["cancel", "close", "goodbye", "failure", "reply"])
  @MainActor func `a writer hears of the end`(_ how: String) async throws {
    let (harness, link) = try opened()
    defer { harness.finish() }
    let writer = link.writer(9)
    let told = Mutex(0)
    writer.whenEnded { told.withLock { $0 += 1 } }
    switch how {
    case "cancel": try harness.receive(LinkFrame.cancel(9).bytes)
    case "close": link.close(GridError(.nodeLost, "cut"))
    case "goodbye": try harness.receive(LinkFrame.goodbye("bye").bytes)
    case "failure": link.resolve(9, .failure(GridError(.usage, "wrong")))
    default: link.resolve(9, .reply(Message("1")))
    }
    await writer.untilEnded()
    #expect(writer.isEnded && told.withLock { $0 } == 1)
    let error = await #expect(throws: GridError.self) { try await writer.send([1]) }
    #expect(error?.code == (["close", "goodbye"].contains(how) ? .nodeLost : .cancelled))
    #expect(!writer.offer([1]))
    #expect(harness.receiver.record.cancelled == (how == "cancel" ? [9] : []))
  }

  @Test func `there is no channel for a request without credit`() throws {
    let (harness, link) = try opened(
      RequestFrame(correlation: 9, verb: "ping", arguments: [], remainingMicroseconds: 0))
    defer { harness.finish() }
    #expect(link.writer(9).isEnded && !link.writer(9).offer([1]))
    #expect(try harness.sentFrames().isEmpty)
  }

  // MARK: Reading

  /// Writes down a channel.
  private final class Items: ChannelListener {
    private let state = Mutex<[String]>([])
    var all: [String] { state.withLock { $0 } }
    func channelReceived(_ item: [UInt8]) { state.withLock { $0.append(String(decoding: item, as: UTF8.self)) } }
    func channelEnded(_ error: GridError?) { state.withLock { $0.append(error?.code.label ?? "end") } }
  }

  private func data(_ number: UInt64, _ text: String, hasMore: Bool = false) -> [UInt8] {
    LinkFrame.data(number, Array(text.utf8), hasMore: hasMore).bytes
  }

  @Test func `a listener takes items, of one part or several, and one end`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let items = Items()
    let number = link.openChannel("events", [:], window: 1000, listener: items)
    #expect(
      try harness.sentFrames() == [
        .request(
          RequestFrame(
            correlation: number, verb: "events", arguments: Array("{}".utf8), remainingMicroseconds: 0, credit: 1000))
      ])
    try harness.receive(
      data(number, "1") + data(number, "2", hasMore: true) + data(number, "3") + data(number, "4")
        + LinkFrame.close(number, nil).bytes + data(number, "5"))
    #expect(items.all == ["1", "23", "4", "end"])
    #expect(try harness.sentFrames() == [.grant(number, 260)])
  }

  @Test func `cancelling a channel tells the peer and ends it here`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let items = Items()
    let number = link.openChannel("events", [:], listener: items)
    _ = try harness.sentFrames()
    link.cancel(number)
    link.cancel(number)
    #expect(try harness.sentFrames() == [.cancel(number)])
    try harness.receive(data(number, "1"))
    #expect(items.all == ["cancelled"])
  }

  @Test @MainActor func `a reader takes what came before the end and then its reason`() async throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let endings: [((UInt64) -> LinkFrame, GridError.Code?, [String])] = [
      ({ .close($0, nil) }, nil, ["1"]), ({ .close($0, GridError(.notFound, "x")) }, .notFound, ["1"]),
      ({ .failure($0, GridError(.usage, "x")) }, .usage, ["1"]), ({ .reply($0, Message("2")) }, nil, ["1", "2"]),
      ({ _ in .goodbye("bye") }, .nodeLost, ["1"]),
    ]
    for (ending, code, expected) in endings {
      let reader = link.openChannel("actors", [:])
      try harness.receive(data(reader.number, "1") + ending(reader.number).bytes)
      var taken: [String] = []
      do {
        for try await item in reader { taken.append(String(decoding: item, as: UTF8.self)) }
        #expect(code == nil)
      } catch {
        #expect((error as any Error as? GridError)?.code == code)
      }
      #expect(taken == expected)
    }
  }

  @Test @MainActor func `a writer that breaks the rules loses its channel, not the connection`() async throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let reader = link.openChannel("actors", [:], window: 1)
    _ = try harness.sentFrames()
    try harness.receive(data(reader.number, "1") + data(reader.number, "2"))
    #expect(try harness.sentFrames() == [.cancel(reader.number)])
    #expect(try await reader.next() == Array("1".utf8))
    let error = await #expect(throws: GridError.self) { try await reader.next() }
    #expect(error?.code == .protocolMismatch)
    #expect(harness.isOpen)
  }

  @Test func `the last reference to a reader gives its channel up`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    var reader: ChannelReader? = link.openChannel("actors", [:])
    let number = try #require(reader?.number)
    _ = try harness.sentFrames()
    reader = nil
    #expect(reader == nil)
    #expect(try harness.sentFrames() == [.cancel(number)])
  }

  @Test @MainActor func `a cancelled task gives its channel up`() async throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let reader = link.openChannel("actors", [:])
    let number = reader.number
    _ = try harness.sentFrames()
    await withThrowingTaskGroup(of: [UInt8]?.self) { group in
      group.addTask { try await Self.next(reader) }
      group.cancelAll()
      let error = await #expect(throws: GridError.self) { try await group.next() }
      #expect(error?.code == .cancelled)
    }
    #expect(try harness.sentFrames() == [.cancel(number)])
  }

  @Test @MainActor func `a reader that has waited long enough gives up`() async throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let reader = link.openChannel("actors", [:], patience: .seconds(3))
    guard case .request(let frame)? = try harness.sentFrames().first else {
      Issue.record("nothing was asked")
      return
    }
    #expect(frame.remainingMicroseconds == 3_000_000)
    try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
      group.addTask { try await Self.next(reader) }
      var frames: [LinkFrame] = []
      while frames.isEmpty {
        await Task.yield()
        harness.pass(.seconds(1))
        frames = try harness.sentFrames()
      }
      #expect(frames == [.cancel(reader.number)])
      let error = await #expect(throws: GridError.self) { try await group.next() }
      #expect(error?.code == .deadline)
    }
  }
}
