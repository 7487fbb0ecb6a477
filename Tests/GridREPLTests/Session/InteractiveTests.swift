import Foundation
import Testing

/// Sessions on a real terminal, against real nodes.
@Suite(.serialized)
struct InteractiveTests {
  @Test func aLineRunsAndThePromptShowsTheCluster() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1", "n2")
      let session = try cluster.session()
      try await session.prompt("default n1 2/2>")
      #expect(session.screen.text.contains("attached to n1, 2 nodes"))
      try session.enter("spawn counter hits")
      try await session.text("hits runs on n1")
      try session.enter("tell hits 41; tell hits 1; ask hits")
      try await session.text("\n42\n")
      try session.enter("$_")
      try await session.wait("the value twice") { $0.text.split(separator: "\n").count { $0 == "42" } == 2 }
      try await session.prompt("default n1 2/2>")
      try session.type("\u{4}")
      #expect(try await session.exitCode() == 0)
      #expect(session.screen.unknown == [])
      let peers = try await cluster.run("gridctl peers -o name")
      #expect(peers.output == "peer/n1\npeer/n2\n", "leaving stops no node")
    }
  }

  @Test func interruptCancelsTheRequestAndNotTheSession() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session()
      try await session.prompt("default n1 1/1>")
      try session.type("half a line")
      try await session.prompt("default n1 1/1> half a line")
      try session.type("\u{3}")
      try await session.text("default n1 1/1> half a line^C\ndefault n1 1/1>")
      try session.enter("spawn exec slow --handler-timeout 60s -- sleep 100")
      try await session.text("slow runs on n1")
      try session.enter("ask slow hello -t 60s")
      try await session.wait("the request under way") { $0.cursorLine == "" && $0.text.hasSuffix("-t 60s") }
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      try session.enter("$?")
      try await session.text("\n130\n")
    }
  }

  @Test func theLastLineIsEditedInTheUsersEditor() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let folder = cluster.directory + "/a folder"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      let variables = ["EDITOR": "sed -i s/counter/echo/", "TMPDIR": folder]
      let session = try TerminalProgram(
        [cluster.gridctl, "repl", "--no-events"], environment: cluster.environment.merging(variables) { $1 },
        directory: cluster.directory)
      try await session.prompt("default n1 1/1>")
      try session.enter("spawn counter hits")
      try await session.text("hits runs on n1\ndefault n1 1/1>")
      try session.enter(":edit")
      try await session.prompt("default n1 1/1> spawn echo hits")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
  }

  @Test func whatIsTypedWhileACommandRunsIsKept() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      _ = try await cluster.run(
        "gridctl spawn exec gate -- bash -c 'while read -r l; do until [ -e go ]; do sleep 0.02; done; echo open; done'"
      )
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter("ask gate knock -t 60s")
      try await session.wait("the request under way") { $0.cursorLine == "" && $0.text.hasSuffix("-t 60s") }
      try session.type("peers -o name\r")
      _ = try await cluster.run("touch go")
      try await session.text("-t 60s\nopen\ndefault n1 1/1> peers -o name\npeer/n1\ndefault n1 1/1>")
    }
  }

  @Test func aLostNodeIsToldAndTheLineSurvives() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1", "n2")
      let session = try cluster.session()
      try await session.prompt("default n1 2/2>")
      try session.enter("let kept = peers; nothing")
      try await session.text("there is no command")
      try await session.prompt("default n1 2/2>")
      try session.type("$kept.items[0].name")
      try await session.prompt("default n1 2/2> $kept.items[0].name")
      cluster.kill("n1")
      try await session.text("! node n1 is gone; looking for another one")
      try await session.text("! attached to n2")
      try await session.wait("the line at the new prompt") {
        $0.cursorLine.hasSuffix("> $kept.items[0].name") && $0.cursorLine.contains(" n2 ")
      }
      try session.type("\r")
      try await session.text("\nn1\n")
      try session.enter("peers -o name")
      try await session.text("\npeer/n2")
      try session.enter(":quit")
      #expect(try await session.exitCode() == 0)
    }
  }

  @Test func withoutANodeTheSessionWaitsForOne() async throws {
    try await withCluster { cluster in
      let session = try cluster.session()
      try await session.text("! no node of namespace default runs on this machine")
      try await session.prompt("default ->")
      try session.enter("!gridctl node start --name late --listen 127.0.0.1:0 --detach")
      try await session.prompt("default late 1/1>")
    }
  }

  @Test func jobsRunBehindThePrompt() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter("events --kind actor -o jsonl &")
      try await session.text("[1] events --kind actor -o jsonl")
      try await session.prompt("default n1 1/1>")
      try session.type("spawn cou")
      _ = try await cluster.run("gridctl spawn echo mirror")
      try await session.wait("the event above the line") {
        $0.text.contains("[1] {") && $0.text.contains("\"name\":\"mirror\"") && $0.cursorLine.hasSuffix("> spawn cou")
      }
      try session.type("\u{15}")
      try session.enter(":jobs")
      try await session.text("\n[1] events --kind actor -o jsonl\n")
      try session.enter(":fg 1")
      _ = try await cluster.run("gridctl spawn echo second")
      try await session.wait("the event in the foreground") { screen in
        screen.text.split(separator: "\n").contains { $0.hasPrefix("{") }
      }
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      try session.enter(":jobs; :fg")
      try await session.text("there are no jobs")
      try session.enter("events &")
      try await session.text("[1] events\n")
      try session.enter(":kill 1")
      try await session.text("[1] ended: events")
      try await session.prompt("default n1 1/1>")
      try session.type("\u{4}")
      #expect(try await session.exitCode() == 0)
    }
  }

  @Test func aSecondInterruptLeavesTheRequestBehind() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session()
      try await session.prompt("default n1 1/1>")
      // A program that does not mind being asked to end.
      try session.enter("!trap '' INT TERM; echo ready; sleep 100 & wait; wait; wait; sleep 100")
      try await session.wait("the program") { $0.text.hasSuffix("\nready") && $0.cursorLine == "" }
      // The second of two within a second leaves it behind, and signals that come together may be one.
      try await session.repeatedly("\u{3}") { $0.text.contains("[1] left behind: !trap") }
      try session.enter(":quit")
      #expect(try await session.exitCode() == 0)
      _ = try await cluster.run("pkill -KILL -s \(session.process); true")
    }
  }

  @Test func watchEndsWhenItsExpressionHolds() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter("watch -n 50ms --until '$_.alive == 2' peers -o name")
      try await session.text("every 50ms: peers -o name   round 3")
      try await cluster.start("n2")
      try await session.prompt("default n1 2/2>")
      #expect(session.screen.text.contains("\npeer/n1\npeer/n2\n"), "rounds replace each other")
      #expect(session.screen.fullText.components(separatedBy: "every 50ms").count == 2)
      try session.enter("watch -n 50ms peers -o name")
      try await session.text("round 2")
      try session.type("\u{3}")
      try await session.prompt("default n1 2/2>")
    }
  }

  @Test func aSignalToEndRestoresTheTerminal() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session()
      try await session.prompt("default n1 1/1>")
      kill(session.process, SIGTERM)
      #expect(try await session.exitCode() == 143)
      #expect(session.echoes, "the terminal is as it was")
      #expect(!session.screen.isPasting)
    }
  }

  @Test func aProtectedContextAsksForItsName() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      _ = try await cluster.run("gridctl spawn counter hits; gridctl context add prod --protected")
      let session = try cluster.session(["-C", "prod", "--no-events"])
      try await session.prompt("prod n1 1/1>")
      try session.enter("stop hits")
      try await session.wait("the question") {
        $0.cursorLine.hasPrefix("context prod is protected. type \"prod\" to stop")
      }
      try session.enter("no")
      try await session.text("not done: stop")
      try session.enter("stop hits")
      try await session.wait("the question again") { $0.cursorLine.hasPrefix("context prod is protected.") }
      try session.type("\u{3}")
      try await session.text("nobody answered")
      try session.enter("actors -o name")
      try await session.text("\nactor/hits\n")
      try session.enter("stop hits")
      try await session.wait("the question once more") { $0.cursorLine.hasPrefix("context prod is protected.") }
      try session.enter("prod")
      try await session.prompt("prod n1 1/1>")
      try session.enter("actors -o json")
      try await session.text("\"items\": []")
      try await session.prompt("prod n1 1/1>")
      try session.type("\u{4}")
      #expect(try await session.exitCode() == 0)
    }
  }

  @Test func theSessionGoesToAnotherNodeWhenTold() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1", "n2")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 2/2>")
      try session.enter(":attach n2")
      try await session.prompt("default n2 2/2>")
      try session.enter(":attach n3")
      try await session.text("there is no node n3")
      try session.enter("node ping -o name")
      try await session.text("\nnode/n2\n")
      try session.enter("peers --stauts alive")
      try await session.text("  peers --stauts alive\n        ^~~~~~~~\n")
    }
  }
}
