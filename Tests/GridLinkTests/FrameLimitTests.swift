internal import GridCore
internal import Synchronization
internal import Testing

@testable internal import GridLink

/// No frame that the other side must refuse leaves on any way: it would cost the connection and everybody on it.
@Suite struct FrameLimitTests {
  private static let huge = String(repeating: "x", count: LinkFrame.maximumBytes)
  private static let hugeError = GridError(.failed, huge, hint: huge, cause: huge)

  private static func message(_ message: Message, target: String = "a") -> LinkFrame {
    .message(
      MessageFrame(
        target: target, message: message, sender: "", expectation: .reply, waitsForRoom: false, correlation: 1,
        remainingMicroseconds: .max))
  }

  private static let oversized: [LinkFrame] = [
    .refusal(hugeError), .goodbye(huge), .failure(.max, hugeError), .reply(.max, Message(huge)),
    .reply(1, Message("", type: huge)), .reply(1, Message(headers: [.init("a", huge)])),
    .reply(1, Message(headers: (0..<1_000_000).map { _ in .init("", "") })), message(Message(huge)),
    message(Message(), target: huge), .credit(target: huge, bytes: .max), .data(1, Array(huge.utf8), hasMore: true),
    .close(1, hugeError), .signal(.moved(address: huge, to: nil)),
    .request(RequestFrame(correlation: 1, verb: huge, arguments: [], remainingMicroseconds: 1)),
    .request(RequestFrame(correlation: 1, verb: "a", arguments: Array(huge.utf8), remainingMicroseconds: 1)),
  ]

  @Test(arguments: oversized.indices)
  func `a frame that is too large is cut, becomes a failure, or is not sent`(_ index: Int) {
    guard let fitted = Self.oversized[index].fitted else { return }
    #expect(fitted.bytes.count - 4 <= LinkFrame.maximumBytes)
  }

  @Test func `frames that fit are left as they are`() {
    for frame in FrameExamples.all { #expect(frame.fitted?.inFull == frame.inFull) }
  }

  @Test func `a refusal fits before the greeting is done`() throws {
    let fitted = try #require(LinkFrame.refusal(Self.hugeError).fitted)
    #expect(fitted.bytes.count - 4 <= LinkFrame.maximumGreetingBytes)
  }

  @Test func `failures, goodbyes and outcomes with endless texts leave the connection whole`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    link.resolve(3, .failure(Self.hugeError))
    link.resolve(4, .reply(Message("", type: Self.huge)))
    link.returnCredit(target: Self.huge, bytes: 1)
    link.resolve(5, .accepted)
    let frames = try harness.sentFrames()
    #expect(frames.count == 3)
    #expect(frames.allSatisfy { $0.bytes.count - 4 <= LinkFrame.maximumBytes })
    #expect(frames.last == .accepted(5))
    #expect(harness.isOpen)
  }

  @Test func `a stream's message that is too large is refused before its window is charged`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    let link = try #require(try harness.greet())
    let envelope = Envelope(target: "a", message: Message(headers: [.init("a", Self.huge)]), waitsForRoom: true)
    guard case .refused(let error) = link.attempt(envelope) else {
      Issue.record("it was not refused")
      return
    }
    #expect(error.code == .undecodable)
    #expect(link.windowIsOpen(for: "a"))
    #expect(try harness.sentFrames().isEmpty)
  }
}
