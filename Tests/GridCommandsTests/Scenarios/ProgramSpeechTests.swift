import Foundation
import Testing

/// What programs behind `exec` actors say, out of turn and otherwise, and who hears it.
@Suite struct ProgramSpeechTests {
  /// What `inspect` knows of an actor.
  private func field(_ field: String, of actor: String) -> String {
    "gridctl inspect \(actor) -o jsonpath='{.\(field)}'"
  }

  // MARK: Errors that are answers

  @Test func anErrorThatAJSONProgramAnswersIsAnAnswer() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let program = """
        while read -r line; do
          number=$(printf "%s" "$line" | sed "s/.*\\"message\\":\\([0-9]*\\).*/\\1/")
          case $line in
            *good*) printf "{\\"reply\\":%s,\\"error\\":null,\\"body\\":\\"$$\\"}\\n" "$number" ;;
            *) printf "{\\"reply\\":%s,\\"error\\":\\"no stock\\"}\\n" "$number" ;;
          esac
        done
        """
      try await sandbox.output("gridctl spawn exec desk --framing json -- sh -c '\(program)'")
      let process = try await sandbox.output("gridctl ask desk good")
      for _ in 1...7 {
        let refused = try await sandbox.run("gridctl ask desk bad")
        #expect(refused.status == 1)
        #expect(refused.errors == "error: no stock\n")
      }
      #expect(try await sandbox.output("gridctl ask desk good") == process)
      #expect(try await sandbox.output(field("restarts", of: "desk")) == "0")
      #expect(try await sandbox.output("gridctl dead-letters list -o name") == "")
    }
  }

  @Test func asksOfAOneWayProgramHarmNobody() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      for framing in ["lines", "json"] {
        try await sandbox.output(
          "gridctl spawn exec \(framing) --framing \(framing) --one-way -- sh -c 'echo $$ >>runs; exec cat >/dev/null'")
        for _ in 1...7 {
          let refused = try await sandbox.run("gridctl ask \(framing) x")
          #expect(refused.status == 77)
          #expect(refused.errors.hasPrefix("error: \(framing) never answers"))
        }
        #expect(try await sandbox.output(field("restarts", of: framing)) == "0")
      }
      #expect(try await sandbox.output("wc -l <runs") == "2")
    }
  }

  // MARK: Lines

  @Test func aGreetingAnswersNobodyEarlyOrLate() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        """
        gridctl spawn exec early -- sh -c 'echo hello; touch said; while read -r x; do echo "<$x>"; done'
        eventually 'test -e said'
        gridctl spawn exec late -- sh -c 'until [ -e go ]; do sleep 0.02; done
          echo hello; echo again; while read -r x; do echo "<$x>"; done'
        """)
      #expect(try await sandbox.output("gridctl ask early 1; gridctl ask early 2") == "<1>\n<2>")
      #expect(
        try await sandbox.output("gridctl ask late 1 -t 20s >one & sleep 0.2; touch go; wait $!; cat one") == "<1>")
      #expect(try await sandbox.output("gridctl ask late 2") == "<2>")
      for actor in ["early", "late"] { #expect(try await sandbox.output(field("restarts", of: actor)) == "0") }
      #expect(try await sandbox.output("grep -h -c 'before anything was asked: hello' state/gridctl/*/*.log") == "2")
    }
  }

  @Test func aProgramThatAnswersTwiceIsReplacedAndNobodyGetsAnothersAnswer() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output(
        """
        gridctl spawn exec twice --on n2 --restart 100/60s -- \
        sh -c 'while read -r x; do echo "$x first"; [ $((x % 2)) = 0 ] || sleep 0.02; echo "$x second"; done'
        """)
      let outcomes = try await sandbox.output(
        """
        for n in $(seq 1 6); do
          echo "$n: $(gridctl ask twice $n -t 20s -e $(at n$((1 + n % 2))) 2>/dev/null)"
        done
        """)
      for line in outcomes.split(separator: "\n") {
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        let number = parts[0].dropLast()
        #expect(parts.count == 1 || parts[1] == "" || parts[1] == "\(number) first", "\(line)")
      }
      let failure = try await sandbox.eventually(field("lastFailure", of: "twice")) { !$0.output.isEmpty }
      #expect(failure.output.contains("out of step"), "\(failure.output)")
      #expect(try await sandbox.output(field("restarts", of: "twice")) != "0")
    }
  }

  @Test func aLineThatNobodyAskedForIsDroppedAndItsProgramReplaced() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        """
        gridctl spawn exec chatty -- \
        sh -c '[ -e go ] || (until [ -e go ]; do sleep 0.02; done; echo stray) & exec cat'
        """)
      #expect(try await sandbox.output("gridctl ask chatty 1") == "1")
      try await sandbox.output("touch go; eventually 'test $(\(field("restarts", of: "chatty"))) = 1'")
      #expect(try await sandbox.output("gridctl ask chatty 2; gridctl ask chatty 3") == "2\n3")
      #expect(try await sandbox.output(field("restarts", of: "chatty")) == "1")
      let failure = try await sandbox.output(field("lastFailure", of: "chatty"))
      #expect(failure == "the program is out of step: it wrote a line that nobody asked for: “stray”")
    }
  }

  // MARK: Standard error

  @Test func theLastWordsOfAProgramAreInTheErrorTheLogTheEventAndTheFailure() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        """
        gridctl spawn exec fragile -- sh -c 'while read -r x; do [ $x != bad ] || {
          printf "Traceback:\\n  File \\"x.py\\"\\nValueError: \\033[31mbad\\n" >&2; exit 1; }; echo $x; done'
        """)
      #expect(try await sandbox.output("gridctl ask fragile good") == "good")
      let words = #"it last wrote: Traceback: | File "x.py" | ValueError: \u{1B}[31mbad"#
      let failed = try await sandbox.run("gridctl ask fragile bad")
      #expect(failed.status == 1)
      #expect(failed.errors == "error: no answer: the program exited with code 1; \(words)\n")
      #expect(try await sandbox.output(field("lastFailure", of: "fragile")).contains(words))
      #expect(
        try await sandbox.output("gridctl events --since 0 --count 100 --idle 200ms -o tsv").contains("ValueError"))
      #expect(try await sandbox.output("grep -c 'notice ValueError' state/gridctl/*/*.log") == "1")
      // The same when it ends while nothing is handled.
      try await sandbox.output(
        """
        gridctl spawn exec brief --one-way --restart never -- sh -c 'read -r x; echo gone >&2; exit 2'
        gridctl tell brief x
        """)
      try await sandbox.output(
        "eventually 'gridctl events --since 0 --idle 200ms -o tsv | grep \"code 2; it last wrote: gone\"'")
    }
  }

  @Test func aFloodOfStandardErrorIsCountedAndNotLogged() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        "gridctl spawn exec loud --one-way -- sh -c 'echo begun >&2; exec yes >&2'; gridctl spawn echo calm")
      try await sandbox.output("eventually 'grep \"left out [0-9]* lines of the program\" state/gridctl/*/*.log'")
      #expect(try await sandbox.output("gridctl ask calm x") == "x")
      let size = try #require(Int(try await sandbox.output("cat state/gridctl/*/*.log | wc -c")))
      #expect(size < 64 * 1024, "\(size) bytes")
      #expect(try await sandbox.output(field("restarts", of: "loud")) == "0")
    }
  }

  @Test func aTimeOutSaysThatAProgramMayBufferItsOutput() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn exec upper --handler-timeout 2s -- tr a-z A-Z")
      let early = try await sandbox.run("gridctl ask upper x -t 300ms")
      #expect(early.status == 124)
      #expect(early.errors.contains("stdbuf -oL"), "\(early.errors)")
      let late = try await sandbox.run("gridctl ask upper x -t 20s")
      #expect(late.status == 124)
      #expect(late.errors.contains("stdbuf -oL"), "\(late.errors)")
    }
  }
}
