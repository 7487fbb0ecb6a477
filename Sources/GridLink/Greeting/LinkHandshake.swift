package import GridCore
internal import GridRequests
internal import NIOCore

/// How it is known who is at the other end of a connection.
enum LinkTrust: Sendable {
  /// The kernel says it: a Unix socket.
  case kernel
  /// Both sides prove something: that they know the secret of the namespace or a token, or whom a certificate stands
  /// for. Everything else, loopback as well.
  case proof
}

/// What a dialler shows over TCP.
package enum LinkCredential: Sendable {
  /// Read when it is due.
  case secret(@Sendable () throws(GridError) -> NamespaceSecret)
  case token(AccessToken)
  /// The one that TLS has shown underneath.
  case certificate
}

/// The greeting of one connection, as a value: frames go in, what to send and who is there come out.
///
/// ```
/// dialler   ─hello▶ challenged ─proof▶ welcomed ─▶ proven ─▶ done      over TCP
/// acceptor  challenge▶ greeted ─▶ proven ─welcome, proof▶ done
/// dialler   ─hello▶ welcomed ─▶ done                                   over a Unix socket
/// acceptor  greeted ─welcome▶ done
/// ```
///
/// Until the other side has proved that it belongs here no error names anything that it could not know.
struct LinkHandshake {
  /// What we say of ourselves, and what we think of the other side.
  struct Terms {
    var greeting: LinkGreeting
    /// What we show when we dial, and what those prove who dial us with the secret.
    var credential: LinkCredential
    var secret: () throws(GridError) -> NamespaceSecret
    /// What is known here of the token of that identifier.
    var token: (String) -> TokenVerifier?
    /// Whether TLS is underneath: then nodes have certificates.
    var isEncrypted = false
    /// Whom the other side's certificate stands for; nil without one.
    var certificate: CertificateIdentity?
    /// Why the other side is refused beside version and namespace; nil accepts it.
    var objection: (LinkGreeting) -> GridError?
  }

  enum Outcome: Equatable {
    case wait
    case send([UInt8])
    /// The greeting is done once the bytes are sent.
    case open(LinkGreeting, Caller, sending: [UInt8])
  }

  private enum State {
    /// The acceptor, before it knows anything of the dialler.
    case awaitsHello
    /// The acceptor: who the dialler says it is, and what is known of the token it names.
    case awaitsDiallersProof(LinkGreeting, TokenVerifier?)
    /// The dialler.
    case awaitsChallenge
    case awaitsWelcome
    /// The dialler: who the acceptor says it is.
    case awaitsAcceptorsProof(LinkGreeting)
    case done
  }

  private let trust: LinkTrust
  private let nonce: [UInt8]
  private var state: State
  /// The frames of the greeting as they are on the wire, hello and challenge first.
  private var said: [UInt8] = []
  private var challenge: [UInt8] = []
  /// Whether the other side belongs here, whatever else may be wrong with it.
  private(set) var isProven = false

  /// - Parameter nonce: fresh random bytes; empty where nothing is proved.
  init(dials: Bool, trust: LinkTrust, nonce: [UInt8]) {
    self.trust = trust
    self.nonce = nonce
    state = dials ? trust == .proof ? .awaitsChallenge : .awaitsWelcome : .awaitsHello
  }

  /// What is sent before anything was read.
  mutating func begin(_ greeting: LinkGreeting, showing credential: LinkCredential) -> [UInt8] {
    switch (state, trust) {
    case (.awaitsHello, .kernel): return []
    case (.awaitsHello, .proof):
      challenge = LinkFrame.challenge(nonce).encoded
      return challenge
    default:
      var greeting = greeting
      if trust == .proof {
        greeting.nonce = nonce
        switch credential {
        case .secret: break
        case .token(let token): (greeting.credential, greeting.token) = (.token, token.identifier)
        case .certificate: greeting.credential = .certificate
        }
      }
      let hello = LinkFrame.hello(greeting).encoded
      said = hello
      return hello
    }
  }

  /// Takes the next frame of the other side.
  ///
  /// - Parameter bytes: the frame as it came, with its length.
  /// - Throws: why the connection is to be closed.
  mutating func received(
    _ frame: LinkFrame, _ bytes: UnsafeRawBufferPointer, _ terms: Terms
  ) throws(GridError) -> Outcome {
    switch (state, frame) {
    case (_, .unknown): return .wait
    case (.awaitsHello, .hello(let other)): return try greeted(other, bytes, terms)
    case (.awaitsDiallersProof(let other, let token), .proof(let proof)):
      return try admitted(other, token, proof, bytes, terms)
    case (.awaitsChallenge, .challenge(let nonce)):
      guard nonce.count == LinkProof.nonceBytes else { throw Self.badNonce }
      said += bytes
      let proof = LinkFrame.proof(try Self.proof(terms.credential, over: said)).encoded
      said += proof
      state = .awaitsWelcome
      return .send(proof)
    case (.awaitsWelcome, .welcome(let other)): return try welcomed(other, bytes, terms)
    case (.awaitsAcceptorsProof(let other), .proof(let proof)): return try believed(other, proof, terms)
    case (.awaitsChallenge, .refusal(let error)), (.awaitsWelcome, .refusal(let error)),
      (.awaitsAcceptorsProof, .refusal(let error)):
      throw error
    case (.awaitsChallenge, .welcome): throw Self.unproven
    default: throw GridError(.protocolMismatch, "the greeting was expected first")
    }
  }

  // MARK: Acceptor

  private mutating func greeted(
    _ other: LinkGreeting, _ bytes: UnsafeRawBufferPointer, _ terms: Terms
  ) throws(GridError) -> Outcome {
    if let objection = terms.greeting.objection(toVersionOf: other) { throw objection }
    guard trust == .proof else {
      // A node is believed by its proof alone, and nodes listen for each other on TCP.
      guard other.role == .client else {
        throw GridError(.refused, "a node is greeted over TCP, where it proves itself")
      }
      let caller = Caller(name: other.name, role: .operator, source: .socket, isHere: true)
      return try opened(other, caller, terms, LinkFrame.welcome(terms.greeting).encoded)
    }
    guard other.nonce.count == LinkProof.nonceBytes else { throw Self.badNonce }
    said = Array(bytes) + challenge
    state = .awaitsDiallersProof(other, other.credential == .token ? terms.token(other.token) : nil)
    return .wait
  }

  private mutating func admitted(
    _ other: LinkGreeting, _ token: TokenVerifier?, _ proof: [UInt8], _ bytes: UnsafeRawBufferPointer, _ terms: Terms
  ) throws(GridError) -> Outcome {
    let caller = try caller(other, token, proof, terms)
    let welcome = LinkFrame.welcome(terms.greeting).encoded
    said += Array(bytes) + welcome
    let answer: [UInt8] =
      switch other.credential {
      case .secret: LinkProof.make(.acceptor, over: said, try terms.secret())
      case .token: token?.proof(over: said) ?? []
      // TLS has proved who we are.
      case .certificate: []
      }
    return try opened(other, caller, terms, welcome + LinkFrame.proof(answer).encoded)
  }

  /// Who has dialled, by what was proved.
  private func caller(
    _ other: LinkGreeting, _ token: TokenVerifier?, _ proof: [UInt8], _ terms: Terms
  ) throws(GridError) -> Caller {
    switch other.credential {
    case .secret:
      guard LinkProof.isValid(proof, .dialler, over: said, try terms.secret()) else { throw Self.wrongProof }
      guard other.role == .node else { return Caller(name: other.name, role: .operator, source: .secret) }
      if terms.isEncrypted { throw Self.nodeWithoutCertificate }
      return .node(other.name)
    case .token:
      guard let token, token.accepts(proof, over: said) else { throw Self.wrongToken }
      if let objection = token.objection { throw objection }
      guard other.role == .client else { throw Self.nodeWithToken }
      return token.caller
    case .certificate:
      guard let identity = terms.certificate else { throw Self.noCertificate }
      try Self.check(identity, speaksFor: other, in: terms.greeting.namespace)
      return identity.role == .node
        ? .node(identity.name)
        : Caller(
          name: identity.name, role: identity.role, source: .certificate, readsBodies: identity.readsBodies)
    }
  }

  /// - Throws: ``GridError/Code/refused`` unless a certificate stands for who uses it, and for what it is used.
  private static func check(
    _ identity: CertificateIdentity, speaksFor other: LinkGreeting, in namespace: String
  ) throws(GridError) {
    guard identity.namespace == namespace else {
      throw GridError(
        .refused, "the certificate of \(identity.dnsName) is of another namespace than \(namespace)",
        hint: "issue one with: gridctl tls issue --namespace \(namespace) --name \(other.name)")
    }
    guard (identity.role == .node) == (other.role == .node) else {
      throw GridError(
        .refused,
        "the certificate of \(identity.dnsName) is "
          + (identity.role == .node ? "a node's: it is for no client" : "a client's: it is for no node"),
        hint: "issue one with: gridctl tls issue --role \(other.role == .node ? "node" : "operator|viewer")")
    }
    guard other.role != .node || identity.name == other.name else {
      throw GridError(
        .refused, "the certificate is node \(identity.name)'s, and node \(other.name) uses it",
        hint: "issue one with: gridctl tls issue --name \(other.name)")
    }
  }

  // MARK: Dialler

  private static func proof(_ credential: LinkCredential, over said: [UInt8]) throws(GridError) -> [UInt8] {
    switch credential {
    case .secret(let secret): LinkProof.make(.dialler, over: said, try secret())
    case .token(let token): token.proof(over: said)
    case .certificate: []
    }
  }

  private mutating func welcomed(
    _ other: LinkGreeting, _ bytes: UnsafeRawBufferPointer, _ terms: Terms
  ) throws(GridError) -> Outcome {
    guard trust == .proof else { return try opened(other, .node(other.name), terms, []) }
    said += bytes
    state = .awaitsAcceptorsProof(other)
    return .wait
  }

  /// Whoever answers proves the same as we, and under TLS stands for the node that it says it is.
  private mutating func believed(
    _ other: LinkGreeting, _ proof: [UInt8], _ terms: Terms
  ) throws(GridError) -> Outcome {
    switch terms.credential {
    case .secret(let secret):
      guard LinkProof.isValid(proof, .acceptor, over: said, try secret()) else { throw Self.impostor }
    case .token(let token):
      guard token.isValid(proof, over: said) else { throw Self.impostor }
    case .certificate: break
    }
    if terms.isEncrypted {
      guard let identity = terms.certificate else { throw Self.noCertificate }
      if let objection = terms.greeting.objection(to: other) { throw objection }
      try Self.check(identity, speaksFor: other, in: terms.greeting.namespace)
    } else if case .certificate = terms.credential {
      throw Self.noCertificate
    }
    return try opened(other, .node(other.name), terms, [])
  }

  /// From here on the other side is one of ours, and may hear what is wrong.
  private mutating func opened(
    _ other: LinkGreeting, _ caller: Caller, _ terms: Terms, _ bytes: [UInt8]
  ) throws(GridError) -> Outcome {
    isProven = true
    if let objection = terms.greeting.objection(to: other) ?? terms.objection(other) { throw objection }
    state = .done
    said = []
    return .open(other, caller, sending: bytes)
  }

  // MARK: Faults

  private static let badNonce = GridError(
    .protocolMismatch, "malformed greeting: it has no \(LinkProof.nonceBytes) random bytes",
    hint: "over TCP both sides prove that they know the secret of the namespace; use the same version of gridctl")

  private static let wrongProof = GridError(
    .refused, "the proof of the namespace's secret is wrong",
    hint: "it is another namespace, or another secret: --secret-file names the file, which all its nodes and clients "
      + "have a copy of")

  private static let wrongToken = GridError(
    .refused, "no such token is known here",
    hint: "it was made for another namespace, or was revoked; a new one: gridctl token create")

  private static let nodeWithToken = GridError(
    .refused, "a token lets nobody in as a node", hint: "a node has a certificate, or the secret of the namespace")

  private static let nodeWithoutCertificate = GridError(
    .refused, "under TLS a node has a certificate of its own",
    hint: "issue one with: gridctl tls issue --role node; name it with --tls-cert and --tls-key")

  private static let noCertificate = GridError(
    .refused, "there is no certificate that says who is there",
    hint: "certificates are shown under TLS: name one with --tls-cert, --tls-key and --tls-ca on both sides")

  private static let impostor = GridError(
    .refused, "what listens there does not know the secret of the namespace",
    hint: "is it the right address? another user's process may listen there")

  private static let unproven = GridError(
    .refused, "what listens there does not prove that it knows the secret of the namespace",
    hint: "is it the right address, and the same version of gridctl?")
}
