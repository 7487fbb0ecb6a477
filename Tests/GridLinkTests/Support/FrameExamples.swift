internal import GridCore
internal import NIOCore

@testable internal import GridLink

extension LinkFrame {
  /// The frame as bytes, with its length.
  var bytes: [UInt8] {
    var buffer = ByteBuffer()
    encode(into: &buffer)
    return Array(buffer.readableBytesView)
  }

  /// Decodes kind and payload, without a length.
  init(payload: [UInt8]) throws(GridError) {
    let decoded = payload.withUnsafeBytes { bytes in
      Result { () throws(GridError) in try LinkFrame(decoding: bytes) }
    }
    self = try decoded.get()
  }

  /// Everything the frame says, errors in full: their `==` compares nothing but codes.
  var inFull: String {
    var text = ""
    dump(self, to: &text)
    return text
  }
}

extension NamespaceSecret {
  /// The bytes 0, 1, 2, … 31: also the secret of the examples in LINK.md.
  static let example = make()

  private static func make() -> NamespaceSecret {
    guard let secret = NamespaceSecret((0..<32).map { UInt8($0) }) else { fatalError("32 bytes are a secret") }
    return secret
  }
}

extension LinkGreeting {
  static var ofNode: LinkGreeting {
    LinkGreeting(
      namespace: "shop", role: .node, name: "n1", incarnation: 42, address: "127.0.0.1:4743", version: "0.1.0")
  }

  static var ofClient: LinkGreeting { LinkGreeting(namespace: "shop", role: .client, name: "client") }
}

/// Frames of every kind, with fields at their defaults, usual, and at their limits.
enum FrameExamples {
  static let messages: [Message] = [
    Message(), Message("2^10"), Message(json: ["add": 1], type: "Add"),
    Message(
      body: (0...255).map { UInt8($0) }, contentType: .other("image/png"), type: "Bild",
      headers: [.init("a", "1"), .init("a", "2"), .init("", ""), .init("ü", "")]),
    Message(body: [UInt8](repeating: 7, count: 20_000)),
  ]

  static let errors: [GridError] = [
    GridError(.failed, ""), GridError(.noSuchActor, "no actor x", hint: "similar: y", cause: "because"),
    GridError(.protocolMismatch, String(repeating: "ä", count: 1000)),
  ]

  static var all: [LinkFrame] {
    let numbers: [UInt64] = [0, 1, 127, 128, 1 << 32, .max]
    var frames: [LinkFrame] = [.hello(.ofClient), .welcome(.ofNode), .unknown(9), .unknown(255)]
    frames += [[], [0], [UInt8](repeating: 255, count: 32)].flatMap { [.challenge($0), .proof($0)] }
    frames += errors.flatMap { [.refusal($0), .failure(7, $0), .failure(.max, $0), .close(7, $0)] }
    frames += numbers.flatMap { [.ping($0), .pong($0), .accepted($0), .cancel($0), .grant($0, .max), .close($0, nil)] }
    frames += ["", "stopping", "日本"].map { .goodbye($0) }
    frames += messages.flatMap { message in
      [
        .reply(3, message),
        .message(
          MessageFrame(
            target: "calc", message: message, sender: "n2", expectation: .reply, waitsForRoom: true,
            correlation: .max, remainingMicroseconds: .max)),
        .message(
          MessageFrame(
            target: "", message: message, sender: "", expectation: .nothing, waitsForRoom: false, correlation: 0,
            remainingMicroseconds: 0)),
      ]
    }
    frames += numbers.map { .credit(target: "calc", bytes: $0) }
    frames += [
      .request(RequestFrame(correlation: 1, verb: "actors", arguments: Array("{}".utf8), remainingMicroseconds: 5)),
      .request(RequestFrame(correlation: 0, verb: "", arguments: [], remainingMicroseconds: 0)),
      .request(
        RequestFrame(correlation: 3, verb: "events", arguments: [], remainingMicroseconds: 0, credit: .max)),
      .data(1, [], hasMore: false), .data(.max, [0, 255], hasMore: true),
    ]
    frames += [
      .signal(.moved(address: "calc", to: nil)), .signal(.moved(address: "", to: nil)), .signal(.unknown),
      .signal(
        .moved(address: "calc", to: Location(node: "n2", incarnation: .max, epoch: .min, kind: "counter"))),
    ]
    return frames
  }
}
