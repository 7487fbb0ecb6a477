internal import GridCore
internal import GridRequests
internal import Testing

@testable internal import GridLink

/// The proof of a token, frame by frame: the token goes nowhere, and what the cluster keeps of it opens nothing.
@Suite struct TokenProofTests {
  /// What the acceptor knows.
  private struct Kept {
    var token: AccessToken
    var role = Role.viewer
    var readsBodies = false
    var objection: GridError?

    var verifier: TokenVerifier {
      let keys = token.keys
      return TokenVerifier(
        identifier: token.identifier, role: role, readsBodies: readsBodies, isSingleUse: false, storedKey: keys.stored,
        serverKey: keys.server, objection: objection)
    }
  }

  private struct Talk {
    var dialler = LinkHandshake(dials: true, trust: .proof, nonce: [UInt8](repeating: 1, count: 32))
    var acceptor = LinkHandshake(dials: false, trust: .proof, nonce: [UInt8](repeating: 2, count: 32))
    var greeting = LinkGreeting.ofClient
    var shown: AccessToken
    var kept: Kept?
    /// Changes a frame on its way, by its kind.
    var change: (UInt8, inout [UInt8]) -> Void = { _, _ in }
    /// Every byte that went either way.
    var wire: [UInt8] = []

    struct Ends {
      var caller: Result<Caller?, GridError> = .success(nil)
      var node: Result<Caller?, GridError> = .success(nil)
    }

    mutating func run() -> Ends {
      var ends = Ends()
      let secret = LinkCredential.secret { () throws(GridError) in .example }
      var toAcceptor = dialler.begin(greeting, showing: .token(shown))
      var toDialler = acceptor.begin(.ofNode, showing: secret)
      for _ in 0..<4 {
        let (said, answered) = (frames(toAcceptor), frames(toDialler))
        (toAcceptor, toDialler) = ([], [])
        for frame in said { toDialler += step(&acceptor, frame, terms(.ofNode, secret), &ends.caller) }
        for frame in answered { toAcceptor += step(&dialler, frame, terms(greeting, .token(shown)), &ends.node) }
      }
      return ends
    }

    private func terms(_ greeting: LinkGreeting, _ credential: LinkCredential) -> LinkHandshake.Terms {
      LinkHandshake.Terms(
        greeting: greeting, credential: credential, secret: { () throws(GridError) in .example },
        token: { [kept] in $0 == kept?.token.identifier ? kept?.verifier : nil }, objection: { _ in nil })
    }

    private mutating func frames(_ bytes: [UInt8]) -> [[UInt8]] {
      var rest = bytes[...]
      var frames: [[UInt8]] = []
      while rest.count > 4 {
        let length = 4 + rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        var frame = Array(rest.prefix(length))
        change(frame[4], &frame)
        wire += frame
        frames.append(frame)
        rest = rest.dropFirst(length)
      }
      return frames
    }

    private func step(
      _ side: inout LinkHandshake, _ bytes: [UInt8], _ terms: LinkHandshake.Terms,
      _ end: inout Result<Caller?, GridError>
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
        case .open(_, let caller, let answer):
          end = .success(caller)
          return answer
        }
      } catch {
        end = .failure(error)
        return []
      }
    }
  }

  private static func token(_ seed: UInt64) -> AccessToken {
    var generator = SeededGenerator(seed: seed)
    return AccessToken(using: &generator)
  }

  private func error(_ end: Result<Caller?, GridError>) -> GridError? {
    if case .failure(let error) = end { return error }
    return nil
  }

  private func isIn(_ end: Result<Caller?, GridError>) -> Bool { ((try? end.get()) ?? nil) != nil }

  @Test(arguments: Role.allCases)
  func `whoever has the token is known by it`(_ role: Role) throws {
    let token = Self.token(1)
    var talk = Talk(shown: token, kept: Kept(token: token, role: role))
    let ends = talk.run()
    let caller = try #require(try ends.caller.get())
    #expect(caller.name == token.identifier && caller.role == role && caller.source == .token && !caller.isHere)
    #expect(caller.readsBodies == (role >= .operator))
    #expect(try ends.node.get()?.name == "n1")
  }

  @Test func `bodies are read where that was given`() throws {
    let token = Self.token(1)
    var talk = Talk(shown: token, kept: Kept(token: token, readsBodies: true))
    #expect(try talk.run().caller.get()?.readsBodies == true)
  }

  @Test func `the token itself goes over no connection`() throws {
    let token = Self.token(1)
    var talk = Talk(shown: token, kept: Kept(token: token))
    #expect(isIn(talk.run().caller))
    let secret = try #require(token.text.split(separator: "-").last)
    let bytes = stride(from: 0, to: secret.count, by: 2).map { index in
      UInt8(secret.dropFirst(index).prefix(2), radix: 16) ?? 0
    }
    for hidden in [Array(secret.utf8), bytes, token.keys.stored, token.keys.server] {
      #expect(!talk.wire.indices.contains { talk.wire[$0...].starts(with: hidden) })
    }
  }

  @Test func `another token, and one that is not known, are refused alike`() {
    let token = Self.token(1)
    // The same identifier with other random bits.
    let forged = try? AccessToken(
      parsing: token.text.dropLast() + (token.text.hasSuffix("0") ? "1" : "0"))
    var wrong = Talk(shown: forged ?? Self.token(2), kept: Kept(token: token))
    var unknown = Talk(shown: Self.token(2), kept: Kept(token: token))
    let (first, second) = (error(wrong.run().caller), error(unknown.run().caller))
    #expect(first?.code == .refused && first?.message == "no such token is known here")
    #expect(first?.message == second?.message && first?.hint == second?.hint)
  }

  @Test func `why it is over is told to whoever has it, and to nobody else`() {
    let token = Self.token(1)
    var kept = Kept(token: token)
    kept.objection = GridError(.refused, "token \(token.identifier) was revoked")
    var talk = Talk(shown: token, kept: kept)
    #expect(error(talk.run().caller)?.message == "token \(token.identifier) was revoked")
    var stranger = Talk(shown: token, kept: kept)
    stranger.change = { if $0 == FrameKind.proof { $1[$1.count - 1] ^= 1 } }
    #expect(error(stranger.run().caller)?.message == "no such token is known here")
  }

  @Test(arguments: [FrameKind.hello, FrameKind.challenge, FrameKind.welcome, FrameKind.proof])
  func `what is changed on the way is noticed`(_ kind: UInt8) {
    let token = Self.token(1)
    var talk = Talk(shown: token, kept: Kept(token: token))
    talk.change = { if $0 == kind { $1[$1.count - 1] ^= 1 } }
    let ends = talk.run()
    #expect(!isIn(ends.node), "\(ends)")
  }

  @Test func `a proof that was heard opens no other connection`() {
    let token = Self.token(1)
    var proofs: [[UInt8]] = []
    var first = Talk(shown: token, kept: Kept(token: token))
    first.change = { if $0 == FrameKind.proof { proofs.append($1) } }
    #expect(isIn(first.run().caller))
    // The same hello again; the acceptor's random bytes are others.
    var second = Talk(shown: token, kept: Kept(token: token))
    second.acceptor = LinkHandshake(dials: false, trust: .proof, nonce: [UInt8](repeating: 3, count: 32))
    second.change = { if $0 == FrameKind.proof { $1 = proofs[0] } }
    #expect(error(second.run().caller)?.code == .refused)
  }

  @Test func `an acceptor's own words do not prove that it knows the token`() {
    let token = Self.token(1)
    // It knows everything that was ever said, and says it back.
    var talk = Talk(shown: token, kept: Kept(token: token))
    var diallers: [UInt8] = []
    talk.change = { kind, frame in
      guard kind == FrameKind.proof else { return }
      if diallers.isEmpty { diallers = frame } else { frame = diallers }
    }
    #expect(!isIn(talk.run().node))
  }

  @Test func `what the cluster keeps of a token proves nothing`() throws {
    let token = Self.token(1)
    let said = Array("what was said".utf8)
    let verifier = Kept(token: token).verifier
    #expect(verifier.accepts(token.proof(over: said), over: said))
    #expect(!verifier.accepts(token.proof(over: said), over: said + [0]))
    for key in [token.keys.stored, token.keys.server] {
      // As the token, as a proof, and as the key of one.
      let digits = key.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
      let forged = try AccessToken(parsing: "gridctl-\(token.identifier)-\(digits)")
      for proof in [forged.proof(over: said), key, LinkProof.make(.dialler, over: said, key: key)] {
        #expect(!verifier.accepts(proof, over: said))
      }
      let masked = zip(key, LinkProof.make(.dialler, over: said, key: token.keys.stored)).map { $0 ^ $1 }
      #expect(!verifier.accepts(masked, over: said))
    }
    for proof in [[], [0], [UInt8](repeating: 0, count: 31), [UInt8](repeating: 0, count: 33)] {
      #expect(!verifier.accepts(proof, over: said))
    }
  }

  @Test func `with a token nobody comes in as a node`() {
    let token = Self.token(1)
    var talk = Talk(greeting: .ofNode, shown: token, kept: Kept(token: token, role: .node))
    #expect(error(talk.run().caller)?.message == "a token lets nobody in as a node")
  }

  @Test(
    arguments: [
      ([], [], true), ([1, 2, 3], [1, 2, 3], true), ([1, 2, 3], [1, 2, 4], false), ([9, 2, 3], [1, 2, 3], false),
      ([1], [1, 0], false), ([], [0], false), ([0, 255], [255, 0], false),
    ] as [([UInt8], [UInt8], Bool)])
  func `bytes are the same, or not`(_ left: [UInt8], _ right: [UInt8], _ areEqual: Bool) {
    #expect(LinkProof.areEqual(left, right) == areEqual)
  }

  @Test func `a token is read again as it was written, and nothing else is one`() throws {
    let token = Self.token(7)
    let again = try AccessToken(parsing: token.text)
    #expect(again.text == token.text && again.identifier == token.identifier && again.keys == token.keys)
    #expect(token.text.utf8.count == 8 + 12 + 1 + 64)
    let secret = try #require(token.text.split(separator: "-").last)
    for text in [
      "", "gridctl-", "gridctl--", "hunter2", token.identifier, "gridctl-\(token.identifier)", "x" + token.text,
      token.text + "0", String(token.text.dropLast()), String(token.text.dropLast(30)), token.text + "-",
      "gridctl-\(token.identifier)-" + String(repeating: "g", count: 64),
      "gridctl-\(token.identifier.uppercased())-\(secret)", "gridctl-\(token.identifier)-" + token.text,
      "gridctl-\(token.identifier)-" + String(repeating: "０", count: 64), "gridctl-\u{1B}[31m-\(secret)",
    ] {
      do throws(GridError) {
        _ = try AccessToken(parsing: text)
        Issue.record("\(text) is a token")
      } catch {
        #expect(error.code == .refused)
        #expect(!"\(error) \(error.hint ?? "")".contains(secret.prefix(8)), "\(error)")
      }
    }
  }

  @Test func `a token says nothing of itself but its identifier`() throws {
    let token = Self.token(3)
    let secret = try #require(token.text.split(separator: "-").last)
    var dumped = ""
    dump(token, to: &dumped)
    for text in ["\(token)", String(describing: token), String(reflecting: token), dumped] {
      #expect(!text.contains(secret.prefix(8)) && text.contains(token.identifier), "\(text)")
    }
  }

  @Test func `no two tokens are the same`() {
    var generator = SystemRandomNumberGenerator()
    let tokens = (0..<1000).map { _ in AccessToken(using: &generator) }
    #expect(Set(tokens.map(\.text)).count == 1000 && Set(tokens.map(\.identifier)).count == 1000)
    #expect(tokens.allSatisfy { AccessToken.isIdentifier($0.identifier) && NameRules.isValid($0.identifier) })
  }
}
