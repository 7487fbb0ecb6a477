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

  /// The numbers that are bodies of letters, in the order of the list.
  private static func bodies(_ options: String = "") -> String {
    "gridctl dead-letters list \(options) -o jsonl | grep -o '\"body\":\"[0-9]*\"' | tr -dc '0-9\\n'"
  }

  @Test func everyLetterOfAFloodIsKeptAndSentAgain() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      // It takes a message and does nothing with it until it is killed.
      try await sandbox.output("gridctl spawn exec slow --on n2 -- sleep 600")
      let told = "seq 1 5000 | gridctl tell slow --lines - -e $(at n1) 2>errors; gridctl stop slow --kill; echo $?"
      #expect(try await sandbox.output(told).hasSuffix("0"))
      let numbers = (1...5000).map { "\($0)\n" }.joined()
      // What the program held comes after what waited for it.
      let bodies = Self.bodies("--to slow --reason stopped") + " | sort -n"
      #expect(try await sandbox.eventually(bodies) { $0.output == numbers }.output == numbers)
      #expect(
        try await sandbox.output("gridctl dead-letters list --to slow -o jsonl | grep -vc '\"count\":1,'; true") == "0")
      // The table shows the newest, and says so.
      let table = try await sandbox.run(
        "gridctl dead-letters list --no-headers | wc -l; gridctl dead-letters list >/dev/null")
      #expect(table.output == "1000\n")
      #expect(table.errors.contains("older ones are not shown"))
      try await sandbox.output("gridctl spawn counter total --on n1")
      let replayed = "gridctl dead-letters replay --to slow --replay-to total -t 60s -o name | sort -u | wc -l"
      #expect(try await sandbox.output(replayed, limit: .seconds(300)) == "5000")
      #expect(try await sandbox.output("gridctl ask total") == "12502500")
      let again = try await sandbox.run(
        "gridctl dead-letters replay --to slow --replay-to total -o name", limit: .seconds(300))
      #expect(again.status == 0 && again.output == "" && again.errors.contains("nothing to send again"))
      #expect(try await sandbox.output("gridctl ask total") == "12502500")
      #expect(try await sandbox.output("gridctl ask nobody x; echo $?") == "67")
    }
  }

  @Test func whoFollowsAFloodSeesItFolded() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        """
        gridctl dead-letters tail --idle 3s -o jsonl >tail & tail=$!
        eventually 'gridctl tell probe x 2>/dev/null; test -s tail'
        gridctl tell nobody x --count 5000 --no-wait; wait $tail
        """)
      let counts = try await sandbox.output("grep nobody tail | grep -o '\"count\":[0-9]*' | cut -d: -f2")
      let numbers = counts.split(separator: "\n").compactMap { Int($0) }
      #expect(numbers.reduce(0, +) == 5000)
      #expect((1...1500).contains(numbers.count), "5000 letters are \(numbers.count) records")
      #expect(try await sandbox.output("gridctl dead-letters list --to nobody -o name | wc -l") == "5000")
    }
  }

  @Test func whatWasWrittenSurvivesTheKillOfItsNode() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("seq 1 3000 | gridctl tell nobody --lines - -e $(at n1) 2>/dev/null; true")
      try await sandbox.run("for number in $(seq 1 60); do gridctl tell late $number -e $(at n1); done")
      try await sandbox.output(
        "eventually 'test $(gridctl dead-letters list --to late -o name -e $(at n1) | wc -l) = 60'")
      try await sandbox.output("kill -9 $(pid n1); eventually 'gridctl peers --status dead -o name | grep -q n1'")
      // The other node of the machine tells the letters of the one that is gone, shows, sends and removes them.
      let numbers = (1...60).map { "\($0)\n" }.joined()
      #expect(try await sandbox.output(Self.bodies("--to late")) + "\n" == numbers)
      let first = "$(gridctl dead-letters list --to late -o name | head -1)"
      #expect(try await sandbox.output("gridctl dead-letters show \(first) -o jsonpath='{.node} {.body}'") == "n1 1")
      try await sandbox.output("gridctl spawn counter total; gridctl dead-letters replay --to late --replay-to total")
      #expect(try await sandbox.output("gridctl ask total") == "1830")
      let rest = try await sandbox.output("gridctl dead-letters list --to nobody -o name | wc -l")
      #expect(try await sandbox.output("gridctl dead-letters purge --to nobody") == "\(rest) dead letters removed")
      // It comes again, and finds them as they were left.
      try await sandbox.start("n1")
      #expect(try await sandbox.output("gridctl dead-letters list -e $(at n1) -o name | wc -l") == "0")
      #expect(try await sandbox.output("gridctl dead-letters list --all -e $(at n1) -o name | wc -l") == "60")
    }
  }

  @Test func largeBodiesAreListedShownAndSentByteForByte() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let result = try await sandbox.run(
        """
        gridctl dead-letters tail --count 3 -o jsonl -e $(at n2) >tail 2>errors & tail=$!
        eventually 'gridctl tell probe x -e $(at n1) 2>/dev/null; test -s tail' >/dev/null
        head -c 12582912 /dev/urandom >big; head -c 9437184 /dev/zero | tr '\\0' x >text
        gridctl tell nobody @big -e $(at n1) 2>/dev/null; gridctl tell nobody @text -e $(at n1) 2>/dev/null
        wait $tail; echo $?
        """)
      #expect(result.output.hasSuffix("0\n"), "\(result.output)\(result.errors)")
      let cut = #""body":"","bodyBytes":12582912,"bodyEncoding":"base64","bodyLeftOut":true"#
      #expect(try await sandbox.output("wc -l <tail; grep -c '\(cut)' tail") == "3\n1")
      #expect(try await sandbox.output("gridctl peers --status alive -o name | wc -l") == "2")
      #expect(try await sandbox.output("gridctl dead-letters list --to nobody -o name | wc -l") == "2")
      #expect(try await sandbox.output("gridctl dead-letters list --to nobody --no-headers | wc -l") == "2")
      for (place, file) in [("head", "big"), ("tail", "text")] {
        let identifier = "$(gridctl dead-letters list --to nobody -o name -e $(at n2) | \(place) -1)"
        let body = "gridctl dead-letters show \(identifier) -e $(at n2) -t 60s -o jsonpath='{.body}'"
        let decoded = file == "big" ? "\(body) | base64 -d" : "\(body) | tr -d '\\n'"
        #expect(try await sandbox.output("\(decoded) | cmp - \(file); echo $?") == "0")
      }
      let size = try await sandbox.output(
        "gridctl dead-letters list --to nobody -t 60s -o json | wc -c", limit: .seconds(300))
      #expect((Int(size) ?? 0) > 12_582_912 / 3 * 4 + 9_437_184)
      // What is sent again is what was kept.
      let big = "gridctl dead-letters list --to nobody -o name | head -1"
      #expect(try await sandbox.run("gridctl dead-letters replay $(\(big)) --replay-to ghost -e $(at n2)").status == 67)
      let again = "gridctl dead-letters show $(gridctl dead-letters list --to ghost -o name) -o jsonpath='{.body}'"
      #expect(try await sandbox.output("\(again) | base64 -d | cmp - big; echo $?") == "0")
    }
  }

  @Test func manyLettersThatFillMoreThanAFrameAreListedWhole() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output(
        """
        head -c 30000 /dev/zero | tr '\\0' x >body
        for node in n1 n2; do gridctl tell nobody @body --count 400 --no-wait -e $(at $node); done
        eventually 'test $(gridctl dead-letters list -o name | wc -l) = 800'
        """)
      let list = "gridctl dead-letters list -o json -t 60s | tee all | grep -c '\"bodyBytes\": 30000'; wc -c <all"
      let numbers = try await sandbox.output(list, limit: .seconds(300)).split(separator: "\n").compactMap { Int($0) }
      #expect(numbers.first == 800)
      #expect((numbers.last ?? 0) > 24_000_000)
    }
  }

  @Test func theLogIsBoundedAndDropsTheOldest() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("start --name n1 --dead-letter-capacity 10")
      try await sandbox.run("for number in $(seq 1 25); do gridctl tell ghost $number; done")
      let newest = (16...25).map { "\($0)\n" }.joined()
      let bodies = Self.bodies()
      #expect(try await sandbox.eventually(bodies) { $0.output == newest }.output == newest)
      for command in ["list", "replay --to ghost --dry-run"] {
        let result = try await sandbox.run("gridctl dead-letters \(command) -o name")
        #expect(
          result.status == 0 && result.errors.contains("node n1 dropped 15 older dead letters"), "\(result.errors)")
      }
      try await sandbox.output("gridctl dead-letters purge")
      #expect(try await sandbox.run("gridctl dead-letters list").errors == "", "it is known now")
    }
  }

  @Test func theBytesOfLettersAreBoundedToo() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("start --name n1 --dead-letter-bytes 1MiB")
      try await sandbox.run(
        "head -c 100000 /dev/zero >body; for number in $(seq 1 25); do gridctl tell ghost @body; done")
      let kept = "gridctl dead-letters list -o name | wc -l"
      #expect(try await sandbox.eventually(kept) { $0.output == "10\n" }.output == "10\n")
      #expect(try await sandbox.run("gridctl dead-letters list").errors.contains("node n1 dropped 15 older"))
    }
  }
}
