internal import GridCore
internal import GridRequests
internal import GridSecurity
internal import Testing

/// The secret of a namespace on its way to a new machine.
@Suite struct SecretSealTests {
  private static let secret = NamespaceSecret((0..<32).map { UInt8($0) })

  private static func seal(_ token: HeldToken, namespace: String = "shop") -> SecretSeal {
    SecretSeal(stored: token.keys.stored, server: token.keys.server, namespace: namespace)
  }

  @Test func `whoever has asked opens it, and it says nothing on the way`() throws {
    let token = HeldToken()
    let secret = try #require(Self.secret)
    let recipient = SecretRecipient(try HeldToken(parsing: token.text), namespace: "shop")
    let sealed = try Self.seal(token).sealed(secret, to: recipient.publicKey)
    #expect(try recipient.open(try SealedSecret(json: sealed.json)).bytes == secret.bytes)
    #expect(!sealed.box.indices.contains { sealed.box[$0...].starts(with: secret.bytes.prefix(8)) })
    // Each time sealed anew.
    let again = try Self.seal(token).sealed(secret, to: recipient.publicKey)
    #expect(again.box != sealed.box && again.publicKey != sealed.publicKey)
  }

  @Test func `nobody else opens it, and what was changed is noticed`() throws {
    let token = HeldToken()
    let secret = try #require(Self.secret)
    let recipient = SecretRecipient(token, namespace: "shop")
    let sealed = try Self.seal(token).sealed(secret, to: recipient.publicKey)
    // Another key, another token, another namespace: also for one who stands in between with a key of his own.
    for other in [
      SecretRecipient(token, namespace: "shop"), SecretRecipient(HeldToken(), namespace: "shop"),
      SecretRecipient(token, namespace: "prod"),
    ] {
      #expect(throws: GridError(.refused, "")) { try other.open(sealed) }
    }
    let forged = try Self.seal(HeldToken()).sealed(secret, to: recipient.publicKey)
    #expect(throws: GridError(.refused, "")) { try recipient.open(forged) }
    for index in sealed.box.indices {
      var changed = sealed
      changed.box[index] ^= 1
      #expect(throws: GridError(.refused, "")) { try recipient.open(changed) }
    }
    var other = sealed
    other.publicKey = SecretRecipient(token, namespace: "shop").publicKey
    #expect(throws: GridError(.refused, "")) { try recipient.open(other) }
  }

  @Test(arguments: [[], [1], [UInt8](repeating: 0, count: 32), [UInt8](repeating: 1, count: 33)] as [[UInt8]])
  func `what is no key gets nothing`(_ key: [UInt8]) throws {
    let secret = try #require(Self.secret)
    #expect(throws: GridError(.undecodable, "")) { try Self.seal(HeldToken()).sealed(secret, to: key) }
    #expect(throws: GridError.self) {
      try SecretRecipient(HeldToken(), namespace: "shop").open(SealedSecret(publicKey: key, box: key))
    }
  }

  @Test func `a token in somebody's hands says nothing of itself`() throws {
    let token = HeldToken()
    let hidden = try #require(token.text.split(separator: "-").last).prefix(8)
    var dumped = ""
    dump(token, to: &dumped)
    for text in ["\(token)", String(reflecting: token), dumped, "\(SecretRecipient(token, namespace: "shop"))"] {
      #expect(!text.contains(hidden), "\(text)")
    }
  }
}
