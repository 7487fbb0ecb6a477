import Foundation
import Testing

/// `--lines`: answers can be joined to their questions, and failures to their lines.
@Suite struct LineScenarioTests {
  /// Line 2 is refused; the others are added up.
  private static let input = #"printf '1\nno number\n3\n'"#

  private func records(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
    }
  }

  @Test(arguments: [1, 4])
  func `a line that failed leaves an empty line, and its error with its number`(_ parallel: Int) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits")
      let result = try await sandbox.run("\(Self.input) | gridctl ask hits --lines --parallel \(parallel)")
      // Answers come in the order of the lines. Lines that are under way together may be added in either order.
      let expected = parallel == 1 ? ["1\n\n4\n"] : ["1\n\n4\n", "4\n\n3\n"]
      #expect(expected.contains(result.output), "\(result.output)")
      #expect(result.errors.contains("error: line 2: kind counter takes an integer"), "\(result.errors)")
      #expect(result.errors.contains("error: 1 of 3 lines got no reply"), "\(result.errors)")
      #expect(result.status == 3)
    }
  }

  @Test(arguments: ["jsonl", "json"])
  func `in jsonl each line is a record with the reply or the error`(_ format: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits")
      let result = try await sandbox.run("\(Self.input) | gridctl ask hits --lines -o \(format)")
      let records = try records(result.output)
      #expect(records.map { $0["line"] as? Int } == [1, 2, 3])
      #expect(records.map { $0["reply"] as? Int } == [1, nil, 4])
      let error = records[1]["error"] as? [String: Any]
      #expect(error?["code"] as? Int == 65 && error?["name"] as? String == "undecodable")
      #expect(records[0]["error"] == nil)
      #expect(result.status == 3)
      let warnings = result.errors.split(separator: "\n").filter { $0.hasPrefix("warning: ") }
      #expect(warnings.count == (format == "json" ? 1 : 0), "\(result.errors)")
      let closing = try #require(try self.records(String(result.errors.split(separator: "\n").last ?? "")).first)
      let failed = closing["error"] as? [String: Any]
      #expect(failed?["code"] as? Int == 3)
      #expect((failed?["failures"] as? [[String: Any]])?.map { $0["line"] as? Int } == [2])
    }
  }

  @Test func `other formats have one record a line, and one header`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits")
      for (format, expected) in [
        ("jsonpath={.reply}", "1\n\n4\n"),
        ("columns=L:.line,R:.reply", "L              R\n1              5\n2              -\n3              8\n"),
      ] {
        let result = try await sandbox.run("\(Self.input) | gridctl ask hits --lines -o '\(format)'")
        #expect(result.output.replacing(" \n", with: "\n") == expected, "\(format): \(result.output)")
      }
      let yaml = try await sandbox.run("\(Self.input) | gridctl ask hits --lines -o yaml")
      #expect(yaml.output.components(separatedBy: "---\n").count == 4)
    }
  }

  @Test func `an answer is there before the next question is written`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn echo mirror")
      let result = try await sandbox.run(
        """
        coproc gridctl ask mirror --lines --parallel 8
        for n in 1 2 3; do
          echo "question $n" >&${COPROC[1]}; read -r -t 20 answer <&${COPROC[0]} || exit 9; echo "$answer"
        done
        exec {COPROC[1]}>&-; wait $COPROC_PID; echo "end $?"
        """)
      #expect(result.output == "question 1\nquestion 2\nquestion 3\nend 0\n", "\(result.errors)")
    }
  }

  @Test func `a reader that goes ends the command though no line comes`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn echo mirror && mkfifo questions")
      let result = try await sandbox.run(
        """
        exec 5<>questions; echo one >&5
        gridctl ask mirror --lines <questions > >(head -1 >first) & asker=$!
        eventually '! kill -0 $asker 2>/dev/null'; wait $asker; echo $?; cat first
        """)
      #expect(result.output == "141\none\n", "\(result.errors)")
    }
  }

  @Test func `tell names the lines that were not taken`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn exec narrow --mailbox 2 -- sleep 1000")
      try await sandbox.output("gridctl tell narrow first")
      let nobody = try await sandbox.run("printf '1\\n2\\n' | gridctl tell nobody --lines")
      #expect(nobody.errors.contains("error: line 1: no actor nobody"), "\(nobody.errors)")
      #expect(nobody.status == 67 && nobody.output == "")
      let json = try await sandbox.run("echo 1 | gridctl tell nobody --lines -o jsonl")
      let record = try #require(try records(json.output).first)
      #expect(record["line"] as? Int == 1)
      #expect((record["error"] as? [String: Any])?["code"] as? Int == 67)
      #expect(json.status == 67)
      let taken = try await sandbox.run(
        "gridctl spawn sink drain >/dev/null; seq 100 | gridctl tell drain --lines -o json")
      #expect(taken.output == "" && taken.status == 0)
    }
  }

  @Test func `what stops in the middle is told with the place where reading stopped`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits && mkfifo lines")
      let result = try await sandbox.run(
        """
        exec 5<>lines; gridctl tell hits --lines <lines 2>told & teller=$!
        echo 1 >&5; eventually 'test "$(gridctl ask hits)" = 1'; gridctl stop hits >/dev/null
        eventually 'echo 1 >&5; ! kill -0 $teller 2>/dev/null'; wait $teller; echo $?; cat told
        """)
      #expect(result.output.hasPrefix("3\n"), "\(result.output)")
      #expect(result.output.contains("no more was read after line "), "\(result.output)")
    }
  }

  @Test func `the payload may be left out, and nothing else may stand there`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits")
      for payload in ["", "-"] {
        try await sandbox.output("seq 3 | gridctl tell hits \(payload) --lines")
        #expect(try await sandbox.run("seq 2 | gridctl ask hits --lines \(payload) | wc -l").output == "2\n")
      }
      for line in [
        "tell hits x --lines", "ask hits x --lines", "ask hits --lines --raw", "tell hits --lines --count 2",
        "tell hits --lines --every 1s",
      ] {
        #expect(try await sandbox.run("echo 1 | gridctl \(line)").status == 64, "\(line)")
      }
    }
  }

  @Test func `on a terminal it is said what is waited for, and closed input is no empty one`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits")
      for (line, told) in [
        ("tell hits --lines", "each line is a message to hits"),
        ("ask hits --lines", "each line is a question to hits"),
        ("tell hits -", "all of it is the body"), ("repl -f -", "its lines are a script"),
      ] {
        let shown = try await sandbox.run("printf '\\x04' | script -qec 'gridctl \(line)' /dev/null")
        #expect(shown.output.contains("reads this terminal: \(told); end with Ctrl-D"), "\(line): \(shown.output)")
        let quiet = try await sandbox.run("printf '\\x04' | script -qec 'gridctl -q \(line)' /dev/null")
        #expect(!quiet.output.contains("reads this terminal"), "\(line): \(quiet.output)")
        let piped = try await sandbox.run("gridctl \(line) </dev/null")
        #expect(!piped.errors.contains("reads this terminal"), "\(line)")
      }
      for line in ["tell hits --lines", "ask hits --lines", "tell hits -", "ask hits -"] {
        let closed = try await sandbox.run("gridctl \(line) <&-")
        #expect(closed.status == 66, "\(line): \(closed.errors)")
        #expect(closed.errors.contains("standard input is closed"), "\(line): \(closed.errors)")
      }
    }
  }
}
