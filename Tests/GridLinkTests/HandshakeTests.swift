internal import GridCore
internal import NIOCore
internal import Testing

@testable internal import GridLink

/// The greeting, played against a link byte by byte.
@Suite struct HandshakeTests {
  private static let preamble = LinkChannelHandler.preamble

  @Test func `an acceptor says who speaks here before it has read anything`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    #expect(try harness.sentBytes() == Self.preamble)
  }

  @Test func `a dialler says hello at once`() throws {
    let harness = try LinkHarness(.ofClient, dials: true)
    defer { harness.finish() }
    #expect(try harness.sentBytes() == Self.preamble + LinkFrame.hello(.ofClient).bytes)
    try harness.receive(Self.preamble + LinkFrame.welcome(.ofNode).bytes)
    #expect(harness.receiver.record.opened.map(\.remote) == [.ofNode])
  }

  @Test func `a hello is welcomed, also byte by byte`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    _ = try harness.sentBytes()
    for byte in Self.preamble + LinkFrame.hello(.ofClient).bytes {
      #expect(harness.receiver.record.opened.isEmpty)
      try harness.receive([byte])
    }
    #expect(try harness.sentFrames() == [.welcome(.ofNode)])
    #expect(harness.receiver.record.opened.map(\.remote) == [.ofClient])
  }

  @Test(arguments: [0, 1, 2, 99, UInt64.max])
  func `any minor version is spoken to`(_ minor: UInt64) throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    var newer = LinkGreeting.ofClient
    newer.minor = minor
    // A newer minor version may say more of itself.
    let hello = [1] + LinkFrame.hello(newer).bytes.dropFirst(5) + [0xFA, 0x07, 0x01, 0x21]
    try harness.receive(Self.preamble + [0, 0, 0, UInt8(hello.count)] + hello)
    #expect(try harness.sentFrames() == [.welcome(.ofNode)])
    #expect(harness.receiver.record.opened.first?.remote.minor == minor)
  }

  @Test(arguments: [0, 1, 2, 4, UInt64.max])
  func `another major version is refused with both versions named`(_ major: UInt64) throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    var other = LinkGreeting.ofClient
    other.major = major
    try harness.receive(Self.preamble + LinkFrame.hello(other).bytes)
    try expectRefusal(harness, containing: "\(major).\(LinkGreeting.currentMinor)")
  }

  @Test(arguments: ["prod", "", "Shop", "shop "])
  func `another namespace is refused with both names`(_ namespace: String) throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    try harness.receive(
      Self.preamble + LinkFrame.hello(LinkGreeting(namespace: namespace, role: .client, name: "n9")).bytes)
    try expectRefusal(harness, containing: "\"\(namespace)\" was asked for, this is namespace \"shop\"")
  }

  private func expectRefusal(
    _ harness: LinkHarness, containing text: String, at place: SourceLocation = #_sourceLocation
  ) throws {
    guard case .refusal(let error)? = try harness.sentFrames().first else {
      Issue.record("no refusal was sent", sourceLocation: place)
      return
    }
    #expect(error.code == .protocolMismatch, sourceLocation: place)
    #expect(error.message.contains(text), "\(error.message)", sourceLocation: place)
    #expect(!harness.isOpen, sourceLocation: place)
    #expect(harness.receiver.record.opened.isEmpty, sourceLocation: place)
    #expect(harness.rejected.map(\.code) == [.protocolMismatch], sourceLocation: place)
  }

  @Test func `a dialler refuses a node of another namespace or version`() throws {
    for change in [{ $0.major = 2 }, { $0.namespace = "prod" }] as [(inout LinkGreeting) -> Void] {
      let harness = try LinkHarness(.ofClient, dials: true)
      defer { harness.finish() }
      var other = LinkGreeting.ofNode
      change(&other)
      try harness.receive(Self.preamble + LinkFrame.welcome(other).bytes)
      #expect(harness.rejected.map(\.code) == [.protocolMismatch])
      #expect(!harness.isOpen)
    }
  }

  @Test func `a node is not believed on a Unix socket`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    var peer = LinkGreeting.ofNode
    peer.name = "n2"
    try harness.receive(Self.preamble + LinkFrame.hello(peer).bytes)
    guard case .refusal(let error)? = try harness.sentFrames().first else { throw GridError(.failed, "no refusal") }
    #expect(error.code == .refused)
    #expect(harness.receiver.record.opened.isEmpty)
  }

  @Test func `a process of another user is told nothing, whatever it says`() throws {
    let harness = try LinkHarness(stranger: GridError(.refused, "not for you"))
    defer { harness.finish() }
    try harness.receive(Self.preamble + LinkFrame.hello(.ofClient).bytes)
    #expect(try harness.sentFrames() == [.refusal(GridError(.refused, "not for you"))])
    #expect(!harness.isOpen && harness.receiver.record.opened.isEmpty)
  }

  @Test func `over TCP both sides prove themselves, also byte by byte`() throws {
    let acceptor = try LinkHarness(trust: .proof)
    let dialler = try LinkHarness(.ofClient, dials: true, trust: .proof)
    defer {
      acceptor.finish()
      dialler.finish()
    }
    for _ in 0..<4 {
      for byte in try dialler.sentBytes() { try acceptor.receive([byte]) }
      for byte in try acceptor.sentBytes() { try dialler.receive([byte]) }
    }
    #expect(acceptor.receiver.record.opened.map(\.remote.name) == ["client"])
    #expect(dialler.receiver.record.opened.map(\.remote) == [.ofNode])
  }

  @Test func `a dialler hears why it was refused`() throws {
    let harness = try LinkHarness(.ofClient, dials: true)
    defer { harness.finish() }
    let refusal = GridError(.refused, "no viewers today", hint: "come back")
    try harness.receive(Self.preamble + LinkFrame.refusal(refusal).bytes)
    #expect(harness.rejected.first?.message == "no viewers today")
    #expect(harness.rejected.first?.hint == "come back")
    #expect(harness.rejected.first?.code == .refused)
  }

  @Test(arguments: [
    "HTTP/1.1 400 Bad Request\r\n\r\n", "GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "GRIDCTL ", "GRIDCTX\n",
    "\u{0}",
  ])
  func `another protocol is told apart at once`(_ text: String) throws {
    let harness = try LinkHarness(.ofClient, dials: true)
    defer { harness.finish() }
    try harness.receive(Array(text.utf8))
    #expect(harness.rejected.map(\.code) == [.protocolMismatch])
    #expect(harness.rejected.first?.message.contains("no gridctl node") == true)
    #expect(!harness.isOpen)
  }

  @Test(arguments: [
    LinkFrame.ping(1), .welcome(.ofNode), .goodbye("x"), .accepted(1), .reply(1, Message("x")),
    .credit(target: "a", bytes: 1),
  ])
  func `nothing but a greeting comes first`(_ frame: LinkFrame) throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    try harness.receive(Self.preamble + frame.bytes)
    try expectRefusal(harness, containing: "greeting")
  }

  @Test func `a frame of a kind that a newer peer sends before the greeting is skipped`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    try harness.receive(Self.preamble + LinkFrame.unknown(77).bytes + LinkFrame.hello(.ofClient).bytes)
    #expect(harness.receiver.record.opened.count == 1)
  }

  @Test(arguments: [0, 16_385, 16_777_216, UInt32.max])
  func `before the greeting is done a frame is small`(_ length: UInt32) throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    try harness.receive(Self.preamble + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) })
    try expectRefusal(harness, containing: "a frame of \(length) bytes")
  }

  @Test func `who does not greet within five seconds is let go`() throws {
    let harness = try LinkHarness()
    defer { harness.finish() }
    try harness.receive(Array(Self.preamble.prefix(3)))
    harness.pass(.milliseconds(4999))
    #expect(harness.isOpen)
    harness.pass(.milliseconds(1))
    #expect(!harness.isOpen)
    #expect(harness.rejected.map(\.code) == [.unavailable])
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `random bytes behind the preamble never end the process`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for isGreeted in [false, true] {
      let harness = try LinkHarness()
      defer { harness.finish() }
      if isGreeted { _ = try harness.greet() } else { try harness.receive(Self.preamble) }
      for _ in 0..<100 where harness.isOpen {
        let count = Int.random(in: 1...40, using: &generator)
        // A plausible length now and then, so that payloads are looked at, too.
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try harness.receive(Bool.random(using: &generator) ? bytes : [0, 0, 0, UInt8(count)] + bytes)
      }
      _ = try harness.sentBytes()
    }
  }
}
