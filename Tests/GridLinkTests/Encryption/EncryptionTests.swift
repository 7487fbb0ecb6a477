internal import Foundation
internal import GridCore
internal import GridRequests
internal import GridSystem
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Testing

@testable internal import GridLink

@Suite("Encrypted links", .timeLimit(.minutes(5)))
struct EncryptionTests {
  /// What became of a connection: at the side that has dialled, and at the other one.
  private func attempt(
    _ dialler: LinkGreeting, _ files: TLSFiles?, to acceptor: LinkGreeting, _ listening: TLSFiles?
  ) async throws -> (dialled: Result<Link, GridError>, accepted: RealSide) {
    let accepted = try RealSide(acceptor, listening)
    let listener = try await accepted.listen()
    let side = try RealSide(dialler, files)
    let result = await side.dial(listener.address)
    await listener.close()
    return (result, accepted)
  }

  private func error(_ result: Result<Link, GridError>) throws -> GridError {
    switch result {
    case .success(let link):
      link.close(GridError(.cancelled, "not expected"))
      throw GridError(.failed, "it is open")
    case .failure(let error): return error
    }
  }

  @Test("nodes know each other by their certificates, operators and viewers are known by theirs")
  func believed() async throws {
    try await withAuthority { authority in
      let server = try authority.files("n1")
      let node = try await attempt(.node("n2"), try authority.files("n2"), to: .node("n1"), server)
      let link = try node.dialled.get()
      #expect(link.remote.name == "n1" && link.caller.role == .node)
      #expect(node.accepted.receiver.record.opened.first?.caller.name == "n2")
      link.close(GridError(.cancelled, "done"))
      for role in [Role.viewer, .operator] {
        let client = try await attempt(.ofClient, try authority.files("anna", role), to: .node("n1"), server)
        let link = try client.dialled.get()
        let caller = try #require(client.accepted.receiver.record.opened.first?.caller)
        #expect(caller.role == role && caller.name == "anna" && caller.source == .certificate && !caller.isHere)
        #expect(caller.readsBodies == (role == .operator))
        link.close(GridError(.cancelled, "done"))
      }
      // Without a certificate the secret is proved.
      let secret = try await attempt(.ofClient, authority.alone, to: .node("n1"), server)
      try secret.dialled.get().close(GridError(.cancelled, "done"))
      #expect(secret.accepted.receiver.record.opened.first?.caller.source == .secret)
    }
  }

  @Test("who is not meant by a certificate is refused, and both sides say why")
  func refused() async throws {
    try await withAuthority { authority in
      let server = try authority.files("n1")
      let n2 = try authority.files("n2")
      let stranger = try TestAuthority(in: authority.directory + "/other")
      let foreign = try stranger.files("n2")
      let mixed = TLSFiles(authority: server.authority, certificate: foreign.certificate, key: foreign.key)
      let cases: [(what: String, LinkGreeting, TLSFiles, LinkGreeting, TLSFiles, dialler: String, acceptor: String)] = [
        ("another node's", .node("n3"), n2, .node("n1"), server, "is node n2's, and node n3 uses it", "node n3 uses"),
        (
          "of another namespace", .node("n2"), try authority.files("n2", namespace: "bank", file: "bank"), .node("n1"),
          server,
          "another namespace", "another namespace"
        ),
        ("a node's, for a client", .ofClient, n2, .node("n1"), server, "it is for no client", "for no client"),
        (
          "a client's, for a node", .node("anna"), try authority.files("anna", .operator), .node("n1"), server,
          "it is for no node", "for no node"
        ),
        (
          "of another authority, not known there", .node("n2"), mixed, .node("n1"), server,
          "does not know the authority that has issued the certificate \(foreign.certificate ?? "")",
          "the certificate of n2.node.shop.gridctl is of another authority than \(server.authority)"
        ),
        (
          "of a node that another authority knows", .node("n2"), foreign, .node("n1"), server,
          "the certificate of n1.node.shop.gridctl is of another authority than \(foreign.authority)",
          "does not know the authority"
        ),
        (
          "a node that is not the one it says", .ofClient, authority.alone, .node("n9"), server,
          "node n9 uses it", ""
        ),
        (
          "a node without the secret or a certificate", .node("n2"), authority.alone, .node("n1"), server,
          "under TLS a node has a certificate", "a node has a certificate"
        ),
      ]
      for (what, dialler, files, acceptor, listening, said, logged) in cases {
        let result = try await attempt(dialler, files, to: acceptor, listening)
        let error = try error(result.dialled)
        #expect(error.code == .refused, "\(what): \(error)")
        #expect(error.message.contains(said), "\(what): \(error)")
        // Whoever has dialled may be the only one who has an objection.
        guard !logged.isEmpty else { continue }
        let refusal = await result.accepted.refusal()
        #expect(refusal?.message.contains(logged) == true, "\(what): \(String(describing: refusal))")
        #expect(result.accepted.receiver.record.opened.isEmpty, "\(what)")
      }
    }
  }

  @Test("what has expired, or is not valid yet, is told with its date")
  func times() async throws {
    try await withAuthority { authority in
      let good = try authority.files("n1")
      let old = try authority.files("n2", age: 400, days: 365)
      // Our own: told before anything is sent.
      let own = try error(try await attempt(.node("n2"), old, to: .node("n1"), good).dialled)
      #expect(own.code == .refused && own.message.contains("the certificate \(old.certificate ?? "") expired 2"))
      #expect(own.hint == "gridctl tls issue --ca DIR --namespace shop --name n2 --role node --force")
      // That of who listens.
      let other = try error(try await attempt(.node("n1"), good, to: .node("n2"), old).dialled)
      #expect(other.code == .refused && other.message.contains("the certificate of n2.node.shop.gridctl expired 2"))
      let early = try authority.files("n3", age: -2)
      let future = try error(try await attempt(.node("n1"), good, to: .node("n3"), early).dialled)
      #expect(future.message.contains("the certificate of n3.node.shop.gridctl is not valid before"), "\(future)")
      #expect(future.hint?.contains("clock") == true)
    }
  }

  @Test("one side with TLS and one without know at once what is wrong")
  func mixed() async throws {
    try await withAuthority { authority in
      let files = try authority.files("n1")
      let plainDialler = try await attempt(.ofClient, nil, to: .node("n1"), files)
      let told = try error(plainDialler.dialled)
      #expect(told.code == .protocolMismatch && told.message.contains("it speaks TLS"), "\(told)")
      #expect(told.hint?.contains("--tls-ca") == true)
      #expect(await plainDialler.accepted.refusal()?.message == "whoever has dialled speaks no TLS")
      let plainNode = try await attempt(.ofClient, authority.alone, to: .node("n1"), nil)
      let answered = try error(plainNode.dialled)
      #expect(answered.code == .protocolMismatch && answered.message.contains("the node there speaks no TLS"))
      #expect(await plainNode.accepted.refusal()?.message == "whoever has dialled speaks TLS, which this node does not")
    }
  }

  @Test("keys that others may read, keys of other certificates and files of something else are refused")
  func files() async throws {
    try await withAuthority { authority in
      let n1 = try authority.files("n1")
      let n2 = try authority.files("n2")
      func error(_ files: TLSFiles) -> GridError? {
        do throws(GridError) {
          _ = try CertificateEncryption(files, listens: true, clock: SystemClock())
        } catch { return error }
        return nil
      }
      let key = try #require(n1.key)
      #expect(error(n1) == nil)
      let crossed = error(TLSFiles(authority: n1.authority, certificate: n1.certificate, key: n2.key))
      #expect(crossed?.message.contains("is not the one of the certificate") == true, "\(String(describing: crossed))")
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
      #expect(error(n1)?.code == .refused && error(n1)?.hint?.hasPrefix("chmod 600 \(key)") == true)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
      #expect(error(TLSFiles(authority: key))?.message.contains("holds no certificate") == true)
      #expect(error(TLSFiles(authority: "/nowhere"))?.code == .noInput)
    }
  }

  @Test("replaced files count for new connections, broken ones leave those before, and nothing that runs is lost")
  func rotation() async throws {
    try await withAuthority { authority in
      let clock = MovedClock()
      let n1 = try authority.files("n1", days: 10)
      let side = try RealSide(.node("n1"), n1, clock: clock)
      let listener = try await side.listen()
      let client = try RealSide(.node("n2"), try authority.files("n2"))
      let link = try await client.dial(listener.address).get()
      let before = try #require(side.encryption?.own)
      _ = try authority.files("n1", days: 20)
      clock.advance()
      let next = try await client.dial(listener.address).get()
      let after = try #require(side.encryption?.own)
      #expect(after.notAfter > before.notAfter)
      // Half a file, and another node's.
      try Data("-----BEGIN CERT".utf8).write(to: URL(fileURLWithPath: try #require(n1.certificate)))
      clock.advance()
      #expect(side.encryption?.own == after)
      _ = try authority.files("n3", file: "n1")
      clock.advance()
      #expect(side.encryption?.own == after)
      try await client.dial(listener.address).get().close(GridError(.cancelled, "done"))
      #expect(!link.isClosed && !next.isClosed)
      link.close(GridError(.cancelled, "done"))
      next.close(GridError(.cancelled, "done"))
      await listener.close()
    }
  }

  @Test("BoringSSL still says its numbers where they are looked for")
  func numbers() {
    let table: [(Int, String)] = [
      (1045, "has expired"), (1048, "does not know the authority"), (1042, "does not believe"),
      (240, "no version of TLS"), (1070, "no version of TLS"), (1116, "no certificate was shown"),
    ]
    let explanation = EncryptionExplanation(
      dials: true, authority: "ca.pem", certificate: "n1.pem", own: nil, other: nil,
      now: CalendarTime(millisecondsSince1970: 0))
    for (number, text) in table {
      #expect(explanation.error(for: number)?.message.contains(text) == true, "\(number)")
    }
    #expect(explanation.error(for: 1) == nil)
    // Whoever has dialled and does not believe us has not failed to log in.
    var accepted = explanation
    accepted.dials = false
    for number in [1042, 1045, 1048] { #expect(accepted.error(for: number)?.code == .unavailable, "\(number)") }
    #expect(accepted.endDuringHandshake.code == .unavailable)
    #expect(accepted.error(for: 125)?.code == .refused)
  }
}

/// The machine's clock, set forward by a test.
private final class MovedClock: GridClock {
  private let clock = SystemClock()
  private let offset = Mutex(Duration.zero)

  func advance() { offset.withLock { $0 += .seconds(2) } }
  func now() -> MonotonicTime { clock.now() + offset.withLock { $0 } }
  func date() -> CalendarTime { clock.date() }
}
