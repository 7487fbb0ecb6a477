internal import NIOCore

/// Answers the pings of the member in place of the HTTP/2 handler behind it.
///
/// Etcd's gRPC measures the line with a ping for nearly every request; SwiftNIO takes more than 200 in 30 seconds for
/// an attack and closes the connection, with all calls on it. So they are answered here and go no further.
final class PingAnswerer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private static let headLength = 9
  private static let pingLength = 8
  private static let pingType: UInt8 = 6
  private static let acknowledgement: UInt8 = 1

  /// The beginning of a frame of which too little has come to tell what it is.
  private var beginning = ByteBuffer()
  /// How much of the present frame is still to be handed on.
  private var remaining = 0
  private var hasAnswered = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var input = unwrapInboundIn(data)
    if beginning.readableBytes > 0 {
      beginning.writeBuffer(&input)
      input = beginning
      beginning = ByteBuffer()
    }
    while input.readableBytes > 0 {
      let handedOn = lengthToHandOn(input)
      if handedOn > 0, let slice = input.readSlice(length: handedOn) {
        context.fireChannelRead(wrapInboundOut(slice))
      } else if let ping = readPing(&input) {
        answer(ping, context)
      } else {
        beginning = input
        return
      }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if hasAnswered {
      hasAnswered = false
      context.flush()
    }
    context.fireChannelReadComplete()
  }

  /// How many bytes come before the next ping, or before a frame that cannot be told yet.
  private func lengthToHandOn(_ input: ByteBuffer) -> Int {
    var at = min(remaining, input.readableBytes)
    remaining -= at
    while remaining == 0, let frame = head(input, at), !frame.isPing {
      let length = Self.headLength + frame.length
      let here = min(length, input.readableBytes - at)
      at += here
      remaining = length - here
    }
    return at
  }

  private func head(_ input: ByteBuffer, _ offset: Int) -> (length: Int, isPing: Bool)? {
    let start = input.readerIndex + offset
    guard input.readableBytes - offset >= Self.headLength,
      let high = input.getInteger(at: start, as: UInt8.self),
      let low = input.getInteger(at: start + 1, as: UInt16.self),
      let type = input.getInteger(at: start + 3, as: UInt8.self),
      let flags = input.getInteger(at: start + 4, as: UInt8.self)
    else { return nil }
    let length = Int(high) << 16 + Int(low)
    let isPing = type == Self.pingType && flags & Self.acknowledgement == 0 && length == Self.pingLength
    return (length, isPing)
  }

  /// What the ping at the beginning of `input` carries; nil when not all of it is there.
  private func readPing(_ input: inout ByteBuffer) -> ByteBuffer? {
    guard remaining == 0, head(input, 0)?.isPing == true,
      input.readableBytes >= Self.headLength + Self.pingLength
    else { return nil }
    input.moveReaderIndex(forwardBy: Self.headLength)
    return input.readSlice(length: Self.pingLength)
  }

  private func answer(_ ping: ByteBuffer, _ context: ChannelHandlerContext) {
    var frame = context.channel.allocator.buffer(capacity: Self.headLength + Self.pingLength)
    frame.writeBytes([0, 0, UInt8(Self.pingLength), Self.pingType, Self.acknowledgement, 0, 0, 0, 0])
    frame.writeImmutableBuffer(ping)
    context.write(wrapOutboundOut(frame), promise: nil)
    hasAnswered = true
  }
}
