internal import Crypto
internal import GridCore

/// That a side of a connection knows the secret of its namespace: HMAC-SHA256 over everything that was said so far.
///
/// Both sides bring random bytes, so that nothing that was heard can be said again, and each has a label of its own, so
/// that nobody's proof can be turned against them.
enum LinkProof {
  enum Label: String {
    case dialler = "gridctl dialler\n"
    case acceptor = "gridctl acceptor\n"
  }

  /// The random bytes that each side brings.
  static let nonceBytes = 32

  static func make(_ label: Label, over said: [UInt8], key: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Array(label.rawValue.utf8) + said, using: SymmetricKey(data: key)))
  }

  static func make(_ label: Label, over said: [UInt8], _ secret: NamespaceSecret) -> [UInt8] {
    make(label, over: said, key: secret.bytes)
  }

  /// Whether a proof is right; takes as long for a wrong one, wherever it is wrong.
  static func isValid(_ proof: [UInt8], _ label: Label, over said: [UInt8], key: [UInt8]) -> Bool {
    HMAC<SHA256>.isValidAuthenticationCode(
      proof, authenticating: Array(label.rawValue.utf8) + said, using: SymmetricKey(data: key))
  }

  static func isValid(_ proof: [UInt8], _ label: Label, over said: [UInt8], _ secret: NamespaceSecret) -> Bool {
    isValid(proof, label, over: said, key: secret.bytes)
  }

  /// Whether both are the same; takes as long wherever they differ.
  static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// Random bytes of the system's.
  static func nonce() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<nonceBytes / 8).flatMap { _ in withUnsafeBytes(of: generator.next() as UInt64) { Array($0) } }
  }
}
