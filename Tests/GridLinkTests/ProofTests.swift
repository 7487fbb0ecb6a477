internal import GridCore
internal import Testing

@testable internal import GridLink

/// The proof of the secret, frame by frame and without a channel.
@Suite struct ProofTests {
  /// A conversation of two sides, in which the test may change what is said.
  struct Conversation {
    var dialler = LinkHandshake(dials: true, trust: .proof, nonce: [UInt8](repeating: 1, count: 32))
    var acceptor = LinkHandshake(dials: false, trust: .proof, nonce: [UInt8](repeating: 2, count: 32))
    var diallerKnows = NamespaceSecret.example
    var acceptorKnows = NamespaceSecret.example
    var greeting = LinkGreeting.ofClient
    var answering = LinkGreeting.ofNode
    var objection: (LinkGreeting) -> GridError? = { _ in nil }
    /// Changes a frame on its way, by its kind.
    var change: (UInt8, inout [UInt8]) -> Void = { _, _ in }

    /// What each of the two sides came to in the end.
    struct Ends {
      var dialler: Result<LinkGreeting?, GridError> = .success(nil)
      var acceptor: Result<LinkGreeting?, GridError> = .success(nil)
      var frames: [UInt8] = []
    }

    mutating func run() -> Ends {
      var ends = Ends()
      var toAcceptor = dialler.begin(greeting)
      var toDialler = acceptor.begin(answering)
      for _ in 0..<4 {
        let (said, answered) = (toAcceptor, toDialler)
        (toAcceptor, toDialler) = ([], [])
        for frame in frames(said) {
          ends.frames.append(frame[4])
          toDialler += step(&acceptor, frame, terms(answering, acceptorKnows), &ends.acceptor)
        }
        for frame in frames(answered) {
          ends.frames.append(frame[4])
          toAcceptor += step(&dialler, frame, terms(greeting, diallerKnows), &ends.dialler)
        }
      }
      return ends
    }

    private func terms(_ greeting: LinkGreeting, _ secret: NamespaceSecret) -> LinkHandshake.Terms {
      LinkHandshake.Terms(greeting: greeting, secret: { () throws(GridError) in secret }, objection: objection)
    }

    private func frames(_ bytes: [UInt8]) -> [[UInt8]] {
      var rest = bytes[...]
      var frames: [[UInt8]] = []
      while rest.count > 4 {
        let length = 4 + rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        var frame = Array(rest.prefix(length))
        change(frame[4], &frame)
        frames.append(frame)
        rest = rest.dropFirst(length)
      }
      return frames
    }

    private func step(
      _ side: inout LinkHandshake, _ bytes: [UInt8], _ terms: LinkHandshake.Terms,
      _ end: inout Result<LinkGreeting?, GridError>
    ) -> [UInt8] {
      guard case .success = end else { return [] }
      do throws(GridError) {
        let frame = try LinkFrame(payload: Array(bytes.dropFirst(4)))
        let outcome = bytes.withUnsafeBytes { bytes in
          Result { () throws(GridError) in try side.received(frame, bytes, terms) }
        }
        switch try outcome.get() {
        case .wait: return []
        case .send(let answer): return answer
        case .open(let other, _, let answer):
          end = .success(other)
          return answer
        }
      } catch {
        end = .failure(error)
        return []
      }
    }
  }

  private func code(_ end: Result<LinkGreeting?, GridError>) -> GridError.Code? {
    if case .failure(let error) = end { return error.code }
    return nil
  }

  private func greeted(_ end: Result<LinkGreeting?, GridError>) -> String? { (try? end.get())?.name }

  @Test func `two that know the secret open, and say who they are`() {
    var conversation = Conversation()
    let ends = conversation.run()
    #expect(greeted(ends.dialler) == "n1" && greeted(ends.acceptor) == "client")
    #expect(ends.frames == [1, 7, 8, 2, 8])
  }

  private static let another = NamespaceSecret([UInt8](repeating: 9, count: 32)) ?? .example

  @Test func `who does not know the secret learns nothing, and is not let in`() {
    var conversation = Conversation()
    conversation.diallerKnows = Self.another
    let ends = conversation.run()
    #expect(greeted(ends.dialler) == nil && code(ends.acceptor) == .refused)
    #expect(!ends.frames.contains(FrameKind.welcome))
  }

  @Test func `no refusal before the proof tells a name`() {
    let namespaces = ["shop", "prod"]
    for namespace in namespaces {
      var conversation = Conversation()
      conversation.diallerKnows = Self.another
      conversation.greeting.namespace = namespace
      conversation.objection = { _ in GridError(.nameTaken, "n1 of shop") }
      guard case .failure(let error) = conversation.run().acceptor else {
        Issue.record("a stranger was let in")
        continue
      }
      let told = "\(error.message) \(error.hint ?? "") \(error.cause ?? "")"
      #expect(!told.contains("shop") && !told.contains("n1") && !told.contains("prod"), "\(told)")
    }
  }

  @Test func `after the proof a refusal explains`() {
    var conversation = Conversation()
    conversation.greeting.namespace = "prod"
    guard case .failure(let error) = conversation.run().acceptor else {
      Issue.record("it was let in")
      return
    }
    #expect(error.code == .protocolMismatch && error.message.contains("\"shop\""))
    var other = Conversation()
    other.objection = { $0.role == .client ? GridError(.retryLater, "later") : nil }
    #expect(code(other.run().acceptor) == .retryLater)
  }

  @Test func `an impostor that answers is not believed`() {
    var conversation = Conversation()
    conversation.acceptorKnows = Self.another
    let ends = conversation.run()
    #expect(greeted(ends.dialler) == nil)
    // One that leaves the proof out, or sends a wrong one behind its welcome.
    for impostor in [LinkFrame.welcome(.ofNode).bytes, LinkFrame.challenge([1]).bytes] {
      var dialler = LinkHandshake(dials: true, trust: .proof, nonce: LinkProof.nonce())
      _ = dialler.begin(.ofClient)
      #expect(throws: GridError.self) { try received(&dialler, impostor) }
    }
    var dialler = LinkHandshake(dials: true, trust: .proof, nonce: LinkProof.nonce())
    _ = dialler.begin(.ofClient)
    #expect(throws: Never.self) {
      _ = try received(&dialler, LinkFrame.challenge([UInt8](repeating: 7, count: 32)).bytes)
      _ = try received(&dialler, LinkFrame.welcome(.ofNode).bytes)
    }
    #expect(throws: GridError(.refused, "")) {
      try received(&dialler, LinkFrame.proof([UInt8](repeating: 0, count: 32)).bytes)
    }
  }

  private func received(_ side: inout LinkHandshake, _ bytes: [UInt8]) throws -> LinkHandshake.Outcome {
    let terms = LinkHandshake.Terms(
      greeting: .ofClient, secret: { () throws(GridError) in .example }, objection: { _ in nil })
    let frame = try LinkFrame(payload: Array(bytes.dropFirst(4)))
    let outcome = bytes.withUnsafeBytes { bytes in
      Result { () throws(GridError) in try side.received(frame, bytes, terms) }
    }
    return try outcome.get()
  }

  @Test(arguments: [1, 2, 7, 8] as [UInt8])
  func `what is changed on the way is noticed`(_ kind: UInt8) {
    // The last byte is one of the name, of the nonce, or of the proof.
    var conversation = Conversation()
    conversation.change = { if $0 == kind { $1[$1.count - 1] ^= 1 } }
    let ends = conversation.run()
    #expect(greeted(ends.dialler) == nil, "\(ends)")
  }

  @Test func `what was said once opens no other connection`() {
    var first = Conversation()
    var proofs: [[UInt8]] = []
    first.change = { kind, frame in if kind == FrameKind.proof { proofs.append(frame) } }
    #expect(greeted(first.run().acceptor) == "client")
    var second = Conversation()
    second.acceptor = LinkHandshake(dials: false, trust: .proof, nonce: [UInt8](repeating: 3, count: 32))
    second.diallerKnows = Self.another
    let recorded = proofs.first ?? []
    second.change = { kind, frame in if kind == FrameKind.proof { frame = recorded } }
    #expect(code(second.run().acceptor) == .refused)
  }

  @Test func `nobody's proof is good for the other side`() {
    let said = Array("the same".utf8)
    let proof = LinkProof.make(.dialler, over: said, .example)
    #expect(LinkProof.isValid(proof, .dialler, over: said, .example))
    #expect(!LinkProof.isValid(proof, .acceptor, over: said, .example))
    #expect(!LinkProof.isValid(proof, .dialler, over: said, Self.another))
    #expect(!LinkProof.isValid([], .dialler, over: said, .example))
    #expect(!LinkProof.isValid(Array(proof.dropLast()), .dialler, over: said, .example))
  }

  @Test(arguments: [0, 31, 33])
  func `random bytes are 32`(_ count: Int) throws {
    var acceptor = LinkHandshake(dials: false, trust: .proof, nonce: LinkProof.nonce())
    _ = acceptor.begin(.ofNode)
    var hello = LinkGreeting.ofClient
    hello.nonce = [UInt8](repeating: 1, count: count)
    #expect(throws: GridError(.protocolMismatch, "")) { try received(&acceptor, LinkFrame.hello(hello).bytes) }
  }

  @Test func `random bytes never come twice`() {
    #expect(Set((0..<1000).map { _ in LinkProof.nonce() }).count == 1000)
    #expect(LinkProof.nonce().count == 32)
  }

  @Test func `a secret has no text`() {
    #expect("\(NamespaceSecret.example)" == "a secret")
    #expect(String(reflecting: NamespaceSecret.example) == "a secret")
    var dumped = ""
    dump(NamespaceSecret.example, to: &dumped)
    #expect(!dumped.contains("31"))
    #expect(NamespaceSecret([1, 2, 3]) == nil)
  }
}
