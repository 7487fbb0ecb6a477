import Foundation
import Testing

/// What a program was handed and has not read is mail, and is accounted for as such.
@Suite struct ProgramMailTests {
  /// Reads one line, notes it, and reads no more.
  private static let reluctant = "sh -c 'read -r x; echo $x >>handled; exec sleep 1000'"

  private func letters(of actor: String) -> String {
    "gridctl dead-letters list --to \(actor) -o jsonl | grep -o '\"body\":\"[0-9]*\"' | tr -dc '0-9\\n'"
  }

  @Test(arguments: ["lines", "json"])
  func whatWasNotReadIsMailUntilTheActorStopsAndDeadLettersThen(_ framing: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output(
        "gridctl spawn exec slow --on n2 --framing \(framing) --one-way --mailbox 60 -- \(Self.reluctant)")
      try await sandbox.output("seq 1 40 | gridctl tell slow --lines - -e $(at n1); eventually 'test -s handled'")
      let counts = "gridctl inspect slow -o jsonpath='{.mailbox} {.processed}'"
      #expect(
        try await sandbox.eventually(counts) { $0.output == "39 1\n" || $0.output == "39 1" }.output.hasPrefix("39 1"))
      // What it holds counts against the mailbox's capacity.
      let full = try await sandbox.output("for n in $(seq 41 70); do gridctl tell slow $n 2>/dev/null; echo $?; done")
      #expect(full.split(separator: "\n").count { $0 == "0" } == 21)
      try await sandbox.output(
        "gridctl stop slow; gridctl dead-letters list --to slow --reason mailbox-full -o name >full")
      #expect(try await sandbox.output("wc -l <handled") == "1")
      let expected = (2...61).map { "\($0)\n" }.joined()
      let stopped = letters(of: "slow --reason stopped")
      #expect(try await sandbox.eventually("\(stopped) | sort -n") { $0.output == expected }.output == expected)
    }
  }

  @Test func whatACrashedProgramHadNotReadGoesToTheNextOne() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      // Each one reads three lines, and fails at the third.
      try await sandbox.output(
        """
        gridctl spawn exec worker --one-way --restart 4/60s -- \
        sh -c 'for n in 1 2 3; do read -r x; echo $x >>handled; done; echo failed >&2; exit 3'
        seq 1 20 | gridctl tell worker --lines -
        eventually 'gridctl ask worker x; test $? = 67'
        """, limit: .seconds(120))
      #expect(try await sandbox.output("cat handled") == (1...15).map(String.init).joined(separator: "\n"))
      let expected = (16...20).map { "\($0)\n" }.joined()
      let found = try await sandbox.eventually("\(letters(of: "worker --reason stopped")) | sort -n") {
        $0.output == expected
      }
      #expect(found.output == expected)
    }
  }

  @Test func aProgramThatIsKilledLosesNoMailItHasNotRead() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        """
        gridctl spawn exec count --one-way --restart 100/60s -- sh -c 'while read -r x; do echo $x >>handled; done'
        seq 1 20000 | gridctl tell count --lines - & told=$!
        for n in $(seq 1 10); do
          eventually 'test $(wc -l <handled) -gt $((n * 1000))'
          kill -9 $(gridctl inspect count -o jsonpath='{.pid}')
        done
        wait $told
        eventually 'test "$(tail -n 1 handled)" = 20000'
        """, limit: .seconds(120))
      // A line that was read by a program that was killed then is the only one that may be missing.
      let handled = try await sandbox.output("cat handled").split(separator: "\n").compactMap { Int($0) }
      #expect(handled == handled.sorted())
      #expect(Set(handled).count == handled.count)
      #expect(handled.count >= 20000 - 10, "\(handled.count)")
      #expect(try await sandbox.output("gridctl dead-letters list -o name") == "")
    }
  }
}
