extension JSONValue {
  /// At most so many bytes the compact form has: exact for text, a little more for numbers.
  package var serializedBytes: Int {
    switch self {
    case .null, .bool: 5
    case .integer, .number: 24
    case .decimal(let text): text.utf8.count
    case .string(let text): Self.bytes(of: text)
    case .array(let elements): elements.reduce(2) { $0 + $1.serializedBytes + 1 }
    case .object(let members): members.reduce(2) { $0 + Self.bytes(of: $1.key) + $1.value.serializedBytes + 2 }
    }
  }

  private static func bytes(of text: String) -> Int {
    text.utf8.reduce(2) { sum, byte in
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x0A, 0x0D, 0x09: sum + 2
      case 0..<0x20, 0x7F: sum + 6
      default: sum + 1
      }
    }
  }

  /// Texts are shortened to so many bytes in what does not fit otherwise.
  private static let shortText = 1024

  /// The compact form in at most `limit` bytes, or nil when it cannot be made to fit.
  ///
  /// What does not fit loses its `body`, with its size in `bodyBytes` and `bodyLeftOut` in its place; where that is not
  /// enough every longer text is shortened as well, and `isCut` says so.
  package func serialized(within limit: Int) -> [UInt8]? {
    guard serializedBytes > limit else { return serialized() }
    var cut = withoutBody
    if cut.serializedBytes > limit {
      cut = cut.shortened
      if cut.objectValue != nil { cut = cut.with("isCut", true) }
    }
    return cut.serializedBytes > limit ? nil : cut.serialized()
  }

  /// The object with the size of its body in the body's place.
  package var withoutBody: JSONValue {
    guard let body = self["body"]?.stringValue else { return self }
    let counted = Int64(Self.size(body, self["bodyEncoding"]?.stringValue))
    let size = self["bodyBytes"]?.integerValue ?? counted
    return with("body", "").with("bodyBytes", .integer(size)).with("bodyLeftOut", true)
  }

  /// How many bytes a body is that stands in JSON.
  private static func size(_ text: String, _ encoding: String?) -> Int {
    guard encoding == "base64" else { return text.utf8.count }
    return text.utf8.count / 4 * 3 - text.utf8.suffix(2).count { $0 == UInt8(ascii: "=") }
  }

  private var shortened: JSONValue {
    switch self {
    case .string(let text): .string(text.shortened(toBytes: Self.shortText))
    case .array(let elements): .array(elements.map(\.shortened))
    case .object(let members): .object(members.mapValues(\.shortened))
    default: self
    }
  }
}

extension String {
  /// The text itself, or its beginning and an ellipsis in `count` bytes at most.
  package func shortened(toBytes count: Int) -> String {
    guard utf8.count > count else { return self }
    var end = utf8.index(startIndex, offsetBy: Swift.max(0, count - 3))
    while end > startIndex, UTF8.isContinuation(utf8[end]) { end = utf8.index(before: end) }
    return String(self[..<end]) + "…"
  }
}
