import Foundation
import Testing

/// What signals do to commands that run programs, while they wait and while they run one.
@Suite struct SignalTests {
  @Test(arguments: ["TERM", "INT", "HUP", "QUIT"])
  func aLeadersProgramGetsTheSignalAndItsCodeIsTheCommands(_ signal: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        gridctl leader run x -- bash -c 'trap "echo got \(signal) >out; exit 7" \(signal); echo up >up
          while :; do sleep 0.02; done' & run=$!
        eventually 'test -s up'; kill -\(signal) $run; wait $run; echo status $?; cat out
        eventually 'gridctl leader show x; test $? = 69' >gone && echo nobody leads
        """)
      #expect(result.output == "status 7\ngot \(signal)\nnobody leads\n", "\(result.errors)")
    }
  }

  @Test(arguments: [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)])
  func aSignalThatEndsTheProgramIsInTheExitCode(_ signal: String, _ status: Int) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        ulimit -c 0; gridctl leader run x -- sh -c 'echo up >up; exec sleep 1000' & run=$!
        eventually 'test -s up'; kill -\(signal) $run; wait $run 2>/dev/null; echo status $?
        """)
      #expect(result.output == "status \(status)\n", "\(result.errors)")
    }
  }

  @Test func aProgramThatGoesOnIsKilledAfterTheGrace() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        gridctl leader run x --grace 200ms -- bash -c 'trap "" TERM INT; echo up >up; while :; do sleep 0.02; done' \
          2>err & run=$!
        eventually 'test -s up'; kill -INT $run; kill -TERM $run; wait $run; echo status $?; cat err
        """)
      #expect(
        result.output == "status 137\nleader x: the program did not end within 200ms; it is killed\n",
        "\(result.errors)")
    }
  }

  @Test(arguments: [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)])
  func beforeTheElectionASignalEndsTheWait(_ signal: String, _ status: Int) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        gridctl leader run x -- sleep 1000 & eventually 'gridctl leader show x' >leads
        gridctl leader run x -- touch never & run=$!
        eventually "test \\$(( 0x\\$(awk '/SigCgt/ { print \\$2 }' /proc/$run/status) & 0x4000 )) != 0"
        kill -\(signal) $run; wait $run; echo status $?; ls never
        """)
      #expect(result.output == "status \(status)\n", "\(result.errors)")
    }
  }

  @Test func underNohupBothSurviveTheTerminal() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        nohup gridctl leader run x -- sh -c 'echo $$ >up; exec sleep 1000' >/dev/null 2>&1 & run=$!
        eventually 'test -s up'; kill -HUP $run $(cat up); gridctl leader show x -o name
        kill -TERM $run; wait $run; echo status $?
        """)
      #expect(result.output == "leader/x\nstatus 143\n", "\(result.errors)")
    }
  }

  @Test(arguments: [("trap \"exit 9\" TERM;", 9), ("trap \"exit 0\" TERM;", 143), ("", 143)])
  func aHookOfEventsGetsTheSignal(_ trap: String, _ status: Int) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        gridctl events --kind actor --exec -- bash -c '\(trap) echo up >up; while :; do sleep 0.02; done' & run=$!
        eventually 'gridctl spawn echo a$RANDOM >out; test -s up'
        kill -TERM $run; wait $run; echo status $?
        """)
      #expect(result.output == "status \(status)\n", "\(result.errors)")
    }
  }

  @Test func aSignalBetweenEventsEndsTheCommand() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        gridctl events --kind actor --exec -- touch up & run=$!
        eventually 'gridctl spawn echo a$RANDOM >out; test -e up'
        kill -TERM $run; wait $run; echo status $?
        """)
      #expect(result.output == "status 143\n", "\(result.errors)")
    }
  }

  @Test(arguments: ["TERM", "HUP"])
  func theEditorOfAContextGetsTheSignal(_ signal: String) async throws {
    try await withSandbox { sandbox in
      let result = try await sandbox.run(
        """
        gridctl context add prod --endpoint 127.0.0.1:1 >out 2>&1
        printf '%s\\n' '#!/bin/bash' 'trap "touch put-back; exit 1" \(signal); touch up' \
          'while :; do sleep 0.02; done' >editor; chmod +x editor
        EDITOR=$PWD/editor gridctl context edit prod & run=$!
        eventually 'test -e up'; kill -\(signal) $run; wait $run; echo status $?; ls put-back
        """)
      let status = signal == "TERM" ? 143 : 129
      #expect(result.output == "status \(status)\nput-back\n", "\(result.errors)")
    }
  }

  @Test func aDetachedNodeIgnoresTheEndOfATerminal() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        node=$(pid n1); echo $(( 0x$(awk '/SigIgn/ { print $2 }' /proc/$node/status) & 1 ))
        kill -HUP $node; gridctl spawn echo mirror; gridctl ask mirror hey
        """)
      #expect(result.output == "1\nmirror runs on n1\nhey\n", "\(result.errors)")
    }
  }

  @Test func aNodeWhoseTerminalClosesKeepsAcceptedMail() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(
        """
        gridctl node start --name n1 --listen 127.0.0.1:0 >out & node=$!
        eventually 'gridctl node ping' >ping
        gridctl spawn exec slow -- bash -c 'echo up >up; read -r line; exec sleep 1000'
        seq 40 | gridctl tell slow --lines -
        kill -HUP $node; kill -HUP $node; wait $node
        """)
      try await sandbox.start("n1")
      let letters = try await sandbox.output("gridctl dead-letters list --to slow -o jsonl")
      #expect(letters.split(separator: "\n").count == 40)
    }
  }
}
