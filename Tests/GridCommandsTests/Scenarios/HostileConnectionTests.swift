import Foundation
import Testing

/// What is no gridctl at the other end of a connection, in both directions.
@Suite struct HostileConnectionTests {
  @Test func aServerOfAnotherProtocolIsToldApart() async throws {
    let server = try RawServer(says: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    defer { server.stop() }
    try await withSandbox { sandbox in
      let result = try await sandbox.run("gridctl peers -e 127.0.0.1:\(server.port)")
      #expect(result.status == 76)
      #expect(result.errors.contains("no gridctl node"), "\(result.errors)")
      #expect(result.errors.contains("check the endpoint"))
      let json = try await sandbox.run("gridctl peers -o json -e 127.0.0.1:\(server.port)")
      #expect(json.errors.contains(#""name":"protocol-mismatch""#))
    }
  }

  @Test func aSilentServerIsWaitedForNoLongerThanAsked() async throws {
    let server = try RawServer(says: nil)
    defer { server.stop() }
    try await withSandbox { sandbox in
      let result = try await sandbox.run("gridctl peers -t 300ms -e 127.0.0.1:\(server.port)")
      #expect(result.status == 69)
      #expect(result.errors == "error: cannot reach 127.0.0.1:\(server.port): no greeting within 300ms\n")
    }
  }

  @Test func aNodeBehindOneThatIsSilentIsFound() async throws {
    let server = try RawServer(says: nil)
    defer { server.stop() }
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let endpoints = "127.0.0.1:1,127.0.0.1:\(server.port),\(sandbox.endpoint("n1"))"
      #expect(try await sandbox.output("GRIDCTL_ENDPOINTS=\(endpoints) gridctl node ping -o name") == "node/n1")
      let none = try await sandbox.run("gridctl peers -e 127.0.0.1:1 -e 127.0.0.1:2")
      #expect(none.status == 69)
      #expect(none.errors.hasPrefix("error: none of 2 endpoints answers: "), "\(none.errors)")
    }
  }

  private static func port(_ sandbox: Sandbox) async throws -> UInt16 {
    let address = try await sandbox.output("gridctl node info -o tsv | awk '$1 == \"address\" { print $2 }'")
    return try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
  }

  @Test func randomBytesLeaveTheNodeUnharmed() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits; gridctl tell hits 5")
      let port = try await Self.port(sandbox)
      let process = try await sandbox.processIdentifier(of: "n1")
      _ = try await sandbox.run("head -c 30000000 /dev/urandom >/dev/tcp/127.0.0.1/\(port)")
      #expect(try await sandbox.output("gridctl ask hits") == "5")
      #expect(try await sandbox.processIdentifier(of: "n1") == process)
    }
  }

  /// The preamble and a client's greeting, as `LINK.md` has them.
  private static let greeting =
    Array("GRIDCTL\n".utf8) + [0, 0, 0, 0x14, 1, 8, 2, 0x1A, 7]
    + Array("default".utf8) + [0x2A, 6] + Array("client".utf8)

  @Test func tenThousandRandomAndTruncatedFramesLeaveTheNodeUnharmed() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits; gridctl tell hits 5")
      let port = try await Self.port(sandbox)
      let process = try await sandbox.processIdentifier(of: "n1")
      let seed = UInt64.random(in: 1...UInt64.max)
      // Over TCP nobody gets through the greeting; on the Unix socket what is behind it is looked at.
      let socket = sandbox.endpoint("n1").dropFirst(5)
      let sent =
        Self.attack({ RawConnection(port: port) }, seed: seed, connections: 1000, frames: 4)
        + Self.attack({ RawConnection(path: String(socket)) }, seed: seed, connections: 1500, frames: 4)
      #expect(sent >= 10_000, "seed \(seed)")
      #expect(try await sandbox.output("gridctl ask hits") == "5", "seed \(seed)")
      #expect(try await sandbox.processIdentifier(of: "n1") == process, "seed \(seed)")
      let memory = try sandbox.memory(of: process)
      #expect(memory.most < 150 << 20, "seed \(seed): \(memory.most) bytes")
      // What the attackers opened is closed again.
      let open = "ls /proc/\(process)/fd | wc -l"
      let left = try await sandbox.eventually(open) { (Int($0.output.dropLast()) ?? .max) < 60 }
      #expect((Int(left.output.dropLast()) ?? .max) < 60)
    }
  }

  /// Sends frames with a true and with a lying length, whole and cut short.
  private static func attack(
    _ connect: () -> RawConnection?, seed: UInt64, connections: Int, frames: Int
  ) -> Int {
    var generator = Generator(state: seed)
    var sent = 0
    for round in 0..<connections {
      guard let connection = connect() else { continue }
      if round % 8 == 7 {
        connection.send(Array(greeting.prefix(Int.random(in: 1..<greeting.count, using: &generator))))
        sent += frames
        continue
      }
      connection.send(greeting)
      for _ in 0..<frames {
        let body = (0..<Int.random(in: 1..<300, using: &generator)).map { _ in
          UInt8.random(in: 0...255, using: &generator)
        }
        let lies = Int.random(in: 0..<4, using: &generator) == 0
        let length = lies ? UInt32.random(in: 0...UInt32.max, using: &generator) : UInt32(body.count)
        let prefix = withUnsafeBytes(of: length.bigEndian) { Array($0) }
        // Types that exist are more interesting than those that do not.
        let kind = UInt8.random(in: 0...16, using: &generator)
        connection.send(prefix + [kind] + body.dropFirst())
        sent += 1
      }
    }
    return sent
  }

  /// SplitMix64.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }
}
