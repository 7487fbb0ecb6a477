extension DeadLetter {
  /// The contract form: `id at reason target sender node type contentType body bodyEncoding bodyBytes`, and what the
  /// log adds; of a body that is not whole `bodyIsCut`, of one that is not there `bodyLeftOut`.
  package var json: JSONValue {
    let shown = isBodyCut ? Self.wholeCharacters(message.body) : message.body
    let text = shown.contains(0) ? nil : String(validating: shown, as: UTF8.self)
    let json: JSONValue = [
      "id": .string(identifier), "at": .string(at.rfc3339), "atMilliseconds": .integer(at.millisecondsSince1970),
      "reason": .string(reason.rawValue), "target": .string(target), "sender": .string(sender),
      "node": .string(node), "type": .string(message.type), "contentType": .string(message.contentType.name),
      "body": .string(text ?? Base64.encoded(shown)), "bodyEncoding": .string(text == nil ? "base64" : "utf8"),
      "bodyBytes": .integer(Int64(bodyBytes)),
      "headers": .array(message.headers.map { ["name": .string($0.name), "value": .string($0.value)] }),
      "count": .integer(Int64(count)), "detail": .string(detail),
      "replayedAs": replayedAs.isEmpty ? .null : .string(replayedAs),
    ]
    guard isBodyCut else { return json }
    return json.with(message.body.isEmpty ? "bodyLeftOut" : "bodyIsCut", true)
  }

  /// The bytes without a character of UTF-8 that is cut at their end; all of them when there is none.
  private static func wholeCharacters(_ bytes: [UInt8]) -> [UInt8] {
    for cut in 0..<min(4, bytes.count) {
      let shown = bytes.dropLast(cut)
      if String(validating: shown, as: UTF8.self) != nil { return Array(shown) }
    }
    return bytes
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing or the body is not base 64.
  package init(json: JSONValue) throws(GridError) {
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
      bodyBytes: json["bodyBytes"]?.integerValue.map { max(bytes.count, Int(clamping: $0)) },
      count: Int(clamping: json["count"]?.integerValue ?? 1), detail: text("detail"), replayedAs: text("replayedAs"))
  }
}

/// Base 64 (RFC 4648 §4). The core's own, since nothing below the node brings Foundation in.
package enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The value of each symbol by its byte; 255 for bytes that are none.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, symbol) in alphabet.enumerated() { values[Int(symbol)] = UInt8(value) }
    return values
  }()

  // Over memory rather than collections: bodies have millions of bytes.

  package static func encoded(_ bytes: [UInt8]) -> String {
    String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { output in
      bytes.withUnsafeBufferPointer { input in
        alphabet.withUnsafeBufferPointer { symbols in
          var (from, to) = (0, 0)
          while from < input.count {
            let rest = input.count - from
            let second = rest > 1 ? UInt32(input[from + 1]) : 0
            let third = rest > 2 ? UInt32(input[from + 2]) : 0
            let bits = UInt32(input[from]) << 16 | second << 8 | third
            output[to] = symbols[Int(bits >> 18)]
            output[to + 1] = symbols[Int(bits >> 12 & 63)]
            output[to + 2] = rest > 1 ? symbols[Int(bits >> 6 & 63)] : padding
            output[to + 3] = rest > 2 ? symbols[Int(bits & 63)] : padding
            from += 3
            to += 4
          }
          return to
        }
      }
    }
  }

  private static let padding = UInt8(ascii: "=")

  /// The bytes, or nil when `text` is not base 64 with its padding.
  package static func decoded(_ text: String) -> [UInt8]? {
    var text = text
    return text.withUTF8 { symbols -> [UInt8]? in
      guard symbols.count.isMultiple(of: 4) else { return nil }
      var end = symbols.count
      while end > 0, end > symbols.count - 3, symbols[end - 1] == padding { end -= 1 }
      guard symbols.count - end <= 2 else { return nil }
      var isSound = true
      let output = [UInt8](unsafeUninitializedCapacity: symbols.count / 4 * 3) { output, count in
        values.withUnsafeBufferPointer { values in
          var bits: UInt32 = 0
          for place in 0..<end {
            let value = values[Int(symbols[place])]
            if value == 255 {
              isSound = false
              return
            }
            bits = bits << 6 | UInt32(value)
            let phase = place & 3
            if phase > 0 {
              output[count] = UInt8(truncatingIfNeeded: bits >> UInt32(6 - 2 * phase))
              count += 1
            }
          }
        }
      }
      return isSound ? output : nil
    }
  }
}
