/// What stands in an array of TOML in the place of a value and is none: a closing brace, or a line break of Unicode.
/// Pure.
///
/// The parser (toml++) answers these with an assertion, which ends the process, where every other fault is an error.
/// So they are looked for before it sees the text. Up to the first one strings and comments are read as it reads them;
/// what it refuses before that it refuses by itself.
enum ArrayFault {
  /// The number of the line with the first one, nil when there is none.
  static func line(in text: String) -> Int? {
    let bytes = Array(text.utf8)
    var line = 1
    var index = 0
    // Whether what is open is an array, from the outermost.
    var open: [Bool] = []
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\n"): line += 1
      case UInt8(ascii: "#"):
        index = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        let end = endOfString(bytes, from: index)
        line += bytes[index..<end].count { $0 == UInt8(ascii: "\n") }
        index = end
        continue
      case UInt8(ascii: "["): open.append(true)
      case UInt8(ascii: "{"): open.append(false)
      case UInt8(ascii: "]"): _ = open.popLast()
      case UInt8(ascii: "}"):
        if open.popLast() == true { return line }
      default:
        let rest = bytes[index...]
        if open.last == true, lineBreaks.contains(where: { rest.starts(with: $0) }) { return line }
      }
      index += 1
    }
    return nil
  }

  /// Next line, line separator and paragraph separator.
  private static let lineBreaks: [[UInt8]] = [[0xC2, 0x85], [0xE2, 0x80, 0xA8], [0xE2, 0x80, 0xA9]]

  /// The index behind the string that begins at `start`. One of one line ends with it.
  private static func endOfString(_ bytes: [UInt8], from start: Int) -> Int {
    let quote = bytes[start]
    let hasEscapes = quote == UInt8(ascii: "\"")
    let isLong = bytes[start...].starts(with: [quote, quote, quote])
    var index = start + (isLong ? 3 : 1)
    while index < bytes.count {
      if hasEscapes, bytes[index] == UInt8(ascii: "\\") {
        index += 2
      } else if !isLong, bytes[index] == quote {
        return index + 1
      } else if !isLong, bytes[index] == UInt8(ascii: "\n") {
        return index
      } else if isLong, bytes[index...].starts(with: [quote, quote, quote]) {
        // Up to two quotes may stand before the three that end it.
        return index + min(5, bytes[index...].prefix { $0 == quote }.count)
      } else {
        index += 1
      }
    }
    return bytes.count
  }
}
