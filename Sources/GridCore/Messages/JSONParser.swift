/// A strict JSON parser: UTF-8 only, bounded depth, no duplicate keys. Never traps, whatever the bytes.
struct JSONParser {
  private let bytes: [UInt8]
  private var at = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func parseDocument() throws(GridError) -> JSONValue {
    let value = try parseValue(depth: 0)
    skipSpace()
    if at < bytes.count { throw fault("unexpected text after the value") }
    return value
  }

  private mutating func parseValue(depth: Int) throws(GridError) -> JSONValue {
    skipSpace()
    guard let byte = peek else { throw fault("unexpected end") }
    if depth >= JSONValue.maximumDepth, byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
      throw fault("nested too deeply")
    }
    switch byte {
    case UInt8(ascii: "{"): return try parseObject(depth: depth)
    case UInt8(ascii: "["): return try parseArray(depth: depth)
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
    default: throw fault("unexpected character")
    }
  }

  private mutating func parseObject(depth: Int) throws(GridError) -> JSONValue {
    at += 1
    var members: [String: JSONValue] = [:]
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw fault("expected a key in quotes") }
      let key = try parseString()
      skipSpace()
      guard take(":") else { throw fault("expected ':'") }
      guard members.updateValue(try parseValue(depth: depth + 1), forKey: key) == nil else {
        throw fault("duplicate key")
      }
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw fault("expected ',' or '}'") }
    }
  }

  private mutating func parseArray(depth: Int) throws(GridError) -> JSONValue {
    at += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(elements) }
    while true {
      elements.append(try parseValue(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(elements) }
      guard take(",") else { throw fault("expected ',' or ']'") }
    }
  }

  private mutating func parseString() throws(GridError) -> String {
    at += 1
    var text: [UInt8] = []
    while let byte = peek {
      at += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else { throw fault("text is not UTF-8") }
        return string
      case UInt8(ascii: "\\"): try parseEscape(into: &text)
      case 0..<0x20: throw fault("control character in text")
      default: text.append(byte)
      }
    }
    throw fault("text without an end")
  }

  private mutating func parseEscape(into text: inout [UInt8]) throws(GridError) {
    guard let byte = peek else { throw fault("unexpected end") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): try parseUnicode(into: &text)
    default: throw fault("unknown escape")
    }
  }

  private mutating func parseUnicode(into text: inout [UInt8]) throws(GridError) {
    var unit = try parseHexadecimal()
    if (0xD800..<0xDC00).contains(unit) {
      guard take("\\"), take("u") else { throw fault("half a surrogate pair") }
      let low = try parseHexadecimal()
      guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
      unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = UnicodeScalar(unit) else { throw fault("half a surrogate pair") }
    text.append(contentsOf: String(scalar).utf8)
  }

  private mutating func parseHexadecimal() throws(GridError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
        throw fault("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }

  private mutating func parseNumber() throws(GridError) -> JSONValue {
    let start = at
    _ = take("-")
    let whole = digits()
    guard whole > 0, whole == 1 || bytes[at - whole] != UInt8(ascii: "0") else { throw fault("bad number") }
    var exact = true
    if take(".") {
      exact = false
      guard digits() > 0 else { throw fault("bad number") }
    }
    if take("e") || take("E") {
      exact = false
      if !take("+") { _ = take("-") }
      guard digits() > 0 else { throw fault("bad number") }
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if exact, let value = Int64(text), text != "-0" { return .integer(value) }
    guard let value = Double(text), JSONWriter.text(value) == text else { return .decimal(text) }
    return .number(value)
  }

  private mutating func digits() -> Int {
    let start = at
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
    return at - start
  }

  private mutating func parseWord(_ word: String, _ value: JSONValue) throws(GridError) -> JSONValue {
    guard bytes[at...].starts(with: word.utf8) else { throw fault("unexpected word") }
    at += word.utf8.count
    return value
  }

  private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) && byte != 0x0B && byte != 0x0C { at += 1 }
  }

  private func fault(_ what: String) -> GridError { GridError(.undecodable, "not JSON: \(what) at byte \(at)") }
}
