internal import Crypto
package import GridCore
package import GridRequests

/// What somebody has been given to get in with, where a certificate does not fit: an identifier that may be known, and
/// 256 random bits that may not.
///
/// It goes over no connection. Both sides prove that they know it in the way of SCRAM (RFC 5802, section 3) with
/// SHA-256: whoever reads what the cluster keeps of a token (``TokenVerifier``) cannot show it for himself. Its salt
/// and rounds are left out, since nobody guesses 256 bits.
package struct AccessToken: Sendable, CustomStringConvertible, CustomReflectable {
  package static let identifierLength = 12
  package static let secretBytes = 32
  private static let prefix = "gridctl-"
  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  package let identifier: String
  private let secret: [UInt8]

  /// A new one.
  package init(using generator: inout some RandomNumberGenerator) {
    identifier = String(
      decoding: (0..<Self.identifierLength).map { _ in
        Self.alphabet[Int.random(in: 0..<Self.alphabet.count, using: &generator)]
      }, as: UTF8.self)
    secret = (0..<Self.secretBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  /// - Throws: ``GridError/Code/refused`` for a text that is no token; it is not repeated.
  package init(parsing text: String) throws(GridError) {
    let hint = "a token is the line that gridctl token create has printed"
    let parts = text.dropFirst(Self.prefix.count).split(separator: "-", omittingEmptySubsequences: false)
    guard text.hasPrefix(Self.prefix), parts.count == 2, Self.isIdentifier(String(parts[0])) else {
      throw GridError(.refused, "what was given is no token", hint: hint)
    }
    guard parts[1].utf8.count == 2 * Self.secretBytes, let secret = Self.bytes(hexadecimal: parts[1]) else {
      throw GridError(
        .refused, "token \(parts[0]) is not whole: \(2 * Self.secretBytes) hexadecimal digits follow its name",
        hint: hint)
    }
    identifier = String(parts[0])
    self.secret = secret
  }

  /// Whether a text can be the identifier of a token.
  package static func isIdentifier(_ text: String) -> Bool {
    text.utf8.count == identifierLength && text.utf8.allSatisfy(alphabet.contains)
  }

  /// As it is given to whoever is to have it; nothing else shows it.
  package var text: String {
    Self.prefix + identifier + "-"
      + secret.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined()
  }

  /// Of small letters and ASCII digits alone, so that a token has one text.
  private static func bytes(hexadecimal text: Substring) -> [UInt8]? {
    guard text.utf8.allSatisfy("0123456789abcdef".utf8.contains) else { return nil }
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
  }

  package var description: String { "token \(identifier)" }
  package var customMirror: Mirror { Mirror(self, children: []) }

  // MARK: Proof

  private var clientKey: [UInt8] { Self.code(secret, "gridctl token client\n".utf8) }

  /// What the cluster keeps of it.
  package var keys: (stored: [UInt8], server: [UInt8]) {
    (Array(SHA256.hash(data: clientKey)), Self.code(secret, "gridctl token server\n".utf8))
  }

  /// The dialler's proof over what was said.
  func proof(over said: [UInt8]) -> [UInt8] {
    zip(clientKey, LinkProof.make(.dialler, over: said, key: keys.stored)).map { $0 ^ $1 }
  }

  /// Whether the acceptor knows the token too.
  func isValid(_ proof: [UInt8], over said: [UInt8]) -> Bool {
    LinkProof.isValid(proof, .acceptor, over: said, key: keys.server)
  }

  private static func code(_ key: [UInt8], _ text: some Sequence<UInt8>) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Array(text), using: SymmetricKey(data: key)))
  }
}

/// What the cluster keeps of a token to know whoever shows it, and what it lets them do.
package struct TokenVerifier: Sendable {
  package var identifier: String
  package var role: Role
  package var readsBodies: Bool
  /// Good for one connection: the endpoint is asked before it opens.
  package var isSingleUse: Bool
  /// Why it is good for nothing, told to whoever has proved to have it: it is over, or was revoked.
  package var objection: GridError?
  private let storedKey: [UInt8]
  private let serverKey: [UInt8]

  package init(
    identifier: String, role: Role, readsBodies: Bool, isSingleUse: Bool, storedKey: [UInt8], serverKey: [UInt8],
    objection: GridError? = nil
  ) {
    self.identifier = identifier
    self.role = role
    self.readsBodies = readsBodies
    self.isSingleUse = isSingleUse
    self.storedKey = storedKey
    self.serverKey = serverKey
    self.objection = objection
  }

  /// Whether the dialler has the token.
  func accepts(_ proof: [UInt8], over said: [UInt8]) -> Bool {
    guard proof.count == SHA256.byteCount, storedKey.count == SHA256.byteCount else { return false }
    let clientKey = zip(proof, LinkProof.make(.dialler, over: said, key: storedKey)).map { $0 ^ $1 }
    return LinkProof.areEqual(Array(SHA256.hash(data: clientKey)), storedKey)
  }

  /// The acceptor's proof over what was said.
  func proof(over said: [UInt8]) -> [UInt8] { LinkProof.make(.acceptor, over: said, key: serverKey) }

  var caller: Caller { Caller(name: identifier, role: role, source: .token, readsBodies: readsBodies ? true : nil) }
}
