internal import GridCore

extension LinkFrame {
  /// The largest frame, length field not counted.
  package static let maximumBytes = 16 * 1024 * 1024
  /// The largest frame before the handshake is done.
  package static let maximumGreetingBytes = 16 * 1024
  /// The most bytes of what an item or request carries.
  package static let maximumPayloadBytes = maximumBytes - overhead

  /// Tags, lengths and numbers of a frame take less.
  private static let overhead = 128
  /// Texts for people are cut where they are longer.
  private static let longestText = 64 * 1024
  /// As long a text as a refusal has room for, before the greeting is done.
  private static let longestRefusalText = 4 * 1024

  /// Why a message does not fit into a frame, or nil when it does. A frame that is too large would cost the connection,
  /// and with it everybody else's exchanges.
  static func oversize(_ message: Message, names: Int = 0) -> GridError? {
    if let error = message.oversize { return error }
    let size = message.body.count + message.extraBytes + names + overhead
    guard size > maximumBytes else { return nil }
    return GridError(
      .undecodable, "a message of \(size) bytes does not fit into a frame",
      hint: "a body has \(Message.maximumBodyBytes) bytes at most")
  }

  /// The frame as it may be sent, or nil when it would be too large for every peer.
  ///
  /// Texts for people are cut, and a reply that does not fit becomes a failure that says so.
  var fitted: LinkFrame? {
    switch self {
    case .ping, .pong, .accepted, .cancel, .grant, .hello, .welcome, .challenge, .proof, .unknown: return self
    case .refusal(let error): return .refusal(error.shortened(toBytes: Self.longestRefusalText))
    case .goodbye(let reason): return .goodbye(reason.shortened(toBytes: Self.longestText))
    case .failure(let number, let error): return .failure(number, error.shortened(toBytes: Self.longestText))
    case .reply(let number, let message): return Self.oversize(message).map { .failure(number, $0) } ?? self
    case .message(let frame):
      let names = frame.target.utf8.count + frame.sender.utf8.count
      return Self.oversize(frame.message, names: names) == nil ? self : nil
    case .credit(let target, _): return target.utf8.count > Self.maximumPayloadBytes ? nil : self
    case .request(let frame):
      return frame.arguments.count + frame.verb.utf8.count > Self.maximumPayloadBytes ? nil : self
    case .data(_, let part, _): return part.count > Self.maximumPayloadBytes ? nil : self
    case .signal(.unknown): return self
    case .signal(.moved(let address, let location)):
      let names = address.utf8.count + (location.map { $0.node.utf8.count + $0.kind.utf8.count } ?? 0)
      return names > Self.maximumPayloadBytes ? nil : self
    case .close(let number, let error): return .close(number, error?.shortened(toBytes: Self.longestText))
    }
  }
}

extension GridError {
  fileprivate func shortened(toBytes count: Int) -> GridError {
    GridError(
      code, message.shortened(toBytes: count), hint: hint?.shortened(toBytes: count),
      cause: cause?.shortened(toBytes: count))
  }
}
