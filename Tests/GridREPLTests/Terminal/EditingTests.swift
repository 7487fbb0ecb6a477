import Foundation
import Testing

/// What the editor does with keys while other things want the screen.
@Suite(.serialized)
struct EditingTests {
  /// A dead letter, which every session hears of.
  private func happen(_ cluster: Cluster, to name: String = "nobody") async throws {
    _ = try await cluster.run("gridctl tell \(name) x")
  }

  @Test func eventsComeAboveAWrappedLine() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(rows: 10, columns: 40)
      try await session.prompt("default n1 1/1>")
      let body = String(repeating: "0123456789", count: 9)
      try session.type("tell hits \(body)")
      try await session.wait("the wrapped line") { $0.cursorLine.hasSuffix("789") && $0.text.contains("tell hits 0") }
      let typed = "default n1 1/1> tell hits \(body)"
      for round in 1...3 {
        try await happen(cluster, to: "ghost\(round)")
        try await session.wait("event \(round) above the whole line") { screen in
          screen.fullText.replacing("\n", with: "").contains("ghost\(round): no-such-actor")
            && screen.fullText.replacing("\n", with: "").hasSuffix(typed)
        }
      }
      // The cursor stands where it stood: what is typed goes to the end, Home to the beginning.
      try session.type("X")
      try await session.wait("one more") { $0.fullText.replacing("\n", with: "").hasSuffix(typed + "X") }
      try session.type("\u{1}")
      try await happen(cluster, to: "ghost4")
      try await session.wait("the cursor at the beginning") {
        $0.cursorLine.hasPrefix("default n1 1/1> tell") && $0.column == 16 && $0.fullText.contains("ghost4")
      }
      #expect(session.screen.fullText.components(separatedBy: "default n1 1/1> tell hits").count == 2, "one line, once")
      #expect(session.screen.unknown == [])
    }
  }

  @Test func tabFinishesWordsAndListsThem() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      _ = try await cluster.run("for n in orders-1 orders-2 audit; do gridctl spawn counter $n; done")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.type("insp\t")
      try await session.prompt("default n1 1/1> inspect")
      try session.type("aud\t")
      try await session.prompt("default n1 1/1> inspect audit")
      try session.type("\u{15}ask ord\t")
      try await session.prompt("default n1 1/1> ask orders-")
      try session.type("\t\t")
      try await session.wait("the list, and the line below it") {
        $0.text.contains("orders-1") && $0.text.contains("orders-2") && $0.cursorLine == "default n1 1/1> ask orders-"
      }
      try session.type("\u{15}:kil\t")
      try await session.prompt("default n1 1/1> :kill")
      try session.type("\u{15}let total = 5\r$tot\t")
      try await session.prompt("default n1 1/1> $total")
      #expect(session.screen.unknown == [])
    }
  }

  @Test func aLongListIsCut() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let script = (1...260).map { "spawn echo many-\($0)" }.joined(separator: "\n")
      let spawned = try await cluster.run("gridctl repl -f - >/dev/null", input: script)
      #expect(spawned.status == 0)
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try await session.wait("the names") { screen in
        try? session.type("\u{15}ask many-\t\t")
        return screen.fullText.contains("… 60 more")
      }
      try await session.prompt("default n1 1/1> ask many-")
    }
  }

  @Test func eventsLeaveASearchAlone() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session()
      try await session.prompt("default n1 1/1>")
      try session.enter("peers -o name")
      try await session.text("\npeer/n1\n")
      try session.enter("kinds -o name")
      try await session.text("\nkind/echo\n")
      try session.type("\u{12}peer")
      try await session.prompt("(reverse-i-search)`peer': peers -o name")
      try await happen(cluster)
      try await session.wait("the event above the search") {
        $0.text.contains("dead letter to nobody") && $0.cursorLine == "(reverse-i-search)`peer': peers -o name"
      }
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      try session.type("\u{12}peer\r")
      try await session.wait("the line that was found ran") {
        $0.text.components(separatedBy: "\npeer/n1\n").count == 3
      }
    }
  }

  @Test func pastedLinesRunInOrder() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      #expect(session.screen.isPasting, "the editor asks for marks around what is pasted")
      try session.type("\u{1B}[200~let a = 40\r$a\r\u{1B}[201~")
      try await session.wait("both lines, not yet run") { $0.text.hasSuffix("$a") && !$0.text.contains("\n40") }
      try session.type("\r")
      try await session.text("2 commands")
      try await session.text("\n40\n")
    }
  }

  @Test func aResizedWindowShowsTheLineAgain() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      let words = "tell hits " + String(repeating: "word ", count: 8)
      try session.type(words)
      try await session.wait("the line") { $0.text.hasSuffix("default n1 1/1> \(words.dropLast())") }
      session.resize(rows: 12, columns: 40)
      try session.type("end")
      try await session.wait("the line in the narrow window") {
        $0.text.replacing("\n", with: " ").contains("word end") && $0.columns == 40
      }
      session.resize(rows: 24, columns: 100)
      try session.type("!")
      try await session.wait("the line in the wide window") { $0.cursorLine.hasSuffix("word end!") }
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
    }
  }

  @Test func continuationLinesAreAskedFor() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter("let x = {\"a\":")
      try await session.prompt("default n1 …>")
      try session.enter("[1, 2]}")
      try await session.prompt("default n1 1/1>")
      try session.enter("$x.a[1]")
      try await session.text("\n2\n")
      try session.enter("tell 'half")
      try await session.prompt("default n1 …>")
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      try session.enter("if $x.a[0] == 1")
      try await session.prompt("default n1 …>")
      try session.enter("'it is one' | cat")
      try await session.prompt("default n1 …>")
      try session.enter("end")
      try await session.text("there is no command")
    }
  }

  @Test func functionKeyOneShowsTheUsage() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.type("ask orders-7\u{1B}OP")
      try await session.wait("the usage above the line") {
        $0.text.contains("\nask [OPTIONS] ACTOR [PAYLOAD]\n") && $0.cursorLine == "default n1 1/1> ask orders-7"
      }
    }
  }

  @Test func historyIsPrivateAndKeepsNoSecrets() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let first = try cluster.session(["--no-events"])
      let second = try cluster.session(["--no-events"])
      try await first.prompt("default n1 1/1>")
      try await second.prompt("default n1 1/1>")
      for line in ["let a = 1", " let hidden = 2", "tell x --token abc", "let a = 1", "let b = 3"] {
        try first.enter(line)
      }
      try await first.wait("the last line") { $0.untimedText.hasSuffix("let b = 3\ndefault n1 1/1>") }
      try second.enter("let c = 4")
      try await second.wait("the line") { $0.untimedText.hasSuffix("let c = 4\ndefault n1 1/1>") }
      try first.enter("let d = 5")
      try await first.wait("the line") { $0.untimedText.hasSuffix("let d = 5\ndefault n1 1/1>") }
      for session in [first, second] {
        try session.type("\u{4}")
        #expect(try await session.exitCode() == 0)
      }
      let text = String(decoding: FileManager.default.contents(atPath: cluster.historyPath) ?? Data(), as: UTF8.self)
      let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
      #expect(lines == ["let a = 1", "let b = 3", "let c = 4", "let d = 5"])
      let mode = try FileManager.default.attributesOfItem(atPath: cluster.historyPath)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      let third = try cluster.session(["--no-events"])
      try await third.prompt("default n1 1/1>")
      try third.type("\u{1B}[A")
      try await third.prompt("default n1 1/1> let d = 5")
    }
  }

  @Test func suspendingAndComingBackShowsTheLine() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let shell = try TerminalProgram(
        ["/bin/bash", "--norc", "--noprofile", "-i"],
        environment: cluster.environment.merging(["PS1": "shell> "]) { $1 }, directory: cluster.directory)
      try await shell.prompt("shell>")
      try shell.enter("gridctl repl --no-events")
      try await shell.prompt("default n1 1/1>")
      try shell.type("peers -o na")
      try await shell.prompt("default n1 1/1> peers -o na")
      try shell.type("\u{1A}")
      try await shell.prompt("shell>")
      try shell.enter("fg")
      try await shell.prompt("default n1 1/1> peers -o na")
      try shell.type("me\r")
      try await shell.text("\npeer/n1\n")
      // With a request under way.
      try shell.enter("!sleep 100")
      try await shell.wait("the program") { $0.text.hasSuffix("!sleep 100") && $0.cursorLine == "" }
      try shell.type("\u{1A}")
      try await shell.prompt("shell>")
      try shell.enter("fg")
      try await shell.wait("the session again") { $0.text.hasSuffix("gridctl repl --no-events") }
      try shell.type("\u{3}")
      try await shell.prompt("default n1 1/1>")
      try shell.type("\u{4}")
      try await shell.prompt("shell>")
      try shell.enter("exit")
      #expect(try await shell.exitCode() == 0)
    }
  }
}
