import Foundation
import Testing

/// Ctrl-C and Ctrl-Z while a program runs: below `leader run`, a session's `!` and its pipes, with and without a shell
/// that could let go on what was stopped.
@Suite(.serialized)
struct KeyTests {
  /// A sleep that no other test has, and whoever started it.
  private struct Sleeper {
    let cluster: Cluster
    let seconds = String(Int.random(in: 100_000_000...999_999_999))

    var command: String { "bash -c 'sleep \(seconds); true'" }

    /// The states of the processes that run it or wait for it, below gridctl.
    func states() async throws -> String {
      // The pattern does not match the line that has it.
      let line =
        "ps -eo stat=,args= | awk '/[ ]\(seconds.prefix(1))[\(seconds.dropFirst().prefix(1))]"
        + "\(seconds.dropFirst(2))/ && !/gridctl|awk/ { print substr($1, 1, 1) }' | sort -u | tr -d '\\n'"
      return try await cluster.run(line).output
    }

    func wait(for states: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
      let deadline = ContinuousClock.now + .seconds(20)
      var found = ""
      repeat {
        found = try await self.states()
        if found == states { return }
        try await Task.sleep(for: .milliseconds(20))
      } while ContinuousClock.now < deadline
      Issue.record("the processes are \(found), not \(states)", sourceLocation: sourceLocation)
    }

    /// Nothing is left at the moment at which the command has ended.
    func expectNothing(sourceLocation: SourceLocation = #_sourceLocation) async throws {
      #expect(try await states() == "", sourceLocation: sourceLocation)
    }
  }

  private func shell(_ cluster: Cluster) async throws -> TerminalProgram {
    let shell = try TerminalProgram(
      ["/bin/bash", "--norc", "--noprofile", "-i"],
      environment: cluster.environment.merging(["PS1": "shell> "]) { $1 }, directory: cluster.directory, columns: 200)
    try await shell.prompt("shell>")
    return shell
  }

  @Test func interruptEndsALeadersProgramAndAllBelow() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let (shell, sleeper) = (try await shell(cluster), Sleeper(cluster: cluster))
      try shell.enter("gridctl leader run x -- \(sleeper.command)")
      try await sleeper.wait(for: "S")
      try shell.type("\u{3}")
      try await shell.prompt("^Cshell>")
      try await sleeper.expectNothing()
      try shell.enter("echo code $?")
      try await shell.text("\ncode 130")
    }
  }

  @Test func suspendStopsALeaderWithItsProgramUntilBothGoOn() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let (shell, sleeper) = (try await shell(cluster), Sleeper(cluster: cluster))
      try shell.enter("gridctl leader run x -- \(sleeper.command)")
      try await sleeper.wait(for: "S")
      try shell.type("\u{1A}")
      try await shell.prompt("shell>")
      try await sleeper.wait(for: "T")
      try shell.enter("fg")
      try await sleeper.wait(for: "S")
      try shell.type("\u{3}")
      try await shell.prompt("^Cshell>")
      try await sleeper.expectNothing()
    }
  }

  @Test func withoutAShellSuspendStrandsNoLeader() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let sleeper = Sleeper(cluster: cluster)
      let run = try TerminalProgram(
        [cluster.gridctl, "leader", "run", "x", "--", "bash", "-c", "sleep \(sleeper.seconds); true"],
        environment: cluster.environment, directory: cluster.directory)
      try await sleeper.wait(for: "S")
      try run.type("\u{1A}")
      try await run.text("^Z")
      try await sleeper.wait(for: "S")
      try run.type("\u{3}")
      #expect(try await run.exitCode() == 130)
      try await sleeper.expectNothing()
    }
  }

  @Test(arguments: ["!COMMAND", "peers | COMMAND"])
  func interruptEndsASessionsCommandAndNotTheSession(_ form: String) async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let sleeper = Sleeper(cluster: cluster)
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter(form.replacing("COMMAND", with: sleeper.command))
      try await sleeper.wait(for: "S")
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      try await sleeper.expectNothing()
      try session.enter("$?")
      try await session.text("\n130")
      try session.type("\u{4}")
      #expect(try await session.exitCode() == 0)
    }
  }

  /// The shell between the session and a program ends at once, whatever the program makes of the key.
  @Test func whatPaysNoHeedToTheInterruptIsKilled() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let sleeper = Sleeper(cluster: cluster)
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter("!bash -c \"trap '' INT TERM; sleep \(sleeper.seconds); true\"")
      try await sleeper.wait(for: "S")
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      try await sleeper.expectNothing()
    }
  }

  @Test func whatCleansUpAfterAnInterruptMayDoSo() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter(
        "!bash -c \"trap 'sleep 0.3; echo done >clean; exit 0' INT; echo up; while :; do sleep 0.01; done\"")
      try await session.text("\nup")
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      #expect(try String(contentsOfFile: cluster.directory + "/clean", encoding: .utf8) == "done\n")
    }
  }

  @Test func whatAShellLeavesBehindOnPurposeLivesOn() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let sleeper = Sleeper(cluster: cluster)
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter("!\(sleeper.command) & echo started")
      try await session.text("\nstarted\n")
      try await session.prompt("default n1 1/1>")
      let second = Sleeper(cluster: cluster)
      try session.enter("!\(second.command)")
      try await second.wait(for: "S")
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      try await second.expectNothing()
      #expect(try await sleeper.states() == "S")
    }
  }

  @Test func withoutAShellSuspendStrandsNoSession() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let sleeper = Sleeper(cluster: cluster)
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter("!\(sleeper.command)")
      try await sleeper.wait(for: "S")
      try session.type("\u{1A}")
      try await session.text("^Z")
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      try await sleeper.expectNothing()
      try session.type("pe")
      try await session.prompt("default n1 1/1> pe")
      try session.type("\u{1A}ers -o name\r")
      try await session.text("\npeer/n1\n")
    }
  }
}
