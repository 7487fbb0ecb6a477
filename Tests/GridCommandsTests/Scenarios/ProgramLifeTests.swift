import Foundation
import Testing

/// How long the programs of a cluster live: as long as their actors and nodes, and not a moment longer.
@Suite struct ProgramLifeTests {
  /// Ignores what asks it to end, and writes into a file every 20 ms who it is.
  private static let stubborn = #"bash -c 'trap "" TERM HUP; while :; do echo $$ >>beats; sleep 0.02; done'"#

  @Test func stopKillEndsTheProgramBeforeItSaysSo() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.output(
        """
        for round in 1 2 3 4 5; do
          gridctl spawn exec k -- \(Self.stubborn) >out
          program=$(gridctl inspect k -o jsonpath=.pid); gridctl stop k --kill >out; cat out
          kill -0 $program 2>/dev/null && echo "$program is alive"
        done; true
        """)
      #expect(result == Array(repeating: "k has stopped", count: 5).joined(separator: "\n"))
    }
  }

  @Test func aProgramThatIgnoresTheRequestKeepsItsNameUntilItIsGone() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn exec k -- \(Self.stubborn)")
      let program = try await sandbox.output("gridctl inspect k -o jsonpath=.pid")
      let early = try await sandbox.run("gridctl stop k -t 1s")
      #expect(early.status == 124, "\(early)")
      #expect(early.errors.contains("k has not stopped yet: its program (process \(program)) still runs"), "\(early)")
      #expect(early.errors.contains("gridctl stop k --kill"), "\(early)")
      #expect(try await sandbox.run("gridctl spawn echo k").status == 73)
      // By default the program is killed well before the command gives up.
      #expect(try await sandbox.output("gridctl stop k") == "k has stopped")
      #expect(try await sandbox.run("kill -0 \(program)").status == 1)
      #expect(try await sandbox.output("gridctl spawn echo k") == "k runs on n1")
    }
  }

  @Test func whatLeftItsSessionEndsWithItsActor() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let script = "setsid sleep 707 & echo $! >sleeper; while read x; do echo $x; done"
      try await sandbox.output("gridctl spawn exec s -- sh -c '\(script)'; gridctl ask s 1")
      #expect(try await sandbox.output("kill -0 $(cat sleeper); gridctl stop s") == "s has stopped")
      #expect(try await sandbox.run("kill -0 $(cat sleeper)").status == 1)
    }
  }

  @Test func nodeAndGuardKilledAtOnceLeaveNothing() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let change = Machine.isRoot ? "setpriv --reuid 65534 --clear-groups" : ""
      let script = "setsid \(change) sleep 708 & a=$!; sleep 708 & echo $a $! $$ >all; while read x; do echo $x; done"
      try await sandbox.output("gridctl spawn exec s -- sh -c '\(script)'; gridctl ask s 1")
      try await sandbox.output(
        """
        node=$(pid n1); guards=$(pgrep -P $node); kill -9 $guards $node
        eventually '! kill -0 $(cat all) 2>/dev/null'
        for process in $(cat all); do eventually "! kill -0 $process 2>/dev/null"; done
        """)
    }
  }

  @Test func aPausedNodesProgramIsGoneBeforeTheNextOneStarts() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("gridctl spawn exec k --on n2 -- \(Self.stubborn)")
      let process = try await sandbox.processIdentifier(of: "n2")
      // All that a careless `pkill -STOP gridctl` would hit.
      try await sandbox.output("kill -STOP $(pgrep -P \(process)) \(process)")
      let taken = try await sandbox.run(
        #"eventually 'gridctl spawn exec k -e $(at n1) -- sh -c "tail -n 1 beats >last; cat"'"#)
      #expect(taken.output == "k runs on n1\n", "\(taken)")
      let first = try await sandbox.output("eventually '[ -s last ]'; cat last")
      #expect(try await sandbox.run("kill -0 \(first)").status == 1, "the program runs beside its successor")
      try await sandbox.output("kill -CONT $(pgrep -P \(process)) \(process)")
    }
  }

  @Test func whatAWrappedProgramStartedDiesWithTheWrapper() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        """
        gridctl leader run n -- bash -c 'sleep 600 & echo $! >sleeper; ls /proc/$$/fd >descriptors; wait; true' &
        wrapper=$!
        eventually '[ -s descriptors ]'; kill -9 $wrapper
        eventually '! kill -0 $(cat sleeper)' >out
        eventually '! gridctl leader show n' >out
        """)
      // 255 is bash's own.
      #expect(try await sandbox.output("grep -v 255 descriptors | tr '\\n' ' '") == "0 1 2 ")
    }
  }

  @Test func aWrapperThatIsStoppedDoesNotLetItsProgramOutliveTheLeadership() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        """
        gridctl leader run n -- \(Self.stubborn) & wrapper=$!
        eventually '[ -s beats ]'; kill -STOP $wrapper; program=$(tail -n 1 beats)
        eventually "! kill -0 $program"; kill -9 $wrapper
        """)
    }
  }
}
