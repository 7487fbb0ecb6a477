/// Text on its way to a terminal: what it may contain, and how much room it takes.
enum TerminalText {
  /// The text with everything escaped that a terminal acts on or that hides what stands there: control characters,
  /// line separators, marks that turn the direction of writing. Text of others can so never drive the terminal.
  static func printable(_ text: String) -> String {
    guard !isHarmlessASCII(text) else { return text }
    return escaped(text, isUnsafe)
  }

  /// A text of several lines as a terminal may have it: its line feeds and tabs stay what they are, everything else is
  /// as in ``printable(_:)``.
  static func lines(_ text: String) -> String {
    guard !isHarmlessASCII(text) else { return text }
    return escaped(text) { $0 != "\n" && $0 != "\t" && isUnsafe($0) }
  }

  /// Bytes of others as a terminal may have them: as ``lines(_:)``, with what is no UTF-8 as `\xff`.
  static func lines(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return lines(text) }
    var result = ""
    var valid: [UInt8] = []
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    loop: while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let scalar):
        valid += scalar
        offset += scalar.count
      case .error(let length):
        result += lines(String(decoding: valid, as: UTF8.self))
        valid = []
        for byte in bytes[offset..<min(offset + length, bytes.count)] {
          result += "\\x" + hexadecimal(UInt32(byte), digits: 2)
        }
        offset += length
      case .emptyInput: break loop
      }
    }
    return result + lines(String(decoding: valid, as: UTF8.self))
  }

  /// A cell of `-o tsv`: the tab, the line feed, the carriage return and the backslash as `\t`, `\n`, `\r` and `\\`,
  /// other control characters as in ``printable(_:)``. One value is one cell on one line, and can be read back.
  static func tabSeparated(_ text: String) -> String {
    if isHarmlessASCII(text), !text.utf8.contains(UInt8(ascii: "\\")) { return text }
    return escaped(text) { $0 == "\\" || isUnsafe($0) }
  }

  /// JSON text with the characters escaped that JSON allows and a terminal may act on: C1 controls, marks of
  /// direction, line separators. In JSON they can stand inside strings only, so that replacing them keeps the value.
  static func json(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 >= 0x7F }) else { return text }
    return replaced(text, isUnsafeInJSON) { scalar in
      scalar.utf16.reduce(into: "") { $0 += "\\u" + hexadecimal(UInt32($1), digits: 4) }
    }
  }

  /// Whether a character must not stand as it is where text of others is shown; `printable` escapes these, and joiners
  /// where they hide.
  static func isUnsafe(_ scalar: UnicodeScalar) -> Bool {
    if scalar.value < 0x20 { return true }
    if scalar.value < 0x7F { return false }
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return true
    // The joiners stay where they belong: emoji and several scripts are written with them.
    case .format: return !isJoiner(scalar)
    // What takes no room though it is no mark on another: fillers.
    case .otherLetter: return scalar.properties.isDefaultIgnorableCodePoint
    default: return false
    }
  }

  /// Terminal cells a printable text takes: two for East Asian wide characters and emoji, none for combining marks.
  /// An approximation: terminals differ.
  static func width(_ text: String) -> Int {
    if isHarmlessASCII(text) { return text.utf8.count }
    return text.reduce(0) { $0 + width(of: $1) }
  }

  /// The start of a printable text that takes at most `limit` cells, with `…` at its end when something is missing.
  static func truncated(_ text: String, to limit: Int) -> String {
    guard width(text) > limit else { return text }
    guard limit > 0 else { return "" }
    var result = ""
    var used = 0
    for character in text {
      used += width(of: character)
      if used > limit - 1 { break }
      result.append(character)
    }
    return result + "…"
  }

  /// A printable text in at most `limit` cells, with `…` in place of its middle when something is missing. More of its
  /// end is kept, where names that were made one after the other differ.
  static func shortened(_ text: String, to limit: Int) -> String {
    guard width(text) > limit else { return text }
    guard limit > 2 else { return truncated(text, to: limit) }
    let room = limit - 1
    let start = prefix(text, room * 2 / 5)
    let end = String(prefix(text.reversed(), room - width(start)).reversed())
    return start + "…" + end
  }

  /// As many characters from the start as take at most `limit` cells.
  static func prefix(_ characters: some Sequence<Character>, _ limit: Int) -> String {
    var result = ""
    var used = 0
    for character in characters {
      used += width(of: character)
      if used > limit { break }
      result.append(character)
    }
    return result
  }

  /// The digits of a number, with zeros before them.
  static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  // Printable ASCII is nearly all there is, and needs no look at the properties of characters.
  private static func isHarmlessASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }

  private static func escaped(_ text: String, _ needsEscape: (UnicodeScalar) -> Bool) -> String {
    replaced(text, needsEscape) { $0.escaped(asASCII: true) }
  }

  /// Also replaces joiners that have ASCII at a side: between those they join nothing, and two names that look the same
  /// are not.
  static func replaced(
    _ text: String, _ needsEscape: (UnicodeScalar) -> Bool, _ escape: (UnicodeScalar) -> String
  ) -> String {
    let scalars = text.unicodeScalars
    guard scalars.contains(where: { needsEscape($0) || isJoiner($0) }) else { return text }
    var result = ""
    var last: UnicodeScalar = " "
    for index in scalars.indices {
      let scalar = scalars[index]
      let after = scalars.index(after: index)
      let next = after < scalars.endIndex ? scalars[after] : " "
      if needsEscape(scalar) || isJoiner(scalar) && (last.isASCII || next.isASCII) {
        result += escape(scalar)
      } else {
        result.unicodeScalars.append(scalar)
      }
      last = scalar
    }
    return result
  }

  private static func isJoiner(_ scalar: UnicodeScalar) -> Bool { scalar.value == 0x200C || scalar.value == 0x200D }

  private static func isUnsafeInJSON(_ scalar: UnicodeScalar) -> Bool { scalar.value >= 0x7F && isUnsafe(scalar) }

  private static func width(of character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    if first.isASCII, character.unicodeScalars.count == 1 { return 1 }
    // U+FE0F asks for the coloured, wide form of a character that has both.
    if character.unicodeScalars.contains("\u{FE0F}") { return 2 }
    switch first.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return first.properties.isEmojiPresentation || isWide(first.value) ? 2 : 1
    }
  }

  /// East Asian wide and full-width blocks (UAX #11), without their holes.
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF,
      0x1F200...0x1F2FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }
}
