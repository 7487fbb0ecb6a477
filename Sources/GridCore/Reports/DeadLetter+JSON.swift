extension DeadLetter {
  /// The contract form: `id at reason target sender node type contentType body bodyEncoding`, and what the log adds.
  public var json: JSONValue {
    let text = message.body.contains(0) ? nil : String(validating: message.body, as: UTF8.self)
    return [
      "id": .string(identifier), "at": .string(at.rfc3339), "atMilliseconds": .integer(at.millisecondsSince1970),
      "reason": .string(reason.rawValue), "target": .string(target), "sender": .string(sender),
      "node": .string(node), "type": .string(message.type), "contentType": .string(message.contentType.name),
      "body": .string(text ?? Base64.encoded(message.body)), "bodyEncoding": .string(text == nil ? "base64" : "utf8"),
      "headers": .array(message.headers.map { ["name": .string($0.name), "value": .string($0.value)] }),
      "count": .integer(Int64(count)), "detail": .string(detail),
      "replayedAs": replayedAs.isEmpty ? .null : .string(replayedAs),
    ]
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing or the body is not base 64.
  public init(json: JSONValue) throws(GridError) {
    guard let identifier = json["id"]?.stringValue, let body = json["body"]?.stringValue,
      let reason = Reason(rawValue: json["reason"]?.stringValue ?? "")
    else { throw GridError(.undecodable, "a dead letter lacks id, body or reason") }
    func text(_ field: String) -> String { json[field]?.stringValue ?? "" }
    let isBase64 = text("bodyEncoding") == "base64"
    guard let bytes = isBase64 ? Base64.decoded(body) : Array(body.utf8) else {
      throw GridError(.undecodable, "the body of dead letter \(identifier) is not base 64")
    }
    self.init(
      identifier: identifier,
      at: CalendarTime(millisecondsSince1970: json["atMilliseconds"]?.integerValue ?? 0), reason: reason,
      target: text("target"), sender: text("sender"), node: text("node"),
      message: Message(
        body: bytes, contentType: ContentType(name: text("contentType")), type: text("type"),
        headers: (json["headers"]?.arrayValue ?? []).compactMap { header in
          guard let name = header["name"]?.stringValue, let value = header["value"]?.stringValue else { return nil }
          return Message.Header(name, value)
        }),
      count: Int(clamping: json["count"]?.integerValue ?? 1), detail: text("detail"), replayedAs: text("replayedAs"))
  }
}

/// Base 64 (RFC 4648 §4). The core's own, since nothing below the node brings Foundation in.
public enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The value of each symbol by its byte; 255 for bytes that are none.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, symbol) in alphabet.enumerated() { values[Int(symbol)] = UInt8(value) }
    return values
  }()

  public static func encoded(_ bytes: [UInt8]) -> String {
    var output: [UInt8] = []
    output.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
      for index in 0..<4 {
        output.append(
          index <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// The bytes, or nil when `text` is not base 64 with its padding.
  public static func decoded(_ text: String) -> [UInt8]? {
    let symbols = Array(text.utf8)
    guard symbols.count.isMultiple(of: 4) else { return nil }
    let padding = symbols.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard padding <= 2 else { return nil }
    var output: [UInt8] = []
    var bits: UInt32 = 0
    for (index, symbol) in symbols.dropLast(padding).enumerated() {
      let value = values[Int(symbol)]
      guard value != 255 else { return nil }
      bits = bits << 6 | UInt32(value)
      if index % 4 != 0 { output.append(UInt8(truncatingIfNeeded: bits >> UInt32(6 - 2 * (index % 4)))) }
    }
    return output
  }
}
