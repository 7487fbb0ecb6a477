internal import GridCore

/// Writes JSON values as YAML 1.2 in block style, which YAML 1.1 readers read as the same values.
///
/// Its own, not a library's: strings that look like numbers, dates or booleans of either version must stay strings, and
/// a one-shot command should not pay for a resolver made of regular expressions.
struct YAMLEmitter {
  private var output = ""

  /// The document with a line feed at its end.
  static func document(_ value: JSONValue) -> String {
    var emitter = YAMLEmitter()
    switch value {
    case .object(let members) where !members.isEmpty: emitter.writeMembers(members, depth: 0, isInline: true)
    case .array(let elements) where !elements.isEmpty: emitter.writeElements(elements, depth: 0, isInline: true)
    default: emitter.output = scalar(value) + "\n"
    }
    return emitter.output
  }

  private mutating func writeMembers(_ members: [String: JSONValue], depth: Int, isInline: Bool) {
    var isFirst = isInline
    for key in members.keys.sorted() {
      if !isFirst { indent(depth) }
      isFirst = false
      let text = Self.string(key)
      // Readers look only so far for the colon of an unmarked key (YAML 1.2, 7.4.2).
      if text.utf8.count > 1000 {
        output += "? " + text + "\n"
        indent(depth)
      } else {
        output += text
      }
      output += ":"
      writeValue(members[key] ?? .null, depth: depth + 1)
    }
  }

  private mutating func writeElements(_ elements: [JSONValue], depth: Int, isInline: Bool) {
    var isFirst = isInline
    for element in elements {
      if !isFirst { indent(depth) }
      isFirst = false
      output += "-"
      switch element {
      case .object(let members) where !members.isEmpty:
        output += " "
        writeMembers(members, depth: depth + 1, isInline: true)
      case .array(let inner) where !inner.isEmpty:
        output += " "
        writeElements(inner, depth: depth + 1, isInline: true)
      default: output += " " + Self.scalar(element) + "\n"
      }
    }
  }

  private mutating func writeValue(_ value: JSONValue, depth: Int) {
    switch value {
    case .object(let members) where !members.isEmpty:
      output += "\n"
      writeMembers(members, depth: depth, isInline: false)
    case .array(let elements) where !elements.isEmpty:
      output += "\n"
      writeElements(elements, depth: depth, isInline: false)
    default: output += " " + Self.scalar(value) + "\n"
    }
  }

  private mutating func indent(_ depth: Int) { output += String(repeating: "  ", count: depth) }

  private static func scalar(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): value.isFinite ? number(String(value)) : "null"
    case .decimal(let text): number(text)
    case .string(let value): string(value)
    case .array: "[]"
    case .object: "{}"
    }
  }

  /// YAML 1.1 takes `1e+22` for text; with a decimal point it is a number in both versions. JSON has no infinity, and
  /// both formats show the same.
  private static func number(_ text: String) -> String {
    guard !text.contains("."), let exponent = text.firstIndex(where: { $0 == "e" || $0 == "E" }) else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }

  /// Words that YAML 1.1 or 1.2 reads as something else than text.
  private static let reserved: Set<String> = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]

  private static func string(_ text: String) -> String {
    isPlain(text) ? text : quoted(text)
  }

  /// Narrow on purpose: what begins with a letter and has only these characters is no number, date or indicator.
  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.utf8.first, isLetter(first), text.utf8.last != UInt8(ascii: " ") else { return false }
    let allowed = text.utf8.allSatisfy { byte in
      isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || " _-./".utf8.contains(byte)
    }
    return allowed && !reserved.contains(text.lowercased())
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte & 0x40 != 0
  }

  private static func quoted(_ text: String) -> String {
    "\"" + TerminalText.replaced(text, needsEscape, escaped) + "\""
  }

  private static func needsEscape(_ scalar: UnicodeScalar) -> Bool {
    scalar == "\"" || scalar == "\\" || scalar.value == 0xFFFE || scalar.value == 0xFFFF
      || TerminalText.isUnsafe(scalar)
  }

  private static func escaped(_ scalar: UnicodeScalar) -> String {
    switch scalar {
    case "\"": "\\\""
    case "\\": "\\\\"
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default:
      switch scalar.value {
      case ...0xFF: "\\x" + TerminalText.hexadecimal(scalar.value, digits: 2)
      case ...0xFFFF: "\\u" + TerminalText.hexadecimal(scalar.value, digits: 4)
      default: "\\U" + TerminalText.hexadecimal(scalar.value, digits: 8)
      }
    }
  }
}
