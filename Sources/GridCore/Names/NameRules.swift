/// The grammar that names of actors, nodes, kinds and namespaces share:
/// `[A-Za-z0-9][A-Za-z0-9_-]*`, at most 128 bytes.
///
/// Narrow on purpose: a name goes unquoted into shells, file names, keys of the coordination store and terminals.
package enum NameRules {
  /// The longest name, in bytes.
  package static let maximumLength = 128

  /// Returns `name` when it follows the grammar.
  ///
  /// - Parameter noun: what the name is for, used in the message (“actor”, “node”, …).
  /// - Throws: ``GridError/Code/usage`` with the reason and the grammar.
  @discardableResult
  package static func validated(_ name: String, as noun: String) throws(GridError) -> String {
    guard let fault = fault(in: name) else { return name }
    throw GridError(
      .usage, "invalid \(noun) name \(quoted(name)): \(fault)",
      hint: "a name starts with a letter or digit and has letters, digits, - and _, at most \(maximumLength) bytes")
  }

  /// Whether `name` follows the grammar.
  package static func isValid(_ name: String) -> Bool { fault(in: name) == nil }

  static func fault(in name: String) -> String? {
    if name.isEmpty { return "it is empty" }
    if name.utf8.count > maximumLength { return "it has \(name.utf8.count) bytes" }
    for (index, byte) in name.utf8.enumerated() where !isAllowed(byte, first: index == 0) {
      if byte >= 0x80 { return "it has a character outside ASCII" }
      if byte == 0x20 { return "it has a space" }
      if byte < 0x20 || byte == 0x7F { return "it has a control character" }
      return index == 0
        ? "it starts with '\(Character(UnicodeScalar(byte)))'" : "it has '\(Character(UnicodeScalar(byte)))'"
    }
    return nil
  }

  private static func isAllowed(_ byte: UInt8, first: Bool) -> Bool {
    isLetterOrDigit(byte) || !first && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_"))
  }

  static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  private static let brackets = "[]".utf8

  /// Whether `text` can be the name or number of a host: printable ASCII, as names are written for the resolver. Other
  /// letters may melt with a colon behind them into one character, and brackets would make another address of it.
  package static func isHost(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !brackets.contains($0) }
  }

  /// `text` in quotes, shortened and without anything a terminal would interpret.
  package static func quoted(_ text: String) -> String {
    var printable = ""
    for scalar in text.unicodeScalars.prefix(48) {
      printable += PrintableText.isPrintable(scalar) ? String(scalar) : scalar.escaped(asASCII: true)
    }
    return text.unicodeScalars.count > 48 ? "\"\(printable)…\"" : "\"\(printable)\""
  }
}
