internal import GridCore
internal import NIOCore

/// In front of TLS: tells from the first bytes that the other side speaks none, and says so. It leaves once TLS is
/// there.
final class PlaintextDetector: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// The fatal alert `protocol_version` (RFC 8446, section 6), bare: whoever speaks no TLS knows by it that we do.
  static let alert: [UInt8] = [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]

  private let dials: Bool
  private var seen: [UInt8] = []
  private var isOver = false

  init(dials: Bool) { self.dials = dials }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isOver else { return }
    let bytes = unwrapInboundIn(data).readableBytesView
    guard let first = bytes.first else { return }
    if seen.isEmpty, LinkChannelHandler.startsTLS(first) {
      context.fireChannelRead(data)
      return context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
    seen += bytes
    guard let error = dials ? Self.answered(seen) : Self.dialled(seen) else { return }
    isOver = true
    if !dials {
      context.writeAndFlush(
        wrapOutboundOut(context.channel.allocator.buffer(bytes: Self.alert)), promise: nil)
    }
    context.fireErrorCaught(error)
  }

  /// What to tell of whoever has dialled.
  private static func dialled(_ bytes: [UInt8]) -> GridError? {
    LinkChannelHandler.preamble.starts(with: bytes.prefix(LinkChannelHandler.preamble.count))
      ? GridError(
        .protocolMismatch, "whoever has dialled speaks no TLS", hint: "it needs --tls-ca, and a node its certificate")
      : GridError(
        .protocolMismatch, "whoever has dialled speaks no TLS (it says \(LinkChannelHandler.quotedStart(bytes)))")
  }

  /// What to tell of whoever has answered; nil until that is known.
  private static func answered(_ bytes: [UInt8]) -> GridError? {
    let preamble = LinkChannelHandler.preamble
    guard preamble.starts(with: bytes.prefix(preamble.count)) else {
      return GridError(
        .protocolMismatch, "what answers there speaks no TLS (it says \(LinkChannelHandler.quotedStart(bytes)))",
        hint: "check the endpoint")
    }
    let frame = bytes.dropFirst(preamble.count)
    guard frame.count >= 4 else { return nil }
    let length = frame.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    guard length > 0, length <= LinkFrame.maximumGreetingBytes else { return plainNode }
    guard frame.count >= 4 + length else { return nil }
    // A node that does not even listen to us says why without TLS.
    let answer = Array(frame.dropFirst(4).prefix(length)).withUnsafeBytes { try? LinkFrame(decoding: $0) }
    if case .refusal(let error) = answer { return error }
    return plainNode
  }

  private static let plainNode = GridError(
    .protocolMismatch, "the node there speaks no TLS",
    hint: "start it with --tls-cert, --tls-key and --tls-ca, or leave --tls-ca away here")
}
