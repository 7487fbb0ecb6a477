/// Writes JSON values; the only place that knows how.
struct JSONWriter {
  let indentation: Int?
  var output: [UInt8] = []

  init(indentation: Int?) { self.indentation = indentation }

  /// A member of an object that is written by hand: `lead` is what stands before its value, with the comma and the key.
  mutating func writeMember(_ lead: String, _ value: JSONValue) {
    append(lead)
    write(value, depth: 0)
  }

  mutating func write(_ value: JSONValue, depth: Int) {
    switch value {
    case .null: append("null")
    case .bool(let value): append(value ? "true" : "false")
    case .integer(let value): append(String(value))
    case .number(let value): append(Self.text(value))
    case .decimal(let text): append(text)
    case .string(let value): writeString(value)
    case .array(let elements):
      writeList("[", "]", count: elements.count, depth: depth) { writer, index in
        writer.write(elements[index], depth: depth + 1)
      }
    case .object(let members):
      let keys = members.keys.sorted()
      writeList("{", "}", count: keys.count, depth: depth) { writer, index in
        writer.writeString(keys[index])
        writer.append(writer.indentation == nil ? ":" : ": ")
        writer.write(members[keys[index]] ?? .null, depth: depth + 1)
      }
    }
  }

  /// A `Double` as it is written; JSON has no infinity.
  static func text(_ value: Double) -> String { value.isFinite ? String(value) : "null" }

  private mutating func writeList(
    _ open: String, _ close: String, count: Int, depth: Int, _ element: (inout JSONWriter, Int) -> Void
  ) {
    append(open)
    for index in 0..<count {
      if index > 0 { append(",") }
      newLine(depth + 1)
      element(&self, index)
    }
    if count > 0 { newLine(depth) }
    append(close)
  }

  private mutating func newLine(_ depth: Int) {
    guard let indentation else { return }
    output.append(UInt8(ascii: "\n"))
    output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * indentation))
  }

  private mutating func append(_ text: String) { output.append(contentsOf: text.utf8) }

  private mutating func writeString(_ value: String) {
    output.append(UInt8(ascii: "\""))
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append("\\\"")
      case UInt8(ascii: "\\"): append("\\\\")
      case 0x0A: append("\\n")
      case 0x0D: append("\\r")
      case 0x09: append("\\t")
      case 0..<0x20, 0x7F:
        append("\\u00")
        output.append(Self.digits[Int(byte >> 4)])
        output.append(Self.digits[Int(byte & 15)])
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }

  private static let digits = Array("0123456789abcdef".utf8)
}
