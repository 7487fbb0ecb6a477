import Foundation
import Testing

/// Programs behind `exec` actors that misbehave.
@Suite struct ProgramFaultTests {
  @Test func anEndlessAnswerIsCutOffAndMemoryStaysBounded() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        "gridctl spawn exec flood --restart 1/60s -- bash -c 'read -r l; head -c 1073741824 /dev/zero; read -r l'")
      let result = try await sandbox.run("gridctl ask flood x -t 50s")
      #expect(result.status == 1)
      #expect(result.errors.hasPrefix("error: the program wrote a line that is too long"), "\(result.errors)")
      let memory = try sandbox.memory(of: try await sandbox.processIdentifier(of: "n1"))
      #expect(memory.most < 150 << 20, "\(memory.most) bytes")
      let letters = try await sandbox.output("gridctl dead-letters list --to flood -o tsv --no-headers | cut -f 4")
      #expect(letters == "handler-failed")
    }
  }

  @Test func aProgramThatExitsIsRestartedWithinItsBudgetThenStopped() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        "gridctl spawn exec brief --restart 2/60s -- bash -c 'echo run >>runs; read -r l; exit 3'")
      for _ in 1...3 {
        let result = try await sandbox.run("eventually 'gridctl ask brief x 2>&1 | grep \"exited with code 3\"'")
        #expect(result.status == 0, "\(result)")
      }
      let gone = try await sandbox.run("eventually 'gridctl ask brief x; test $? = 67'")
      #expect(gone.status == 0, "\(gone)")
      #expect(try await sandbox.output("wc -l <runs") == "3")
      // Its name is free again.
      #expect(try await sandbox.output("gridctl spawn echo brief") == "brief runs on n1")
    }
  }

  @Test func aProgramThatNeverAnswersIsKilledAndTheNextMessageIsServed() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output(
        """
        gridctl spawn exec moody --on n2 --handler-timeout 400ms -- \
        bash -c 'while read -r l; do if [ "$l" = hang ]; then sleep 1000; fi; echo "$l"; done'
        """)
      #expect(try await sandbox.output("gridctl ask moody hello -e $(at n1)") == "hello")
      let hung = try await sandbox.run("gridctl ask moody hang -t 20s -e $(at n1)")
      #expect(hung.status == 124)
      #expect(hung.errors.hasPrefix("error: the program did not answer within 400ms, and was killed\n  spawn it with"))
      #expect(try await sandbox.output("gridctl ask moody again -t 20s -e $(at n1)") == "again")
      // The client's own time-out is another thing: it gives up, the program is left alone.
      try await sandbox.output(
        "gridctl spawn exec slow -- bash -c 'read -r l; until [ -e go ]; do sleep 0.02; done; echo $l'")
      let late = try await sandbox.run("gridctl ask slow x -t 200ms")
      #expect(late.status == 124)
      #expect(late.errors.hasPrefix("error: slow did not answer within 200ms\n  it runs on n"))
    }
  }

  static let unusable = [
    ("/nowhere/program", 66, "no such command"), ("/tmp", 77, "permission denied"),
    ("/etc/passwd", 77, "permission denied"),
    ("--working-directory /nowhere -- cat", 66, "no such directory"),
  ]

  @Test(arguments: unusable)
  func aProgramThatCannotStartIsToldAndLeavesNoName(_ command: String, _ status: Int, _ message: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let options = command.contains("--") ? command : "-- \(command)"
      let result = try await sandbox.run("gridctl spawn exec broken \(options)")
      #expect(result.status == Int32(status), "\(result)")
      #expect(result.errors.hasPrefix("error: \(message)"), "\(result.errors)")
      #expect(try await sandbox.output("gridctl spawn echo broken") == "broken runs on n1")
    }
  }
}
