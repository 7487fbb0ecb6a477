internal import GridCore
internal import NIOCore

/// How it is known who is at the other end of a connection.
enum LinkTrust: Sendable {
  /// The kernel says it: a Unix socket.
  case kernel
  /// Both sides prove that they know the secret of the namespace: everything else, loopback as well.
  case proof
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
    var secret: () throws(GridError) -> NamespaceSecret
    /// Why the other side is refused beside version and namespace; nil accepts it.
    var objection: (LinkGreeting) -> GridError?
  }

  enum Outcome: Equatable {
    case wait
    case send([UInt8])
    /// The greeting is done once the bytes are sent.
    case open(LinkGreeting, sending: [UInt8])
  }

  private enum State {
    /// The acceptor, before it knows anything of the dialler.
    case awaitsHello
    /// The acceptor: who the dialler says it is.
    case awaitsDiallersProof(LinkGreeting)
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

  /// - Parameter nonce: fresh random bytes; empty where nothing is proved.
  init(dials: Bool, trust: LinkTrust, nonce: [UInt8]) {
    self.trust = trust
    self.nonce = nonce
    state = dials ? trust == .proof ? .awaitsChallenge : .awaitsWelcome : .awaitsHello
  }

  /// What is sent before anything was read.
  mutating func begin(_ greeting: LinkGreeting) -> [UInt8] {
    switch (state, trust) {
    case (.awaitsHello, .kernel): return []
    case (.awaitsHello, .proof):
      challenge = LinkFrame.challenge(nonce).encoded
      return challenge
    default:
      var greeting = greeting
      if trust == .proof { greeting.nonce = nonce }
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
    case (.awaitsDiallersProof(let other), .proof(let proof)): return try admitted(other, proof, bytes, terms)
    case (.awaitsChallenge, .challenge(let nonce)):
      guard nonce.count == LinkProof.nonceBytes else { throw Self.badNonce }
      said += bytes
      let proof = LinkFrame.proof(LinkProof.make(.dialler, over: said, try terms.secret())).encoded
      said += proof
      state = .awaitsWelcome
      return .send(proof)
    case (.awaitsWelcome, .welcome(let other)): return try welcomed(other, bytes, terms)
    case (.awaitsAcceptorsProof(let other), .proof(let proof)):
      guard LinkProof.isValid(proof, .acceptor, over: said, try terms.secret()) else { throw Self.impostor }
      return try opened(other, terms, [])
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
      return try opened(other, terms, LinkFrame.welcome(terms.greeting).encoded)
    }
    guard other.nonce.count == LinkProof.nonceBytes else { throw Self.badNonce }
    said = Array(bytes) + challenge
    state = .awaitsDiallersProof(other)
    return .wait
  }

  private mutating func admitted(
    _ other: LinkGreeting, _ proof: [UInt8], _ bytes: UnsafeRawBufferPointer, _ terms: Terms
  ) throws(GridError) -> Outcome {
    let secret = try terms.secret()
    guard LinkProof.isValid(proof, .dialler, over: said, secret) else { throw Self.wrongProof }
    let welcome = LinkFrame.welcome(terms.greeting).encoded
    said += Array(bytes) + welcome
    return try opened(other, terms, welcome + LinkFrame.proof(LinkProof.make(.acceptor, over: said, secret)).encoded)
  }

  // MARK: Dialler

  private mutating func welcomed(
    _ other: LinkGreeting, _ bytes: UnsafeRawBufferPointer, _ terms: Terms
  ) throws(GridError) -> Outcome {
    guard trust == .proof else { return try opened(other, terms, []) }
    said += bytes
    state = .awaitsAcceptorsProof(other)
    return .wait
  }

  /// From here on the other side is one of ours, and may hear what is wrong.
  private mutating func opened(
    _ other: LinkGreeting, _ terms: Terms, _ bytes: [UInt8]
  ) throws(GridError) -> Outcome {
    if let objection = terms.greeting.objection(to: other) ?? terms.objection(other) { throw objection }
    state = .done
    said = []
    return .open(other, sending: bytes)
  }

  // MARK: Faults

  private static let badNonce = GridError(
    .protocolMismatch, "malformed greeting: it has no \(LinkProof.nonceBytes) random bytes",
    hint: "over TCP both sides prove that they know the secret of the namespace; use the same version of gridctl")

  private static let wrongProof = GridError(
    .refused, "the proof of the namespace's secret is wrong",
    hint: "it is another namespace, or another secret: --secret-file names the file, which all its nodes and clients "
      + "have a copy of")

  private static let impostor = GridError(
    .refused, "what listens there does not know the secret of the namespace",
    hint: "is it the right address? another user's process may listen there")

  private static let unproven = GridError(
    .refused, "what listens there does not prove that it knows the secret of the namespace",
    hint: "is it the right address, and the same version of gridctl?")
}
