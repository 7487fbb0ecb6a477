import Foundation
import Testing

/// A secret is in its file and in the memory of who needs it, and nowhere else.
@Suite struct SecretCanaryTests {
  private static let secret = "CANARY-of-the-namespace-01234567"
  private static let password = "CANARY-of-etcd-89abcdef"

  /// As it may have been written down.
  private static var forms: [(form: String, bytes: Data)] {
    [secret, password].flatMap { text in
      let bytes = Data(text.utf8)
      let digits = bytes.map { String(format: "%02x", $0) }.joined()
      // What stands around it may shift the groups of base 64: the middle ones of each shift are looked for.
      let encoded = (0..<3).map { shift in
        Data(Data(repeating: 0x20, count: shift) + bytes).base64EncodedString().dropFirst(4).dropLast(8)
      }
      return [("plain", bytes), ("hex", Data(digits.utf8)), ("HEX", Data(digits.uppercased().utf8))]
        + encoded.map { ("base 64", Data($0.utf8)) }
    }
  }

  private func expectNone(in bytes: Data, _ place: String) {
    for (form, canary) in Self.forms {
      if bytes.range(of: canary) != nil { Issue.record("a secret is in \(place), as \(form)") }
    }
  }

  private static let session = [
    "gridctl spawn exec p -- sh -c 'env >program-environment; cat /proc/$PPID/environ >parent 2>/dev/null; exec cat'",
    "gridctl ask p x -vv", "gridctl spawn exec crash -- sh -c 'cat; kill -ABRT $$' </dev/null",
    "gridctl node info -o json -vv", "gridctl inspect p -o yaml", "gridctl peers -o wide", "gridctl check -o json",
    "gridctl tell nobody x", "gridctl dead-letters list -o json", "gridctl events --since 1h --idle 200ms -o jsonl",
    "gridctl context add shop -q -e $(gridctl node info -o jsonpath={.address})",
    "gridctl context show -o json",
    "gridctl context ls -o json", "gridctl --context shop peers -vv", "gridctl --context shop context check",
    "gridctl -e $(gridctl node info -o jsonpath={.address}) --secret-file state/gridctl/default/secret peers -vv",
    "gridctl -e $(gridctl node info -o jsonpath={.address}) --secret-file wrong peers -vv",
    "gridctl leader run l -- env", "gridctl repl -c 'peers; :values; !env'", "gridctl help environment",
    "printf 'peers\\nask p x\\n' >keys; exec 7<>quiet; script -qec 'gridctl repl' /dev/null <keys",
    "GRIDCTL_ETCD_USER=u GRIDCTL_ETCD_PASSWORD_FILE=password timeout 10 gridctl node start --log-level trace "
      + "--store etcd://127.0.0.1:1 --listen 127.0.0.1:0",
    "timeout -s INT 3 gridctl node start --name n2 --listen 127.0.0.1:0 --log json --log-level trace",
  ]

  @Test func noSecretLeavesItsFile() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(
        """
        umask 077; mkfifo quiet; mkdir -p state/gridctl/default
        printf %s '\(Self.secret)' >state/gridctl/default/secret; printf '%s\\n' '\(Self.password)' >password
        head -c 32 /dev/urandom >wrong; ulimit -c unlimited
        GRIDCTL_ETCD_PASSWORD_FILE=$PWD/password start --name n1 --log-level trace --pass-env 'GRIDCTL_*'
        """)
      for line in Self.session {
        let result = try await sandbox.run("ulimit -c unlimited; \(line)", limit: .seconds(30))
        expectNone(in: Data((result.output + result.errors).utf8), "the output of \(line)")
      }
      expectNoneInProcesses(of: sandbox)
      // It leaves nothing behind when it is killed in a way that asks for a core file.
      let process = try await sandbox.processIdentifier(of: "n1")
      kill(process, SIGABRT)
      _ = try await sandbox.eventually("kill -0 \(process) 2>/dev/null || echo gone") { $0.output == "gone\n" }
      let files = try #require(FileManager.default.enumerator(atPath: sandbox.directory))
      var count = 0
      for case let file as String in files where file != "state/gridctl/default/secret" && file != "password" {
        let path = "\(sandbox.directory)/\(file)"
        #expect(!file.split(separator: "/").contains { $0.hasPrefix("core") && !$0.contains("coord") }, "\(file)")
        guard try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType == .typeRegular
        else { continue }
        expectNone(in: try Data(contentsOf: URL(fileURLWithPath: path)), file)
        count += 1
      }
      #expect(count > 5, "\(count) files were looked at")
    }
  }

  private func expectNoneInProcesses(of sandbox: Sandbox) {
    var count = 0
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] where Int32(entry) != nil {
      guard let environment = FileManager.default.contents(atPath: "/proc/\(entry)/environ"),
        environment.range(of: Data((sandbox.directory + "/").utf8)) != nil
      else { continue }
      count += 1
      expectNone(in: environment, "the environment of process \(entry)")
      expectNone(in: FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") ?? Data(), "its command line")
    }
    #expect(count >= 2, "\(count) processes were looked at")
  }

  @Test func aNodeLeavesNoCoreFilesUnlessItIsToldTo() async throws {
    try await withSandbox { sandbox in
      let limits = "sed -n 's/^Max core file size *\\([0-9a-z]*\\).*/\\1/p' /proc/$(pid n1)/limits"
      let program = "gridctl spawn exec p -- sh -c 'while read -r x; do ulimit -c; done'; gridctl ask p x"
      try await sandbox.output("ulimit -Sc 64; start --name n1")
      #expect(try await sandbox.output(limits) == "0")
      // sh counts blocks of 512 bytes, bash of 1024.
      #expect(try await sandbox.output(program).hasSuffix("128"), "its programs have what they would have had")
      #expect(try await sandbox.output("ulimit -Sc 64; gridctl leader run l -- sh -c 'ulimit -c'") == "128")
      try await sandbox.output("gridctl node stop n1; ulimit -Sc 64; start --name n1 --allow-core-dumps")
      #expect(try await sandbox.output(limits) == "65536")
      #expect(try await sandbox.output("gridctl node info -o jsonpath='{.weakened[*]}'") == "--allow-core-dumps")
      #expect(try await sandbox.output("gridctl check").contains("defaults are weakened: --allow-core-dumps"))
    }
  }

  @Test func anotherProcessOfItsUserDoesNotLookIntoANode() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      try await sandbox.output("\(user.prefix) gridctl node start --name u1 --detach --listen 127.0.0.1:0")
      let looked = try await sandbox.run(
        "pid=$(\(user.prefix) gridctl node info u1 -o jsonpath={.pid}); \(user.prefix) cat /proc/$pid/environ")
      // Programs, children and all that reads its own /proc work all the same.
      let program = try await sandbox.run(
        "\(user.prefix) gridctl spawn exec p --working-directory / -- cat; \(user.prefix) gridctl ask p hello; "
          + "\(user.prefix) gridctl node stop u1")
      #expect(looked.status != 0 && looked.errors.contains("ermission denied"), "\(looked)")
      #expect(program.output.contains("hello"), "\(program)")
    }
  }
}
