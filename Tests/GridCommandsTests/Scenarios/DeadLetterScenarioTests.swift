import Foundation
import Testing

/// Dead letters across restarts, nodes and storms.
@Suite struct DeadLetterScenarioTests {
  @Test func lettersSurviveARestartAndAreReplayedElsewhere() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.run("gridctl tell ghost 40 -e $(at n1); gridctl tell ghost 2 -e $(at n2)")
      let before = try await sandbox.output("gridctl dead-letters list -o name")
      #expect(before.split(separator: "\n").count == 2)
      try await sandbox.output("kill -9 $(pid n1); gridctl node stop n2")
      try await sandbox.start("n1", "n2")
      #expect(try await sandbox.output("gridctl dead-letters list -o name") == before)
      try await sandbox.output("gridctl spawn counter total --on n2")
      let replayed = try await sandbox.output(
        "gridctl dead-letters list -o name | xargs gridctl dead-letters replay --replay-to total -o jsonl")
      #expect(replayed.split(separator: "\n").count == 2)
      #expect(try await sandbox.output("gridctl ask total") == "42")
      let marked = try await sandbox.output("gridctl dead-letters list --all -o jsonl | grep -c '\"replayedAs\":\"0'")
      #expect(marked == "2")
      // A replay that fails is told, and is a letter of its own.
      #expect(try await sandbox.output("gridctl dead-letters list -o name") == "", "what was sent again is done with")
      let failed = try await sandbox.run(
        "gridctl dead-letters replay $(gridctl dead-letters list --all -o name | head -1)")
      #expect(failed.status == 67)
      #expect(try await sandbox.output("gridctl dead-letters list --all -o name | wc -l") == "3")
      #expect(try await sandbox.output("gridctl dead-letters purge --to ghost") == "3 dead letters removed")
      #expect(try await sandbox.output("gridctl dead-letters list -o name") == "")
    }
  }

  @Test func tailFollowsAllNodesFromAnyNodeAlsoLaterOnes() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let result = try await sandbox.run(
        """
        gridctl dead-letters tail --count 3 -o jsonl -e $(at n2) >tail & tail=$!
        eventually 'gridctl tell probe x -e $(at n2) 2>/dev/null; test -s tail'
        start --name n3 >/dev/null
        eventually 'gridctl tell ghost one -e $(at n1); grep -q ghost tail' >/dev/null
        eventually 'gridctl tell late two -e $(at n3); ! kill -0 $tail' >/dev/null
        wait $tail; echo $?
        """)
      #expect(result.output.hasSuffix("0\n"), "\(result.output)\(result.errors)")
      let lines = try await sandbox.output("grep -o '\"target\":\"[a-z]*\"' tail | sort -u")
      #expect(lines.contains(#""target":"ghost""#))
    }
  }

  @Test func aStormIsFoldedIntoCountsNotLost() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl tell nobody x --count 5000 --no-wait")
      let total = "gridctl dead-letters list -o jsonl | grep -o '\"count\":[0-9]*' | cut -d: -f2 | paste -sd+ | bc"
      #expect(try await sandbox.eventually(total) { $0.output == "5000\n" }.output == "5000\n")
      let rows = Int(try await sandbox.output("gridctl dead-letters list -o name | wc -l")) ?? 0
      #expect((1...1500).contains(rows), "5000 letters are \(rows) rows")
      #expect(try await sandbox.output("gridctl ask nobody x; echo $?") == "67")
    }
  }

  @Test func theLogIsBoundedAndDropsTheOldest() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("start --name n1 --dead-letter-capacity 10")
      try await sandbox.run("for number in $(seq 1 25); do gridctl tell ghost $number; done")
      let bodies = "gridctl dead-letters list -o jsonl | grep -o '\"body\":\"[0-9]*\"' | tr -dc '0-9\\n'"
      let newest = (16...25).map { "\($0)\n" }.joined()
      #expect(try await sandbox.eventually(bodies) { $0.output == newest }.output == newest)
    }
  }
}
