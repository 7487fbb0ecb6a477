internal import Foundation
internal import GridCore
internal import Testing

@testable internal import GridLink

/// The bytes printed in LINK.md are the bytes that are sent.
@Suite struct DocumentTests {
  /// The text of a file beside the wire code, found upwards from this file.
  private func text(_ name: String) throws -> String {
    var folder = URL(filePath: #filePath).deletingLastPathComponent()
    let place = "Sources/GridLink/Wire/\(name)"
    while !FileManager.default.fileExists(atPath: folder.appending(path: place).path), folder.pathComponents.count > 1 {
      folder.deleteLastPathComponent()
    }
    return try String(contentsOf: folder.appending(path: place), encoding: .utf8)
  }

  /// The bytes of the dump with that title.
  private func dump(_ title: String) throws -> [UInt8] {
    let lines = try text("LINK.md").split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "```hexdump \(title)"), "LINK.md has no dump \(title)")
    return lines[(start + 1)...].prefix { $0 != "```" }.flatMap { line in
      line.dropFirst(8).prefix { $0 != "|" }.split(separator: " ").compactMap { UInt8($0, radix: 16) }
    }
  }

  private static let preamble = LinkChannelHandler.preamble

  @Test func `the handshake`() throws {
    #expect(try dump("client-greets") == Self.preamble + LinkFrame.hello(.ofClient).bytes)
    #expect(try dump("node-welcomes") == Self.preamble + LinkFrame.welcome(.ofNode).bytes)
  }

  /// Both sides of a greeting over TCP, with the secret and the random bytes of the example.
  @Test func `the proof`() throws {
    func received(_ side: inout LinkHandshake, _ bytes: [UInt8], _ greeting: LinkGreeting) throws -> [UInt8] {
      let terms = LinkHandshake.Terms(
        greeting: greeting, secret: { () throws(GridError) in .example }, objection: { _ in nil })
      let frame = try LinkFrame(payload: Array(bytes.dropFirst(4)))
      let outcome = bytes.withUnsafeBytes { bytes in
        Result { () throws(GridError) in try side.received(frame, bytes, terms) }
      }
      switch try outcome.get() {
      case .send(let answer), .open(_, _, let answer): return answer
      case .wait: return []
      }
    }
    var client = LinkHandshake(dials: true, trust: .proof, nonce: [UInt8](repeating: 0x11, count: 32))
    var node = LinkHandshake(dials: false, trust: .proof, nonce: [UInt8](repeating: 0x22, count: 32))
    let (hello, challenge) = (client.begin(.ofClient), node.begin(.ofNode))
    #expect(try dump("client-greets-over-tcp") == Self.preamble + hello)
    #expect(try dump("node-challenges") == Self.preamble + challenge)
    let proof = try received(&client, challenge, .ofClient)
    #expect(try dump("client-proves") == proof)
    #expect(try received(&node, hello, .ofNode) == [])
    var stranger = node
    #expect(try received(&node, proof, .ofNode) == dump("node-proves"))
    do {
      _ = try received(&stranger, LinkFrame.proof([]).bytes, .ofNode)
    } catch let error as GridError {
      #expect(try dump("node-refuses-a-proof") == LinkFrame.refusal(error).bytes)
    }
  }

  @Test func `an ask and its reply`() throws {
    let ask = MessageFrame(
      target: "calc", message: Message("2^10"), sender: "client", expectation: .reply, waitsForRoom: false,
      correlation: 1, remainingMicroseconds: 5_000_000)
    #expect(try dump("client-asks") == LinkFrame.message(ask).bytes)
    #expect(try dump("node-replies") == LinkFrame.reply(1, Message("1024")).bytes)
  }

  @Test func `a refusal`() throws {
    let prod = LinkGreeting(namespace: "prod", role: .node, name: "n1")
    let refusal = try #require(prod.objection(to: .ofClient))
    #expect(try dump("node-refuses") == Self.preamble + LinkFrame.refusal(refusal).bytes)
  }

  @Test func `the printable column repeats the bytes`() throws {
    for line in try text("LINK.md").split(separator: "\n") where line.hasSuffix("|") && line.hasPrefix("000000") {
      let bytes = line.dropFirst(8).prefix { $0 != "|" }.split(separator: " ").compactMap { UInt8($0, radix: 16) }
      let shown = String(
        bytes.map { (0x20..<0x7F).contains($0) ? Character(UnicodeScalar($0)) : "." })
      #expect(line.hasSuffix("|\(shown)|"))
    }
  }

  @Test(arguments: [
    ("16 777 216", LinkFrame.maximumBytes), ("16 384", LinkFrame.maximumGreetingBytes),
    ("16 711 680", Message.maximumBodyBytes), ("1 048 576", SendWindows.bytesPerTarget),
    ("16 777 088", ChannelLimits.itemBytes), ("32 768", ChannelLimits.partBytes), ("262 144", ChannelLimits.window),
  ])
  func `the limits are those of the code`(_ written: String, _ limit: Int) throws {
    #expect(Int(written.filter { $0 != " " }) == limit)
    #expect(try text("LINK.md").contains(written))
  }

  @Test func `every field of the schema has its number in the document`() throws {
    let rows = try text("LINK.md").split(separator: "\n")
    var message = ""
    for line in try text("link.proto").split(separator: "\n") {
      let words = line.split { " ;={".contains($0) }
      if words.first == "message" { message = String(words[1]) }
      guard line.hasPrefix("  "), words.count >= 3, let number = words.last.flatMap({ Int($0) }) else { continue }
      // Headers stand inside the message that has them, and values of enumerations have no type.
      let name = words[words.count - 2]
      guard name.first?.isLowercase == true, message != "Header", words[0] != "reserved" else { continue }
      let row = rows.first { $0.hasPrefix("| `\(message)` |") }
      #expect(row?.contains("\(number) `\(name)`") == true, "\(message).\(name) = \(number)")
    }
  }

  @Test func `every code of a failure and every verb has its row`() throws {
    let document = try text("LINK.md")
    for code in GridError.Code.all { #expect(document.contains("`\(code.label)`"), "\(code.label)") }
    // What can be asked, as the types say.
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/GridRequests")
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    let verbs = try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
      .flatMap { try String(contentsOf: $0, encoding: .utf8).split(separator: "\n") }
      .filter { $0.contains("static let verb = ") }.compactMap { $0.split(separator: "\"").last }
    #expect(verbs.count > 30)
    for verb in verbs { #expect(document.contains("\n| `\(verb)` |"), "\(verb)") }
  }

  @Test func `every kind of frame has its row and its place in the schema`() throws {
    let document = try text("LINK.md")
    let schema = try text("link.proto")
    let kinds: [(UInt8, String)] = [
      (FrameKind.hello, "hello"), (FrameKind.welcome, "welcome"), (FrameKind.refusal, "refusal"),
      (FrameKind.ping, "ping"), (FrameKind.pong, "pong"), (FrameKind.goodbye, "goodbye"),
      (FrameKind.challenge, "challenge"), (FrameKind.proof, "proof"),
      (FrameKind.message, "message"), (FrameKind.accepted, "accepted"), (FrameKind.reply, "reply"),
      (FrameKind.failure, "failure"), (FrameKind.cancel, "cancel"), (FrameKind.credit, "credit"),
      (FrameKind.request, "request"), (FrameKind.data, "data"), (FrameKind.grant, "grant"), (FrameKind.close, "close"),
    ]
    for (number, name) in kinds {
      #expect(document.contains("| \(number) | \(name) |"))
      #expect(
        schema.split(separator: "\n").contains { $0.hasPrefix("// Kind") && $0.hasToken(String(number)) }, "\(name)")
    }
  }
}

extension Substring {
  /// Whether the number stands in the text by itself.
  fileprivate func hasToken(_ number: String) -> Bool {
    split { !$0.isNumber }.contains(Substring(number))
  }
}
