/// Finds its way through JSON text and makes no values of it: where its members and elements lie. Pure; never traps.
///
/// As strict as ``JSONValue/init(parsing:)-([UInt8])`` but for what only values show: keys that come twice, halves of
/// surrogate pairs, and bytes that are not UTF-8.
package struct JSONScanner {
  package let bytes: [UInt8]
  /// The byte that is looked at next.
  package private(set) var at: Int
  /// Whether something but printable ASCII, or an escape, has been passed since it was last set to false.
  package var sawOther = false

  package init(_ bytes: [UInt8], at: Int = 0) {
    self.bytes = bytes
    self.at = at
  }

  /// Calls `body` for each member of the object that begins here, with the bytes of its key between the quotes; `body`
  /// passes over the value, and nothing else.
  package mutating func members(
    _ body: (inout JSONScanner, _ key: Range<Int>) throws(GridError) -> Void
  ) throws(GridError) {
    try expect("{")
    skipSpace()
    if take("}") { return }
    while true {
      skipSpace()
      let key = try skipText()
      skipSpace()
      try expect(":")
      skipSpace()
      try body(&self, key)
      skipSpace()
      if take("}") { return }
      try expect(",")
    }
  }

  /// Calls `body` for each element of the array that begins here, with the scanner in front of it.
  package mutating func elements(_ body: (inout JSONScanner) throws(GridError) -> Void) throws(GridError) {
    try expect("[")
    skipSpace()
    if take("]") { return }
    while true {
      skipSpace()
      try body(&self)
      skipSpace()
      if take("]") { return }
      try expect(",")
    }
  }

  /// Passes over the text that begins here; returns the bytes between its quotes, escapes as they stand there.
  package mutating func skipText() throws(GridError) -> Range<Int> {
    try expect("\"")
    let start = at
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == UInt8(ascii: "\"") { return start..<at - 1 }
      if byte == UInt8(ascii: "\\") {
        try skipEscape()
      } else if byte < 0x20 {
        throw fault("control character in text")
      } else if byte >= 0x7F {
        sawOther = true
      }
    }
    throw fault("text without an end")
  }

  /// Passes over the value that begins here; returns its bytes.
  @discardableResult
  package mutating func skipValue(depth: Int = 0) throws(GridError) -> Range<Int> {
    let start = at
    guard at < bytes.count else { throw fault("unexpected end") }
    if depth >= JSONValue.maximumDepth, bytes[at] == UInt8(ascii: "{") || bytes[at] == UInt8(ascii: "[") {
      throw fault("nested too deeply")
    }
    switch bytes[at] {
    case UInt8(ascii: "{"):
      try members { scanner, _ throws(GridError) in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["):
      try elements { scanner throws(GridError) in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""): _ = try skipText()
    case UInt8(ascii: "t"): try skipWord("true")
    case UInt8(ascii: "f"): try skipWord("false")
    case UInt8(ascii: "n"): try skipWord("null")
    default: try skipNumber()
    }
    return start..<at
  }

  /// Passes over white space, and nothing may follow.
  package mutating func end() throws(GridError) {
    skipSpace()
    if at < bytes.count { throw fault("unexpected text after the value") }
  }

  /// Whether these are the bytes of the text.
  package func has(_ text: StaticString, in range: Range<Int>) -> Bool {
    guard text.utf8CodeUnitCount == range.count else { return false }
    return text.withUTF8Buffer { bytes[range].elementsEqual($0) }
  }

  private mutating func skipEscape() throws(GridError) {
    guard at < bytes.count else { throw fault("unexpected end") }
    let byte = bytes[at]
    at += 1
    // It stands for something else than its bytes.
    sawOther = true
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      break
    case UInt8(ascii: "u"):
      // Whether two of them are one character is for whoever makes a value of it.
      for _ in 0..<4 {
        guard at < bytes.count, bytes[at] < 0x80, Character(UnicodeScalar(bytes[at])).isHexDigit else {
          throw fault("expected four hexadecimal digits")
        }
        at += 1
      }
    default: throw fault("unknown escape")
    }
  }

  private mutating func skipNumber() throws(GridError) {
    _ = take("-")
    let start = at
    let whole = skipDigits()
    guard whole > 0, whole == 1 || bytes[start] != UInt8(ascii: "0") else { throw fault("unexpected character") }
    if take("."), skipDigits() == 0 { throw fault("bad number") }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      if skipDigits() == 0 { throw fault("bad number") }
    }
  }

  private mutating func skipDigits() -> Int {
    let start = at
    while at < bytes.count, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") { at += 1 }
    return at - start
  }

  private mutating func skipWord(_ word: StaticString) throws(GridError) {
    let end = min(bytes.count, at + word.utf8CodeUnitCount)
    guard has(word, in: at..<end) else { throw fault("unexpected word") }
    at = end
  }

  package mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20: break
      case 0x09, 0x0A, 0x0D: sawOther = true
      default: return
      }
      at += 1
    }
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(GridError) {
    if !take(character) { throw fault("expected \(character)") }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private func fault(_ what: String) -> GridError { GridError(.undecodable, "not JSON: \(what) at byte \(at)") }
}
