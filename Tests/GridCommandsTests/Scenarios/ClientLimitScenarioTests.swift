import Foundation
import Testing

/// A client that asks for more than one may is told so, and keeps its connection.
@Suite(.enabled(if: Machine.hasPython, "python3 is not installed"))
struct ClientLimitScenarioTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Support").path

  private func run(_ script: String, _ sandbox: Sandbox) async throws -> String {
    let whole = """
      import json, sys
      from link import *
      peer = connect(sys.argv[1], "default")
      def told(number, send):
          '''The codes of what failed, up to the answer to a ping.'''
          ping = field(1, number) + field(2, "ping") + field(3, "{}") + field(4, 5000000)
          peer.sock.sendall(send + frame(REQUEST, ping))
          codes = []
          while True:
              kind, found, _ = peer.frame()
              if kind == FAILURE:
                  codes.append(text(found, 2) + " " + text(found, 3))
              if kind == REPLY and found.get(1) == number:
                  return codes
      \(script)
      """
    try whole.write(toFile: sandbox.directory + "/limit.py", atomically: true, encoding: .utf8)
    return try await sandbox.output(
      "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=\(Self.folder) python3 limit.py $(at n1)")
  }

  @Test func channelsBeyondTheLimitAreRefusedByName() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let answer = try await run(
        """
        stream = lambda n: frame(REQUEST, field(1, n) + field(2, "events") + field(3, "{}") + field(5, 1000))
        codes = told(1000, b"".join(map(stream, range(1, 301))))
        print(len(codes), set(codes))
        peer.sock.sendall(b"".join(frame(CANCEL, field(1, n)) for n in range(1, 301)))
        print(told(2000, b"".join(map(stream, range(1001, 1100)))))
        """, sandbox)
      #expect(
        answer == "44 {'retry-later one connection has more than 256 lists and streams open'}\n[]")
      #expect(try await sandbox.output("gridctl node info -o jsonpath={.refusedRequests}") == "44")
    }
  }

  @Test func whatIsTooLongBesideABodyIsRefusedByName() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("start --name n1; gridctl spawn echo e")
      let answer = try await run(
        """
        message = lambda n, rest: frame(MESSAGE, field(1, n) + field(10, 1) + field(12, 5000000) + rest)
        header = field(6, field(1, "k") + field(2, "v"))
        cases = [field(8, "e") + field(9, "s" * 1025), field(8, "e" * 1025), field(8, "e") + field(5, "t" * 1025),
                 field(8, "e") + field(4, "c" * 1025), field(8, "e") + header * 257,
                 field(8, "e") + field(6, field(1, "k") + field(2, "v" * 65536)), field(8, "e") + field(9, "s" * 1024)]
        for number, case in enumerate(cases):
            print(*told(100 + number, message(1 + number, case)))
        deep = "[" * 65 + "]" * 65
        for arguments in ['{"x":' + deep + "}", " " * (4 << 20) + "{}"]:
            try:
                peer.exchange(REQUEST, field(2, "peers") + field(3, arguments) + field(4, 5000000))
            except Failure as failure:
                print(failure.code)
        """, sandbox)
      #expect(
        answer == """
          undecodable a sender of 1025 bytes is too long: 1024 are allowed
          undecodable a target of 1025 bytes is too long: 1024 are allowed
          undecodable a type of 1025 bytes is too long: 1024 are allowed
          undecodable a content type of 1025 bytes is too long: 1024 are allowed
          undecodable 257 headers are too many: 256 are allowed
          undecodable headers of 65537 bytes are too large: 65536 are allowed

          undecodable
          undecodable
          """)
      #expect(try await sandbox.output("gridctl dead-letters list --reason undecodable -o name | wc -l") != "0")
    }
  }
}
