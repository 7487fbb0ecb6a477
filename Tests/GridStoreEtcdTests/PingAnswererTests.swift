internal import NIOCore
internal import NIOEmbedded
internal import Testing

@testable internal import GridStoreEtcd

@Suite("Pings of a member")
struct PingAnswererTests {
  private static let payload: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
  private static let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0] + payload
  private static let acknowledged: [UInt8] = [0, 0, 8, 6, 1, 0, 0, 0, 0] + payload

  private static func frame(_ length: Int, type: UInt8) -> [UInt8] {
    [UInt8(length >> 16), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), type, 0, 0, 0, 0, 1]
      + (0..<length).map { UInt8(truncatingIfNeeded: $0) }
  }

  /// Hands over `bytes` in pieces.
  ///
  /// - Returns: what went on, and what was answered.
  private func pass(_ bytes: [UInt8], pieces: Int) throws -> (passed: [UInt8], answered: [UInt8]) {
    let channel = EmbeddedChannel(handler: PingAnswerer())
    defer { _ = try? channel.finish() }
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      try channel.writeInbound(ByteBuffer(bytes: bytes[start..<min(start + pieces, bytes.count)]))
    }
    var passed: [UInt8] = []
    while let buffer = try channel.readInbound(as: ByteBuffer.self) { passed += buffer.readableBytesView }
    var answered: [UInt8] = []
    while let buffer = try channel.readOutbound(as: ByteBuffer.self) { answered += buffer.readableBytesView }
    return (passed, answered)
  }

  @Test("are answered and go no further, wherever the stream is cut", arguments: [1, 2, 7, 9, 10, 17, 1000, 100_000])
  func answers(pieces: Int) throws {
    let settings = Self.frame(12, type: 4)
    let large = Self.frame(700, type: 0)
    let empty = Self.frame(0, type: 4)
    let bytes = settings + Self.ping + large + Self.ping + Self.ping + empty + Self.acknowledged + Self.ping
    let (passed, answered) = try pass(bytes, pieces: pieces)
    #expect(passed == settings + large + empty + Self.acknowledged)
    #expect(answered == Self.acknowledged + Self.acknowledged + Self.acknowledged + Self.acknowledged)
  }

  @Test("of a wrong length are left to the handler that refuses them")
  func malformed() throws {
    let wrong = Self.frame(9, type: 6)
    let (passed, answered) = try pass(wrong + Self.ping, pieces: 100)
    #expect(passed == wrong)
    #expect(answered == Self.acknowledged)
  }
}
