internal import GridCore
internal import GridRequests

@testable internal import GridLink

/// What both sides of a connection know in these targets: the same in every run, so that an input says everything.
enum Known {
  static let namespace = "shop"
  static let secret = makeSecret()
  static let token = makeToken()

  /// The nonces that the sides bring.
  static func nonce(dials: Bool) -> [UInt8] { [UInt8](repeating: dials ? 1 : 2, count: LinkProof.nonceBytes) }

  static func verifier(isRevoked: Bool) -> TokenVerifier {
    TokenVerifier(
      identifier: token.identifier, role: .viewer, readsBodies: false, isSingleUse: false,
      storedKey: token.keys.stored, serverKey: token.keys.server,
      objection: isRevoked ? GridError(.refused, "the token was revoked") : nil)
  }

  static func greeting(_ role: LinkGreeting.Role, name: String) -> LinkGreeting {
    LinkGreeting(namespace: namespace, role: role, name: name, incarnation: 42, address: "127.0.0.1:4743")
  }

  private static func makeSecret() -> NamespaceSecret {
    guard let secret = NamespaceSecret((0..<32).map { UInt8($0) }) else { fatalError("32 bytes are a secret") }
    return secret
  }

  private static func makeToken() -> AccessToken {
    var generator = CountingGenerator()
    return AccessToken(using: &generator)
  }
}

/// Numbers that are the same in every run.
private struct CountingGenerator: RandomNumberGenerator {
  private var state: UInt64 = 0

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return state ^ (state >> 31)
  }
}
