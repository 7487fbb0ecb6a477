internal import GridCore

extension LinkFrame {
  /// Decodes a frame without its length field.
  ///
  /// - Throws: ``GridError/Code/protocolMismatch`` for bytes that are no frame.
  init(decoding bytes: UnsafeRawBufferPointer) throws(GridError) {
    guard let kind = bytes.first else { throw GridError(.protocolMismatch, "malformed frame: it is empty") }
    var reader = WireReader(UnsafeRawBufferPointer(rebasing: bytes[1...]))
    switch kind {
    case FrameKind.message: self = .message(try MessageFrame(decoding: bytes))
    case FrameKind.accepted: self = .accepted(try reader.number())
    case FrameKind.reply:
      let (correlation, message) = try reader.reply()
      self = .reply(correlation, message)
    case FrameKind.failure:
      let (correlation, error) = try reader.failure()
      self = .failure(correlation, error)
    case FrameKind.credit:
      let (target, bytes) = try reader.namedNumber()
      self = .credit(target: target, bytes: bytes)
    case FrameKind.cancel: self = .cancel(try reader.number())
    case FrameKind.request: self = .request(try RequestFrame(&reader))
    case FrameKind.data: self = try reader.data()
    case FrameKind.grant:
      let (number, bytes) = try reader.twoNumbers()
      self = .grant(number, bytes)
    case FrameKind.close: self = try reader.close()
    case FrameKind.signal: self = .signal(try reader.signal())
    case FrameKind.hello: self = .hello(try LinkGreeting(&reader))
    case FrameKind.welcome: self = .welcome(try LinkGreeting(&reader))
    case FrameKind.refusal: self = .refusal(try reader.failure().1)
    case FrameKind.challenge: self = .challenge(try reader.bytes())
    case FrameKind.proof: self = .proof(try reader.bytes())
    case FrameKind.ping: self = .ping(try reader.number())
    case FrameKind.pong: self = .pong(try reader.number())
    case FrameKind.goodbye: self = .goodbye(try reader.namedNumber().name)
    default: self = .unknown(kind)
    }
  }
}

extension WireReader {
  fileprivate mutating func number() throws(GridError) -> UInt64 {
    var number: UInt64 = 0
    while let field = try next() {
      if field.number == 1 { number = field.integer }
    }
    return number
  }

  fileprivate mutating func bytes() throws(GridError) -> [UInt8] {
    var bytes: [UInt8] = []
    while let field = try next() {
      if field.number == 1 { bytes = field.array }
    }
    return bytes
  }

  fileprivate mutating func namedNumber() throws(GridError) -> (name: String, number: UInt64) {
    var name = ""
    var number: UInt64 = 0
    while let field = try next() {
      if field.number == 1 { name = try field.text() }
      if field.number == 2 { number = field.integer }
    }
    return (name, number)
  }

  fileprivate mutating func twoNumbers() throws(GridError) -> (UInt64, UInt64) {
    var numbers: (UInt64, UInt64) = (0, 0)
    while let field = try next() {
      if field.number == 1 { numbers.0 = field.integer }
      if field.number == 2 { numbers.1 = field.integer }
    }
    return numbers
  }

  fileprivate mutating func data() throws(GridError) -> LinkFrame {
    var number: UInt64 = 0
    var part: [UInt8] = []
    var hasMore = false
    while let field = try next() {
      switch field.number {
      case 1: number = field.integer
      case 2: part = field.array
      case 3: hasMore = field.integer != 0
      default: break
      }
    }
    return .data(number, part, hasMore: hasMore)
  }

  fileprivate mutating func signal() throws(GridError) -> LinkSignal {
    var sort: UInt64 = 0
    var address = ""
    var location = Location(node: "", incarnation: 0, epoch: 0, kind: "")
    while let field = try next() {
      switch field.number {
      case 1: sort = field.integer
      case 2: address = try field.text()
      case 3: location.node = try field.text()
      case 4: location.incarnation = field.signed
      case 5: location.epoch = field.signed
      case 6: location.kind = try field.text()
      default: break
      }
    }
    guard sort == LinkSignal.Sort.moved else { return .unknown }
    return .moved(address: address, to: location.node.isEmpty ? nil : location)
  }

  /// A failure, or what is one without its code.
  fileprivate mutating func close() throws(GridError) -> LinkFrame {
    let (number, error, hasCode) = try failureFields()
    return .close(number, hasCode ? error : nil)
  }

  fileprivate mutating func reply() throws(GridError) -> (UInt64, Message) {
    var correlation: UInt64 = 0
    var message = Message()
    while let field = try next() {
      if field.number == 1 { correlation = field.integer } else { try message.take(field) }
    }
    return (correlation, message)
  }

  fileprivate mutating func failure() throws(GridError) -> (UInt64, GridError) {
    let (correlation, error, _) = try failureFields()
    return (correlation, error)
  }

  private mutating func failureFields() throws(GridError) -> (UInt64, GridError, hasCode: Bool) {
    var correlation: UInt64 = 0
    var error = GridError(.failed, "")
    var hasCode = false
    while let field = try next() {
      switch field.number {
      case 1: correlation = field.integer
      case 2:
        let code = try field.text()
        hasCode = !code.isEmpty
        error.code = .named(code)
      case 3: error.message = try field.text()
      case 4: error.hint = try field.text()
      case 5: error.cause = try field.text()
      default: break
      }
    }
    return (correlation, error, hasCode)
  }
}

extension Message {
  /// What a frame of kind ``FrameKind/reply`` says, its length field not counted.
  static func reply(in bytes: UnsafeRawBufferPointer) throws(GridError) -> (correlation: UInt64, message: Message) {
    var reader = WireReader(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
    return try reader.reply()
  }

  fileprivate mutating func take(_ field: WireReader.Field) throws(GridError) {
    switch field.number {
    case 2: body = field.array
    case 3:
      switch field.integer {
      case 1: contentType = .text
      case 2: contentType = .json
      default: break
      }
    case 4:
      // None is not sent, and means nothing.
      let name = try field.text()
      if !name.isEmpty { contentType = .other(name) }
    case 5: type = try field.text()
    case 6:
      let (name, value) = try field.pair()
      headers.append(Header(name, value))
    default: break
    }
  }
}

extension MessageFrame {
  fileprivate init(decoding bytes: UnsafeRawBufferPointer) throws(GridError) {
    var envelope = Envelope(target: "", message: Message())
    var names = TextCache()
    let remaining = try envelope.readFields(bytes, names: &names)
    self.init(
      target: envelope.target, message: envelope.message, sender: envelope.sender, expectation: envelope.expectation,
      waitsForRoom: envelope.waitsForRoom, correlation: envelope.correlation, remainingMicroseconds: remaining)
  }
}

extension Envelope {
  /// Takes the fields of a frame of kind ``FrameKind/message``, its length field not counted.
  ///
  /// - Returns: how long an answer is wanted, in microseconds; 0 means without end.
  mutating func readFields(
    _ bytes: UnsafeRawBufferPointer, names: inout TextCache
  ) throws(GridError) -> UInt64 {
    var remainingMicroseconds: UInt64 = 0
    var reader = WireReader(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
    while let field = try reader.next() {
      switch field.number {
      case 1: correlation = field.integer
      case 8: target = try names.text(of: field)
      case 9: sender = try field.text()
      case 10: expectation = Expectation(rawValue: UInt8(clamping: field.integer)) ?? .nothing
      case 11: waitsForRoom = field.integer != 0
      case 12: remainingMicroseconds = field.integer
      default: try message.take(field)
      }
    }
    return remainingMicroseconds
  }
}

extension RequestFrame {
  fileprivate init(_ reader: inout WireReader) throws(GridError) {
    self.init(correlation: 0, verb: "", arguments: [], remainingMicroseconds: 0)
    while let field = try reader.next() {
      switch field.number {
      case 1: correlation = field.integer
      case 2: verb = try field.text()
      case 3: arguments = field.array
      case 4: remainingMicroseconds = field.integer
      case 5: credit = field.integer
      default: break
      }
    }
  }
}

extension LinkGreeting {
  fileprivate init(_ reader: inout WireReader) throws(GridError) {
    self.init(namespace: "", role: .client, name: "")
    major = 0
    minor = 0
    while let field = try reader.next() {
      switch field.number {
      case 1: major = field.integer
      case 2: minor = field.integer
      case 3: namespace = try field.text()
      case 4: role = Role(rawValue: field.integer) ?? .client
      case 5: name = try field.text()
      case 6: incarnation = field.signed
      case 7: address = try field.text()
      case 8: version = try field.text()
      case 9: nonce = field.array
      case 10: credential = Credential(rawValue: field.integer) ?? .secret
      case 11: token = try field.text()
      default: break
      }
    }
  }
}

/// The text decoded last, so that a run of messages for one target makes its name once.
struct TextCache {
  private var bytes: [UInt8] = []
  private var text = ""

  mutating func text(of field: WireReader.Field) throws(GridError) -> String {
    guard case .bytes(let raw) = field.value, !raw.isEmpty else { return "" }
    if raw.count == bytes.count, bytes.withUnsafeBytes({ $0.elementsEqual(raw) }) { return text }
    text = try field.text()
    bytes = Array(raw)
    return text
  }
}
