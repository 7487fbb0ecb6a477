internal import FuzzSupport
internal import GridCore
internal import GridRequests

@testable internal import GridLink

/// One side of a greeting, told any frames in any order, some of them right ones: it opens after a right proof alone,
/// and for whom was proved.
let handshakeTarget = FuzzTarget("handshake") { bytes in
  var input = FuzzBytes(bytes)
  var other = OtherSide(&input)
  var steps = 0
  while !input.isEmpty, steps < 16 {
    steps += 1
    guard let frame = other.frame(&input) else { continue }
    guard let (greeting, caller) = other.say(frame) else { continue }
    try other.check(greeting, caller)
    return
  }
}

/// The side that the input plays, and what it has said and heard.
private struct OtherSide {
  private let dials: Bool
  private let trust: LinkTrust
  private let isEncrypted: Bool
  private let isRevoked: Bool
  private let certificate: CertificateIdentity?
  private let credential: LinkCredential
  private var ours: LinkHandshake
  /// Everything that was said, as whoever proves something has to know it: hello first.
  private var hello: [UInt8] = []
  private var challenge: [UInt8] = []
  private var later: [UInt8] = []
  private var greeting: LinkGreeting?
  private var lastProof: [UInt8]?
  private var saidBeforeProof: [UInt8] = []

  init(_ input: inout FuzzBytes) {
    dials = input.flag()
    trust = input.choice(4) == 0 ? .kernel : .proof
    isEncrypted = input.flag()
    isRevoked = input.choice(4) == 3
    certificate = Self.certificate(&input)
    switch input.choice(3) {
    case 0: credential = .secret { () throws(GridError) in Known.secret }
    case 1: credential = .token(Known.token)
    default: credential = .certificate
    }
    ours = LinkHandshake(dials: dials, trust: trust, nonce: trust == .proof ? Known.nonce(dials: dials) : [])
    let begun = ours.begin(Known.greeting(dials ? .client : .node, name: dials ? "client" : "n1"), showing: credential)
    if dials { hello = begun } else { challenge = begun }
  }

  private static func certificate(_ input: inout FuzzBytes) -> CertificateIdentity? {
    switch input.choice(6) {
    case 0: try? CertificateIdentity(name: "n1", role: .node, namespace: Known.namespace)
    case 1: try? CertificateIdentity(name: "ada", role: .operator, namespace: Known.namespace)
    case 2: try? CertificateIdentity(name: "eve", role: .viewer, namespace: "prod")
    case 3: try? CertificateIdentity(name: "n2", role: .node, namespace: Known.namespace)
    default: nil
    }
  }

  private var terms: LinkHandshake.Terms {
    let isRevoked = isRevoked
    // Whoever listens is a node.
    var objection: (LinkGreeting) -> GridError? = { _ in nil }
    if dials { objection = { LinkEndpoint.objectionToClients($0) } }
    return LinkHandshake.Terms(
      greeting: Known.greeting(dials ? .client : .node, name: dials ? "client" : "n1"), credential: credential,
      secret: { () throws(GridError) in Known.secret },
      token: { $0 == Known.token.identifier ? Known.verifier(isRevoked: isRevoked) : nil },
      isEncrypted: isEncrypted, certificate: certificate, objection: objection)
  }

  // MARK: What it says

  /// The next frame, whole: a right one, nearly a right one, or whatever the input has; nil where that is no frame.
  mutating func frame(_ input: inout FuzzBytes) -> [UInt8]? {
    switch input.choice(8) {
    case 0: return LinkFrame.hello(claim(&input)).encoded
    case 1: return LinkFrame.welcome(claim(&input)).encoded
    case 2: return LinkFrame.challenge(nonce(&input)).encoded
    case 3: return LinkFrame.proof(rightProof(as: dials ? .acceptor : .dialler)).encoded
    case 4: return LinkFrame.proof(wrongProof(&input)).encoded
    case 5: return LinkFrame.refusal(GridError(.refused, "no")).encoded
    case 6: return LinkFrame.decoded(input.piece())?.encoded
    // As the input has it: its fields may come twice, or in another order.
    default:
      let piece = input.piece()
      guard LinkFrame.decoded(piece) != nil else { return nil }
      return (0..<4).map { UInt8(truncatingIfNeeded: piece.count >> (24 - 8 * $0)) } + piece
    }
  }

  private mutating func claim(_ input: inout FuzzBytes) -> LinkGreeting {
    let choices = input.byte()
    let name = ["n1", "n2", "ada", ""][Int(choices >> 1 & 3)]
    var claim = Known.greeting(choices & 1 == 0 ? .node : .client, name: name)
    if choices & 8 != 0 { claim.namespace = "prod" }
    claim.credential = [.secret, .token, .certificate, .secret][Int(choices >> 4 & 3)]
    if claim.credential == .token { claim.token = choices & 64 == 0 ? Known.token.identifier : "aaaaaaaaaaaa" }
    if choices & 128 != 0 { claim.major = UInt64(input.byte()) }
    claim.nonce = nonce(&input)
    return claim
  }

  private func nonce(_ input: inout FuzzBytes) -> [UInt8] {
    switch input.choice(4) {
    case 0: input.take(Int(input.byte()))
    // Our own, said again to us.
    case 1: Known.nonce(dials: dials)
    default: Known.nonce(dials: !dials)
    }
  }

  private var said: [UInt8] { hello + challenge + later }

  private var shown: LinkGreeting.Credential {
    if !dials { return greeting?.credential ?? .secret }
    switch credential {
    case .secret: return .secret
    case .token: return .token
    case .certificate: return .certificate
    }
  }

  private func rightProof(as label: LinkProof.Label) -> [UInt8] {
    switch (shown, label) {
    case (.secret, _): LinkProof.make(label, over: said, Known.secret)
    case (.token, .dialler): Known.token.proof(over: said)
    case (.token, .acceptor): Known.verifier(isRevoked: false).proof(over: said)
    case (.certificate, _): []
    }
  }

  private func wrongProof(_ input: inout FuzzBytes) -> [UInt8] {
    switch input.choice(6) {
    case 0: return input.piece()
    // The other side's label: a proof of ours sent back.
    case 1: return rightProof(as: dials ? .dialler : .acceptor)
    // Over nothing, or over something else.
    case 2: return LinkProof.make(dials ? .acceptor : .dialler, over: [], Known.secret)
    case 3: return LinkProof.make(dials ? .acceptor : .dialler, over: said + [0], Known.secret)
    case 4: return LinkProof.make(dials ? .acceptor : .dialler, over: said, key: Known.token.keys.stored)
    default:
      var proof = rightProof(as: dials ? .acceptor : .dialler)
      if !proof.isEmpty { proof[input.choice(proof.count)] ^= 1 << UInt8(input.choice(8)) }
      return proof
    }
  }

  // MARK: What comes of it

  /// Says a frame.
  ///
  /// - Returns: who is there, once we have opened.
  mutating func say(_ bytes: [UInt8]) -> (LinkGreeting, Caller)? {
    guard let frame = LinkFrame.decoded(bytes.dropFirst(4)) else { return nil }
    let terms = terms
    var handshake = ours
    let outcome = bytes.withUnsafeBytes { bytes in
      Result { () throws(GridError) in try handshake.received(frame, bytes, terms) }
    }
    // What was refused has closed the connection; the input goes on before it, as if it had said something else.
    guard case .success(let outcome) = outcome else { return nil }
    ours = handshake
    note(frame, bytes)
    switch outcome {
    case .wait: return nil
    case .send(let answer):
      later += answer
      return nil
    case .open(let greeting, let caller, _): return (greeting, caller)
    }
  }

  private mutating func note(_ frame: LinkFrame, _ bytes: [UInt8]) {
    switch frame {
    case .hello(let claim): (greeting, hello) = (claim, bytes)
    case .challenge: challenge = bytes
    case .welcome(let claim):
      greeting = claim
      later += bytes
    case .proof(let proof): (lastProof, saidBeforeProof) = (proof, said)
    default: break
    }
  }

  /// - Throws: where we have opened for somebody who has proved nothing, or somebody else.
  func check(_ opened: LinkGreeting, _ caller: Caller) throws {
    try promise(opened == greeting, "opened for another one than has greeted")
    guard trust == .proof else {
      try promise(dials || opened.role == .client, "a node was let in over a Unix socket")
      return
    }
    guard let lastProof else { throw BrokenPromise("opened without a proof") }
    var copy = self
    copy.later = Array(saidBeforeProof.dropFirst(hello.count + challenge.count))
    let isRight = lastProof == copy.rightProof(as: dials ? .acceptor : .dialler)
    switch shown {
    case .secret:
      try promise(isRight, "opened without the proof of the secret")
      try promise(dials || !isEncrypted || opened.role == .client, "a node was let in under TLS by the secret")
    case .token:
      try promise(isRight, "opened without the proof of the token")
      try promise(!isRevoked || dials, "opened for a token that was revoked")
      try promise(dials || caller.role == .viewer && opened.role == .client, "a token gave more than its role")
    case .certificate:
      guard let certificate else { throw BrokenPromise("opened without a certificate") }
      try promise(certificate.namespace == Known.namespace, "opened for a certificate of another namespace")
      try promise(dials || caller.role == certificate.role, "a certificate gave another role than its own")
    }
    guard dials, isEncrypted else { return }
    try promise(
      certificate?.role == .node && certificate?.name == opened.name, "the acceptor is not who its certificate says")
  }
}
