internal import GridCore
internal import GridRequests
internal import Testing

@testable internal import GridLink

/// Greetings under TLS, without TLS itself: what its certificates are good for.
@Suite struct CertificateGreetingTests {
  /// What both sides came to: who the acceptor lets in, and whom the dialler believes.
  private struct Ends {
    var acceptor: Result<Caller, GridError>?
    var dialler: Result<Caller, GridError>?

    var refusals: [GridError] {
      [acceptor, dialler].compactMap { end in if case .failure(let error) = end { error } else { nil } }
    }
  }

  private static func identity(_ text: String?) -> CertificateIdentity? {
    text.flatMap { CertificateIdentity(dnsName: $0) }
  }

  private static func secret(_ byte: UInt8) -> NamespaceSecret {
    NamespaceSecret([UInt8](repeating: byte, count: 32)) ?? .example
  }

  /// - Parameters:
  ///   - diallers: the DNS name in the certificate that the dialler has shown to the acceptor.
  ///   - acceptors: the same of the acceptor.
  private func greet(
    _ greeting: LinkGreeting, _ credential: LinkCredential = .certificate, diallers: String?,
    acceptors: String? = "n1.node.shop.gridctl", isEncrypted: Bool = true
  ) throws -> Ends {
    var dialler = LinkHandshake(dials: true, trust: .proof, nonce: LinkProof.nonce())
    var acceptor = LinkHandshake(dials: false, trust: .proof, nonce: LinkProof.nonce())
    func terms(_ greeting: LinkGreeting, _ credential: LinkCredential, sees name: String?) -> LinkHandshake.Terms {
      LinkHandshake.Terms(
        greeting: greeting, credential: credential, secret: { () throws(GridError) in .example }, token: { _ in nil },
        isEncrypted: isEncrypted, certificate: isEncrypted ? Self.identity(name) : nil, objection: { _ in nil })
    }
    let ours = terms(greeting, credential, sees: acceptors)
    let theirs = terms(.ofNode, .certificate, sees: diallers)
    var ends = Ends()
    func step(
      _ side: inout LinkHandshake, _ bytes: [UInt8], _ terms: LinkHandshake.Terms,
      _ end: inout Result<Caller, GridError>?
    ) throws -> [UInt8] {
      var rest = bytes[...]
      var answer: [UInt8] = []
      while rest.count > 4, end == nil {
        let length = 4 + rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        let frame = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
        do throws(GridError) {
          let read = try LinkFrame(payload: Array(frame.dropFirst(4)))
          let outcome = frame.withUnsafeBytes { bytes in
            Result { () throws(GridError) in try side.received(read, bytes, terms) }
          }
          switch try outcome.get() {
          case .wait: break
          case .send(let bytes): answer += bytes
          case .open(_, let caller, let bytes):
            answer += bytes
            end = .success(caller)
          }
        } catch {
          end = .failure(error)
        }
      }
      return answer
    }
    var toAcceptor = dialler.begin(greeting, showing: credential)
    var toDialler = acceptor.begin(.ofNode, showing: .certificate)
    for _ in 0..<3 {
      let answer = try step(&acceptor, toAcceptor, theirs, &ends.acceptor)
      toAcceptor = try step(&dialler, toDialler, ours, &ends.dialler)
      toDialler = answer
    }
    return ends
  }

  private func node(_ name: String) -> LinkGreeting {
    LinkGreeting(namespace: "shop", role: .node, name: name, incarnation: 7, address: "127.0.0.1:1")
  }

  @Test(arguments: [
    ("ada.operator.shop.gridctl", Role.operator, true), ("eve.viewer.shop.gridctl", .viewer, false),
    ("eve.viewer-bodies.shop.gridctl", .viewer, true),
  ])
  func `a client is who its certificate says`(_ name: String, _ role: Role, _ readsBodies: Bool) throws {
    let ends = try greet(.ofClient, diallers: name)
    let caller = try #require(try ends.acceptor?.get())
    #expect(caller.name == name.prefix(3) && caller.role == role && caller.source == .certificate)
    #expect(caller.readsBodies == readsBodies && !caller.isHere)
    #expect(try ends.dialler?.get().role == .node)
  }

  @Test func `a node is let in with a certificate of its own`() throws {
    let ends = try greet(node("n2"), diallers: "n2.node.shop.gridctl")
    #expect(try ends.acceptor?.get().role == .node)
    #expect(try ends.dialler?.get().name == "n1")
  }

  @Test(arguments: [
    // Another node's, a client's, another namespace's, none.
    ("n2", "n3.node.shop.gridctl"), ("n2", "n2.operator.shop.gridctl"), ("n2", "n2.node.prod.gridctl"), ("n2", nil),
  ])
  func `no node is let in with anything else`(_ name: String, _ certificate: String?) throws {
    let ends = try greet(node(name), diallers: certificate)
    #expect(ends.acceptor.map { (try? $0.get()) == nil } == true)
    #expect(ends.refusals.map(\.code) == [.refused], "\(ends)")
  }

  @Test(arguments: ["n2.node.shop.gridctl", "ada.operator.prod.gridctl", nil])
  func `a node's certificate is good for no client, nor is another namespace's`(_ certificate: String?) throws {
    let ends = try greet(.ofClient, diallers: certificate)
    #expect(ends.refusals.map(\.code) == [.refused], "\(ends)")
  }

  @Test(arguments: ["n2.node.shop.gridctl", "n1.node.prod.gridctl", "n1.operator.shop.gridctl", nil])
  func `who answers must be the node that it says it is, whatever we show`(_ certificate: String?) throws {
    for credential in [LinkCredential.certificate, .secret { () throws(GridError) in .example }] {
      let ends = try greet(.ofClient, credential, diallers: "ada.operator.shop.gridctl", acceptors: certificate)
      guard case .failure(let error) = ends.dialler else {
        Issue.record("it was believed: \(ends)")
        continue
      }
      #expect(error.code == .refused, "\(error)")
    }
  }

  @Test func `under TLS the secret lets clients in, and no nodes`() throws {
    let secret = LinkCredential.secret { () throws(GridError) in .example }
    #expect(try greet(.ofClient, secret, diallers: nil).acceptor?.get().source == .secret)
    #expect(try greet(node("n2"), secret, diallers: nil).refusals.map(\.code) == [.refused])
    #expect(try greet(node("n2"), secret, diallers: nil, isEncrypted: false).acceptor?.get().role == .node)
    let wrong = LinkCredential.secret { () throws(GridError) in Self.secret(9) }
    #expect(try greet(.ofClient, wrong, diallers: "ada.operator.shop.gridctl").refusals.map(\.code) == [.refused])
  }

  @Test func `without TLS a certificate is worth nothing`() throws {
    let ends = try greet(.ofClient, diallers: "ada.operator.shop.gridctl", isEncrypted: false)
    #expect(ends.acceptor.map { (try? $0.get()) == nil } == true, "\(ends)")
  }
}
