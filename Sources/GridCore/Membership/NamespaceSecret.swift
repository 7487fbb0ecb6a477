/// What the nodes of a namespace and their clients share and nobody else knows: on a TCP connection each side proves to
/// the other that it knows it.
///
/// The bytes themselves go over no connection, and have no place in a text: it describes itself without them.
package struct NamespaceSecret: Sendable, CustomStringConvertible, CustomReflectable {
  /// How many bytes it has: what no guessing gets through.
  package static let byteCount = 32

  package let bytes: [UInt8]

  /// - Returns: nil when there are not ``byteCount`` bytes.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = bytes
  }

  package var description: String { "a secret" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
