internal import GridCore
internal import Testing

@Suite struct MessageLimitsTests {
  private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

  private static func headers(_ count: Int, _ bytes: Int = 1) -> [Message.Header] {
    (0..<count).map { _ in .init("k", text(bytes)) }
  }

  @Test func `what stands beside a body may be as long as it may, and no longer`() {
    let name = MessageLimits.nameBytes
    let half = MessageLimits.headerBytes / 2
    let fine = [
      Message(), Message(type: Self.text(name)), Message(contentType: .other(Self.text(name))),
      Message(headers: Self.headers(MessageLimits.headers)), Message(headers: Self.headers(2, half - 1)),
    ]
    for message in fine { #expect(message.oversize == nil) }
    let excessive: [(Message, String)] = [
      (Message(type: Self.text(name + 1)), "a type of 1025 bytes is too long: 1024 are allowed"),
      (Message(contentType: .other(Self.text(name + 1))), "a content type of 1025 bytes is too long: 1024 are allowed"),
      (Message(headers: Self.headers(MessageLimits.headers + 1)), "257 headers are too many: 256 are allowed"),
      (Message(headers: Self.headers(2, half)), "headers of 65538 bytes are too large: 65536 are allowed"),
    ]
    for (message, told) in excessive {
      #expect(message.oversize?.code == .undecodable && message.oversize?.message == told)
    }
  }

  @Test func `of an envelope with too much is kept what may be shown`() {
    let long = Self.text(MessageLimits.nameBytes + 1)
    let body: [UInt8] = [1, 2, 3]
    let envelope = Envelope(target: long, message: Message(body: body, type: long), sender: long)
    #expect(envelope.excess?.message.hasPrefix("a target of 1025 bytes") == true)
    #expect(Envelope(target: "a", message: Message(), sender: long).excess?.message.hasPrefix("a sender") == true)
    #expect(Envelope(target: "a", message: Message(headers: [.init("k", "v")]), sender: "b").excess == nil)
    #expect(envelope.withinLimits.excess == nil)
    #expect(envelope.withinLimits.message.body == body)
  }
}
