internal import Crypto
package import GridCore
package import GridRequests

/// Seals the secret of a namespace on its way to a new machine, so that it may go over a connection in clear text.
///
/// The key comes of two things (HKDF, RFC 5869, with SHA-256): of an X25519 exchange, which is made for this one answer
/// and so leaves nothing behind that opens it later, and of what both sides know of the token and nobody in between
/// does, so that nobody stands in between.
package struct SecretSeal: Sendable {
  private let salt: [UInt8]
  private let namespace: String

  /// - Parameters:
  ///   - stored: what the cluster keeps of the token; see `AccessToken`.
  ///   - server: the same.
  package init(stored: [UInt8], server: [UInt8], namespace: String) {
    salt = stored + server
    self.namespace = namespace
  }

  /// - Throws: ``GridError/Code/undecodable`` when what is sealed to is no key.
  package func sealed(_ secret: NamespaceSecret, to recipient: [UInt8]) throws(GridError) -> SealedSecret {
    let own = Curve25519.KeyAgreement.PrivateKey()
    let ownKey = Array(own.publicKey.rawRepresentation)
    let key = try key(own, recipient, to: recipient, from: ownKey)
    do {
      return SealedSecret(
        publicKey: ownKey, box: Array(try ChaChaPoly.seal(secret.bytes, using: key).combined))
    } catch {
      throw GridError(.failed, "the secret cannot be sealed")
    }
  }

  fileprivate func opened(
    _ sealed: SealedSecret, with own: Curve25519.KeyAgreement.PrivateKey
  ) throws(GridError) -> NamespaceSecret {
    let key = try key(
      own, sealed.publicKey, to: Array(own.publicKey.rawRepresentation), from: sealed.publicKey)
    guard let box = try? ChaChaPoly.SealedBox(combined: sealed.box), let bytes = try? ChaChaPoly.open(box, using: key),
      let secret = NamespaceSecret(Array(bytes))
    else {
      throw GridError(
        .refused, "what came is not the secret of namespace \(namespace), sealed by a node that knows the token",
        hint: "is it the right address? somebody may be in between")
    }
    return secret
  }

  private func key(
    _ own: Curve25519.KeyAgreement.PrivateKey, _ other: [UInt8], to recipient: [UInt8], from sender: [UInt8]
  ) throws(GridError) -> SymmetricKey {
    guard let other = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: other),
      let shared = try? own.sharedSecretFromKeyAgreement(with: other),
      // A point of small order has the same secret with everybody (RFC 7748, section 6.1).
      shared.withUnsafeBytes({ bytes in !bytes.allSatisfy { $0 == 0 } })
    else { throw GridError(.undecodable, "the secret is sealed to 32 bytes, which are a key of X25519") }
    return shared.hkdfDerivedSymmetricKey(
      using: SHA256.self, salt: salt,
      sharedInfo: Array("gridctl node secret\n\(namespace)\n".utf8) + recipient + sender,
      outputByteCount: NamespaceSecret.byteCount)
  }
}

/// A machine that is to get a node, and asks for the secret with a token.
package struct SecretRecipient: Sendable {
  private let seal: SecretSeal
  private let key = Curve25519.KeyAgreement.PrivateKey()

  package init(_ token: HeldToken, namespace: String) {
    let keys = token.keys
    seal = SecretSeal(stored: keys.stored, server: keys.server, namespace: namespace)
  }

  /// What the secret is to be sealed to.
  package var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

  /// - Throws: ``GridError/Code/refused`` when it was not sealed by a node that knows the token.
  package func open(_ sealed: SealedSecret) throws(GridError) -> NamespaceSecret {
    try seal.opened(sealed, with: key)
  }
}
