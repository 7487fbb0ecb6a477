/// Bytes of others as text that drives no terminal and hides nothing.
package enum PrintableText {
  /// At most the first `limit` bytes as text: what is not UTF-8 as `\\xHH`, control characters and marks of direction
  /// escaped, a tab as a space; `…` at the end when something is missing.
  package static func of(_ bytes: some Collection<UInt8>, limit: Int = .max) -> String {
    var decoder = UTF8()
    var text = ""
    var rest = bytes.prefix(limit)[...]
    while let first = rest.first {
      var iterator = rest.makeIterator()
      switch decoder.decode(&iterator) {
      case .scalarValue(let scalar):
        text += scalar == "\t" ? " " : isPrintable(scalar) ? String(scalar) : scalar.escaped(asASCII: true)
        rest = rest.dropFirst(UTF8.width(scalar))
      case .error, .emptyInput:
        text += "\\x" + (first < 16 ? "0" : "") + String(first, radix: 16)
        rest = rest.dropFirst()
      }
      decoder = UTF8()
    }
    return bytes.count > limit ? text + "…" : text
  }

  /// Not so: control characters (U+009B begins an escape sequence as well), and what turns the direction of text round.
  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return false
    default: return true
    }
  }
}

extension String {
  /// The text of bytes that must be text: nothing is replaced in silence.
  ///
  /// - Parameter place: where they are from, for the error.
  /// - Throws: `code` when they are not UTF-8.
  package init(
    strictly bytes: some Collection<UInt8>, from place: String, _ code: GridError.Code = .undecodable
  ) throws(GridError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw GridError(code, "\(place) is not UTF-8: “\(PrintableText.of(bytes, limit: 80))”")
    }
    self = text
  }
}
