import Foundation
import Testing

@testable internal import GridCommands

/// Situations that users of other tools of this kind have reported as bugs.
@Suite struct ShellUserTests {
  /// A command in the body of a loop must not eat the loop's input.
  @Test func `a loop that reads lines gets every line`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn echo mirror; gridctl spawn counter hits; echo 1 >one")
      for command in [
        "ask mirror $n", "tell hits $n", "tell hits @one", "actors -o name", "spawn echo a$n -o name",
        "events --since 1h --count 1 -o name", "leader run x -- true", "repl -c \"ask mirror $n\"", "node ping -o name",
        "dead-letters list -o name",
      ] {
        let result = try await sandbox.run(
          "printf '1\\n2\\n3\\n' | while read n; do gridctl \(command) >/dev/null; echo $n; done")
        #expect(result.output == "1\n2\n3\n", "\(command): \(result.errors)")
      }
    }
  }

  /// What standard output is has nothing to do with what is read.
  @Test func `bodies are the same wherever the output goes, and without a terminal`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits")
      for line in [
        "echo 1 | gridctl tell hits - >/dev/null", "echo 1 | gridctl tell hits - | cat",
        "gridctl tell hits 1 </dev/null >f",
        "echo 1 | setsid gridctl tell hits - >f 2>&1", "gridctl tell hits - <<<1", "gridctl tell hits 1 <&-",
      ] { #expect(try await sandbox.run(line).status == 0, "\(line)") }
      #expect(try await sandbox.output("gridctl ask hits") == "6")
    }
  }

  @Test func `blanks and line feeds around endpoints in the environment are none of them`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run("GRIDCTL_ENDPOINTS=\" $(at n1) ,\t127.0.0.1:1 \r\n\" gridctl peers -o name")
      #expect(result.output == "peer/n1\n", "\(result.errors)")
      // Both together are no conflict: the option goes first.
      #expect(try await sandbox.run("GRIDCTL_ENDPOINTS=127.0.0.1:1 gridctl peers -e $(at n1)").status == 0)
    }
  }

  @Test(arguments: ["peers -w", "actors -w", "events", "dead-letters tail", "leader watch"])
  func `a stream whose reader has gone ends though nothing happens`(_ command: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn echo mirror; gridctl tell nobody x || true")
      let result = try await sandbox.run(
        """
        gridctl \(command) > >(head -1 >/dev/null) 2>/dev/null & follower=$!
        eventually '! kill -0 $follower 2>/dev/null'; wait $follower; echo $?
        """)
      #expect(result.output == "141\n", "\(result.errors)")
    }
  }

  /// Jobs of cron and services have no home; a directory that all can write to is none.
  @Test func `without a home nobody else's settings are read`() async throws {
    let store = ContextStore(environment: [:])
    #expect(!store.configurationDirectory.hasPrefix("/tmp") && !store.stateDirectory.hasPrefix("/tmp"))
    #expect(store.names() == [] && store.selected() == nil)
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      #expect(try await sandbox.run("env -u HOME gridctl peers -o name").output == "peer/n1\n")
      let added = try await sandbox.run("env -u HOME gridctl context add x -e a:1")
      #expect(added.status == 78)
      #expect(added.errors.contains("HOME is not set"), "\(added.errors)")
    }
  }

  @Test func `scripts with carriage returns and a mark at the beginning run`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("printf '\\357\\273\\277let n = 5\\r\\necho $n\\r\\n\\r\\nask nobody\\r\\n' >script")
      for line in ["gridctl repl -f script", "gridctl repl <script"] {
        let result = try await sandbox.run(line)
        #expect(result.output == "5\n", "\(line): \(result.errors)")
        #expect(result.status == 67, "\(line)")
        #expect(result.errors.contains("line 4: no actor nobody"), "\(line): \(result.errors)")
      }
    }
  }

  @Test func `a pager that has seen enough, or does not start, is no failure`() async throws {
    try await withSandbox { sandbox in
      for pager in ["head -1", "", "cat", "no-such-pager", "false", "sed 1q | cat"] {
        let result = try await sandbox.run(
          "PAGER='\(pager)' script -qec 'stty rows 5 cols 80; gridctl help output; echo code $?' /dev/null </dev/null")
        #expect(result.output.contains("code 0"), "\(pager): \(result.output)")
        #expect(result.output.contains("OUTPUT") || pager == "false", "\(pager): \(result.output)")
      }
    }
  }

  @Test func `several things done are one document in formats that are one`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("gridctl spawn echo drain-n2 --on n1")
      let result = try await sandbox.run("gridctl spawn sink drain --each-node -o json")
      #expect(result.status == 3)
      let document = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
      #expect((document?["items"] as? [[String: Any]])?.count == 1, "\(result.output)")
      #expect((document?["failures"] as? [[String: Any]])?.count == 1)
    }
  }

  @Test func `bodies that are empty or huge, and output that is closed`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn echo mirror; gridctl spawn sink drain; head -c 16711681 /dev/zero >big")
      for line in ["ask mirror ''", "ask mirror", "ask mirror - </dev/null", "ask mirror @/dev/null"] {
        #expect(try await sandbox.run("gridctl \(line)").output == "\n", "\(line)")
      }
      for line in ["tell drain @big", "tell drain - <big", "ask mirror @big", "ask mirror --lines <big"] {
        #expect(try await sandbox.run("gridctl \(line)").status == 65, "\(line)")
      }
      #expect(try await sandbox.run("gridctl ask mirror x | true; echo ${PIPESTATUS[0]}").output != "74\n")
      let gone = try await sandbox.run("{ sleep 0.2; gridctl ask mirror x; echo $? >&2; } | true")
      #expect(gone.errors == "141\n", "\(gone.errors)")
      #expect(try await sandbox.run("gridctl ask mirror x >&-").status == 74)
    }
  }
}
