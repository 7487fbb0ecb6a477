internal import GridCore
internal import NIOCore

/// The numbers of the frame kinds on the wire; never reused.
enum FrameKind {
  static let hello: UInt8 = 1
  static let welcome: UInt8 = 2
  static let refusal: UInt8 = 3
  static let ping: UInt8 = 4
  static let pong: UInt8 = 5
  static let goodbye: UInt8 = 6
  static let challenge: UInt8 = 7
  static let proof: UInt8 = 8
  static let message: UInt8 = 10
  static let accepted: UInt8 = 11
  static let reply: UInt8 = 12
  static let failure: UInt8 = 13
  static let cancel: UInt8 = 14
  static let credit: UInt8 = 15
  static let request: UInt8 = 20
  // 21 and 22 were items and ends of streams.
  static let data: UInt8 = 23
  static let grant: UInt8 = 24
  static let close: UInt8 = 25
  static let signal: UInt8 = 26
}

extension LinkFrame {
  /// Appends the frame with its length to `buffer`.
  func encode(into buffer: inout ByteBuffer) {
    Self.encode(kind, expectedBytes: expectedBytes, into: &buffer) { writeFields(&$0) }
  }

  /// The frame with its length, as bytes.
  var encoded: [UInt8] {
    var buffer = ByteBuffer()
    encode(into: &buffer)
    return Array(buffer.readableBytesView)
  }

  /// Appends a message's frame: as ``encode(into:)`` of a ``MessageFrame``, without making one, which for a stream of
  /// tells costs as much as to write it.
  static func encode(
    _ envelope: Envelope, correlation: UInt64, remainingMicroseconds: UInt64, into buffer: inout ByteBuffer
  ) {
    let room = expectedBytes(envelope.message, envelope.target, envelope.sender)
    encode(FrameKind.message, expectedBytes: room, into: &buffer) { writer in
      MessageFrame.write(
        &writer, correlation, envelope.message, envelope.target, envelope.sender, envelope.expectation,
        envelope.waitsForRoom, remainingMicroseconds)
    }
  }

  /// Appends the frame of a reply: as ``encode(into:)``, without making one.
  static func encode(_ message: Message, answering correlation: UInt64, into buffer: inout ByteBuffer) {
    encode(FrameKind.reply, expectedBytes: message.body.count + 64, into: &buffer) { writer in
      writer.field(1, correlation)
      message.write(&writer)
    }
  }

  private static func expectedBytes(_ message: Message, _ target: String, _ sender: String) -> Int {
    message.body.count + target.utf8.count + sender.utf8.count + 64
  }

  @inline(__always)
  private static func encode(
    _ kind: UInt8, expectedBytes: Int, into buffer: inout ByteBuffer, _ writeFields: (inout WireWriter) -> Void
  ) {
    var room = expectedBytes
    while true {
      let start = buffer.writerIndex
      var isTooSmall = false
      buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 4 + room) { bytes in
        var writer = WireWriter(UnsafeMutableRawBufferPointer(rebasing: bytes[4...]))
        writer.byte(kind)
        writeFields(&writer)
        isTooSmall = writer.isTooSmall
        return isTooSmall ? 0 : 4 + writer.count
      }
      if !isTooSmall {
        buffer.setInteger(UInt32(buffer.writerIndex - start - 4), at: start)
        return
      }
      room *= 2
    }
  }

  /// About how long the encoded frame will be.
  private var expectedBytes: Int {
    switch self {
    case .message(let frame): Self.expectedBytes(frame.message, frame.target, frame.sender)
    case .reply(_, let message): message.body.count + 64
    case .request(let frame): frame.arguments.count + 64
    case .data(_, let part, _): part.count + 64
    default: 128
    }
  }

  private var kind: UInt8 {
    switch self {
    case .hello: FrameKind.hello
    case .welcome: FrameKind.welcome
    case .refusal: FrameKind.refusal
    case .challenge: FrameKind.challenge
    case .proof: FrameKind.proof
    case .ping: FrameKind.ping
    case .pong: FrameKind.pong
    case .goodbye: FrameKind.goodbye
    case .message: FrameKind.message
    case .accepted: FrameKind.accepted
    case .reply: FrameKind.reply
    case .failure: FrameKind.failure
    case .cancel: FrameKind.cancel
    case .credit: FrameKind.credit
    case .request: FrameKind.request
    case .data: FrameKind.data
    case .grant: FrameKind.grant
    case .close: FrameKind.close
    case .signal: FrameKind.signal
    case .unknown(let kind): kind
    }
  }

  private func writeFields(_ writer: inout WireWriter) {
    switch self {
    case .hello(let greeting), .welcome(let greeting): greeting.write(&writer)
    case .refusal(let error): error.write(&writer, correlation: 0)
    case .challenge(let bytes), .proof(let bytes): writer.field(1, bytes)
    case .ping(let number), .pong(let number), .accepted(let number), .cancel(let number):
      writer.field(1, number)
    case .goodbye(let reason): writer.field(1, reason)
    case .message(let frame):
      MessageFrame.write(
        &writer, frame.correlation, frame.message, frame.target, frame.sender, frame.expectation, frame.waitsForRoom,
        frame.remainingMicroseconds)
    case .reply(let correlation, let message):
      writer.field(1, correlation)
      message.write(&writer)
    case .failure(let correlation, let error): error.write(&writer, correlation: correlation)
    case .credit(let target, let bytes):
      writer.field(1, target)
      writer.field(2, bytes)
    case .request(let frame):
      writer.field(1, frame.correlation)
      writer.field(2, frame.verb)
      writer.field(3, frame.arguments)
      writer.field(4, frame.remainingMicroseconds)
      writer.field(5, frame.credit)
    case .data(let number, let part, let hasMore):
      writer.field(1, number)
      writer.field(2, part)
      writer.field(3, hasMore)
    case .grant(let number, let bytes):
      writer.field(1, number)
      writer.field(2, bytes)
    case .close(let number, let error):
      if let error { error.write(&writer, correlation: number) } else { writer.field(1, number) }
    case .signal(let signal): signal.write(&writer)
    case .unknown: break
    }
  }
}

extension LinkSignal {
  /// The numbers of the signals on the wire; never reused. 0 stands for none that is known.
  enum Sort {
    static let moved: UInt64 = 1
  }

  fileprivate func write(_ writer: inout WireWriter) {
    guard case .moved(let address, let location) = self else { return }
    writer.field(1, Sort.moved)
    writer.field(2, address)
    guard let location else { return }
    writer.field(3, location.node)
    writer.field(4, location.incarnation)
    writer.field(5, location.epoch)
    writer.field(6, location.kind)
  }
}

extension LinkGreeting {
  fileprivate func write(_ writer: inout WireWriter) {
    writer.field(1, major)
    writer.field(2, minor)
    writer.field(3, namespace)
    writer.field(4, role.rawValue)
    writer.field(5, name)
    writer.field(6, incarnation)
    writer.field(7, address)
    writer.field(8, version)
    writer.field(9, nonce)
    writer.field(10, credential.rawValue)
    writer.field(11, token)
  }
}

extension MessageFrame {
  @inline(__always)
  fileprivate static func write(
    _ writer: inout WireWriter, _ correlation: UInt64, _ message: Message, _ target: String, _ sender: String,
    _ expectation: Envelope.Expectation, _ waitsForRoom: Bool, _ remainingMicroseconds: UInt64
  ) {
    writer.field(1, correlation)
    message.write(&writer)
    writer.field(8, target)
    writer.field(9, sender)
    writer.field(10, UInt64(expectation.rawValue))
    writer.field(11, waitsForRoom)
    writer.field(12, remainingMicroseconds)
  }
}

extension Message {
  /// Fields 2 to 6, the same wherever a message stands in a frame.
  fileprivate func write(_ writer: inout WireWriter) {
    writer.field(2, body)
    writer.field(3, contentType.wireNumber)
    if case .other(let name) = contentType { writer.field(4, name) }
    writer.field(5, type)
    for header in headers { writer.pair(6, header.name, header.value) }
  }
}

extension ContentType {
  fileprivate var wireNumber: UInt64 {
    switch self {
    case .bytes: 0
    case .text: 1
    case .json: 2
    case .other: 3
    }
  }
}

extension GridError {
  fileprivate func write(_ writer: inout WireWriter, correlation: UInt64) {
    writer.field(1, correlation)
    writer.field(2, code.label)
    writer.field(3, message)
    writer.field(4, hint ?? "")
    writer.field(5, cause ?? "")
  }
}
