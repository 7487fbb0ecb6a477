/// How much may stand beside a body, so that nobody makes others copy, keep and show what nobody reads.
package enum MessageLimits {
  /// Bytes of a type, a media type, a target and a sender each: they are compared, logged and shown. The longest name
  /// of an actor has 128 bytes, the longest registered media type 255.
  package static let nameBytes = 1024
  /// Headers: each is looked through by who looks for one.
  package static let headers = 256
  /// Bytes of all headers together, names and values: they are copied into every dead letter and every trace.
  package static let headerBytes = 64 * 1024

  /// Why a name is too long; nil when it is not.
  static func excess(_ what: String, _ name: String) -> GridError? {
    let count = name.utf8.count
    guard count > nameBytes else { return nil }
    return GridError(.undecodable, "\(what) of \(count) bytes is too long: \(nameBytes) are allowed")
  }
}

extension Message {
  /// Why what stands beside its body is too much; nil when it is not, which costs nothing where there is nothing.
  var excess: GridError? {
    guard extraBytes > 0 else { return nil }
    if let error = MessageLimits.excess("a type", type) { return error }
    if let error = MessageLimits.excess("a content type", contentType.name) { return error }
    guard headers.count <= MessageLimits.headers else {
      return GridError(
        .undecodable, "\(headers.count) headers are too many: \(MessageLimits.headers) are allowed",
        hint: "put what belongs together into the body")
    }
    let bytes = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    guard bytes > MessageLimits.headerBytes else { return nil }
    return GridError(
      .undecodable, "headers of \(bytes) bytes are too large: \(MessageLimits.headerBytes) are allowed",
      hint: "put them into the body")
  }
}

extension Envelope {
  /// Why what stands beside its body is too much; nil when it is not.
  package var excess: GridError? {
    MessageLimits.excess("a target", target) ?? MessageLimits.excess("a sender", sender) ?? message.excess
  }

  /// What may be kept and shown of one that has too much.
  package var withinLimits: Envelope {
    var kept = self
    kept.target = target.shortened(toBytes: MessageLimits.nameBytes)
    kept.sender = sender.shortened(toBytes: MessageLimits.nameBytes)
    if message.excess != nil { kept.message = Message(body: message.body) }
    return kept
  }
}
