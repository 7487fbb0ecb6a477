/// A key that was pressed on a terminal.
enum TerminalKey: Equatable, Sendable {
  case character(Character)
  case up, down, pageUp, pageDown, home, end
  case left, right
  case enter, escape, backspace
  /// Ctrl-C, Ctrl-Z, Ctrl-D and Ctrl-L, which a raw terminal passes on.
  case interrupt, suspend, endOfInput, redraw
}

/// Reads keys from what a terminal sends. Pure.
///
/// An escape that ends what was read is the key itself: sequences come in one piece, from people as from programs.
struct TerminalKeyDecoder {
  private var rest: [UInt8] = []

  /// The longest start of a sequence that is waited for.
  private static let longest = 16

  mutating func take(_ bytes: some Sequence<UInt8>) -> [TerminalKey] {
    rest += bytes
    var keys: [TerminalKey] = []
    while let (key, length) = next() {
      rest.removeFirst(length)
      if let key { keys.append(key) }
    }
    if rest.count > Self.longest { rest = [] }
    return keys
  }

  /// The next key, nil for a sequence that means nothing here, and how many bytes it has; nil where more must come.
  private func next() -> (TerminalKey?, length: Int)? {
    guard let first = rest.first else { return nil }
    switch first {
    case 0x1B: return sequence()
    case 0x03: return (.interrupt, 1)
    case 0x04: return (.endOfInput, 1)
    case 0x08, 0x7F: return (.backspace, 1)
    case 0x0A, 0x0D: return (.enter, 1)
    case 0x0C: return (.redraw, 1)
    case 0x1A: return (.suspend, 1)
    case 0x00..<0x20: return (nil, 1)
    default: return character(first)
    }
  }

  private func character(_ first: UInt8) -> (TerminalKey?, length: Int)? {
    let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
    guard rest.count >= length else { return nil }
    let text = String(validating: rest[..<length], as: UTF8.self)
    return (text?.first.map { .character($0) }, text == nil ? 1 : length)
  }

  private func sequence() -> (TerminalKey?, length: Int)? {
    guard rest.count > 1 else { return (.escape, 1) }
    guard rest[1] == UInt8(ascii: "[") || rest[1] == UInt8(ascii: "O") else { return (.escape, 1) }
    guard let end = rest.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
      return rest.count > Self.longest ? (nil, rest.count) : nil
    }
    let body = String(decoding: rest[2..<end], as: UTF8.self)
    let key: TerminalKey? =
      switch (rest[end], body) {
      case (UInt8(ascii: "A"), _): .up
      case (UInt8(ascii: "B"), _): .down
      case (UInt8(ascii: "C"), _): .right
      case (UInt8(ascii: "D"), _): .left
      case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): .home
      case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): .end
      case (UInt8(ascii: "~"), "5"): .pageUp
      case (UInt8(ascii: "~"), "6"): .pageDown
      default: nil
      }
    return (key, end + 1)
  }
}
