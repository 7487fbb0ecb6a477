/// How deep names and brackets of a configuration file may lie in one another. Pure.
///
/// Parsers take them one in another, by recursion or by looking at all before each: a line of a hundred thousand points
/// would keep them busy for minutes. Looked for in one pass before they see the text.
enum NestingLimit {
  static let deepest = 32

  /// The number of the first line with more, nil when there is none.
  ///
  /// Points and brackets in quotes and comments are none; of a quote over several lines each line is looked at by
  /// itself, which at worst refuses a text that nobody writes.
  static func lineBeyond(in text: String) -> Int? {
    var line = 1
    var points = 0
    var brackets = 0
    var quote: UInt8?
    var isEscaped = false
    var isComment = false
    for byte in text.utf8 {
      if byte == UInt8(ascii: "\n") {
        line += 1
        (points, quote, isEscaped, isComment) = (0, nil, false, false)
        continue
      }
      if isComment { continue }
      if let open = quote {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\"), open == UInt8(ascii: "\"") {
          isEscaped = true
        } else if byte == open {
          quote = nil
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = byte
      case UInt8(ascii: "#"): isComment = true
      case UInt8(ascii: "."): points += 1
      case UInt8(ascii: "["), UInt8(ascii: "{"): brackets += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): brackets = max(0, brackets - 1)
      default: break
      }
      if points > deepest || brackets > deepest { return line }
    }
    return nil
  }
}
