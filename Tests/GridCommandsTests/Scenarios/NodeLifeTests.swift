import Foundation
import Testing

/// How a node starts, says that it serves, and ends.
@Suite struct NodeLifeTests {
  @Test(arguments: ["INT", "TERM", "HUP"])
  func aSignalMakesItLeaveInGoodOrder(_ signal: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        mkfifo ready; gridctl node start --name n2 --listen 127.0.0.1:0 --pid-file n2.pid --ready-fd 9 9>ready >out &
        head -c 1 ready | od -An -c; test "$(cat n2.pid)" = $! && echo the pid file names the node
        gridctl spawn counter hits --on n2; kill -\(signal) $!; wait $!; echo status $?
        ls n2.pid run/gridctl/default; gridctl ask hits; eventually 'gridctl peers --status left -o name | grep .'
        """, mergesErrors: true)
      #expect(
        result.output == """
            \\n
          the pid file names the node
          hits runs on n2
          status 0
          ls: cannot access 'n2.pid': No such file or directory
          run/gridctl/default:
          n1.sock
          error: no actor hits in namespace default
            see what runs with: gridctl actors
          peer/n2

          """)
    }
  }

  @Test func aSecondSignalEndsItAtOnce() async throws {
    try await withSandbox { sandbox in
      // A program that ignores SIGTERM keeps the node waiting after the first.
      let mark = "85\(Int.random(in: 100_000...999_999))"
      let result = try await sandbox.run(
        """
        gridctl node start --name n1 --listen 127.0.0.1:0 >out & node=$!
        eventually 'gridctl node ping' >ping
        gridctl spawn exec stubborn -- bash -c 'trap "" TERM; echo up >up; exec sleep \(mark)'
        eventually 'test -s up'; kill -TERM $node; kill -INT $node; wait $node; echo status $?
        """)
      // Of two signals that are pending at once either may be the second.
      #expect(
        result.output.hasSuffix("status 130\n") || result.output.hasSuffix("status 143\n"),
        "\(result.output)\(result.errors)")
      try await sandbox.output("eventually '! pgrep -f \"^sleep \(mark)\"'")
    }
  }

  @Test(arguments: [
    "kill -TERM $(pid n2)", "kill -9 $(pid n2)", "gridctl node stop n2", "gridctl node stop --force n2",
  ])
  func programsEndWithTheirNode(_ end: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let mark = "86\(Int.random(in: 100_000...999_999))"
      try await sandbox.output(
        "gridctl spawn exec family --on n2 -- bash -c 'trap \"\" TERM; sleep \(mark) & echo up >up; cat'")
      try await sandbox.output("eventually 'test -s up && pgrep -f \"^sleep \(mark)\"'")
      try await sandbox.output(end)
      try await sandbox.output("eventually '! pgrep -f \"^sleep \(mark)\"'")
      let after = try await sandbox.run("eventually 'gridctl ask family x; test $? = 67'")
      #expect(after.status == 0, "\(after.output)")
      #expect(try await sandbox.output("gridctl spawn echo family") == "family runs on n1")
    }
  }

  @Test func forceEndsItWithoutWaitingButLosesNoLetter() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output(
        "gridctl spawn exec stuck --on n2 -- bash -c 'trap \"\" TERM; echo up >up; while true; do sleep 0.1; done'")
      try await sandbox.output("eventually 'test -s up'; seq 1 40 | gridctl tell stuck --lines -")
      try await sandbox.output("gridctl node stop n2 --force --timeout 4s")
      try await sandbox.start("n2")
      let letters = try await sandbox.output("gridctl dead-letters list --to stuck -o jsonl")
      #expect(letters.split(separator: "\n").count == 40)
      #expect(letters.split(separator: "\n").allSatisfy { $0.contains(#""reason":"stopped""#) })
    }
  }

  @Test func stopKillAccountsForAllMail() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        "gridctl spawn exec stuck -- bash -c 'while read -r line; do echo $line >>taken; sleep 1000; done'")
      try await sandbox.output("seq 1 40 | gridctl tell stuck --lines -; eventually 'test -s taken'")
      try await sandbox.output("gridctl stop stuck --kill")
      let bodies = "gridctl dead-letters list --to stuck -o jsonl | grep -o '\"body\":\"[0-9]*\"' | tr -dc '0-9\\n'"
      let found = try await sandbox.eventually(bodies) { $0.output.split(separator: "\n").count >= 40 }
      #expect(found.output.split(separator: "\n").compactMap { Int($0) }.sorted() == Array(1...40))
      #expect(try await sandbox.output("gridctl spawn echo stuck") == "stuck runs on n1")
    }
  }

  @Test func detachSaysWhatWentWrong() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let taken = try await sandbox.run("gridctl node start --detach --name n1 --listen 127.0.0.1:0")
      #expect(taken.status == 73)
      #expect(taken.errors.hasPrefix("error: a node named n1 is a member of the namespace already\n"))
      let closed = try await sandbox.run("gridctl node start --ready-fd 77 77>&-")
      #expect(closed.status == 64)
      let pid = try await sandbox.run("gridctl node start --pid-file /nowhere/pid --listen 127.0.0.1:0")
      #expect(pid.status == 74)
      // Nothing of the three is left.
      #expect(try await sandbox.output("gridctl peers -o name") == "peer/n1")
    }
  }

  @Test func aPidFileNamesOneLivingNode() async throws {
    try await withSandbox { sandbox in
      let result = try await sandbox.run(
        """
        start --name n1 --pid-file q
        gridctl node start --name n2 --listen 127.0.0.1:0 --pid-file q 2>err; echo $?; sed "s/$(pid n1)/PID/" err
        test $(cat q) = $(pid n1) && echo it names n1; ls q*; gridctl peers -o name
        kill -9 $(pid n1); start --name n2 --pid-file q; test $(cat q) = $(pid n2) && echo it names n2
        ln -s q link; gridctl node start --name n3 --listen 127.0.0.1:0 --pid-file link 2>/dev/null; echo $?
        gridctl node stop n2 2>/dev/null; eventually '! test -e q' && echo it is gone
        echo 4194304 >q; start --name n3 --pid-file link; gridctl node stop n3; echo $$ >q; start --name n4 --pid-file q
        echo other >q; gridctl node stop n4; eventually '! gridctl peers' >gone; cat q
        gridctl node start --name n5 --listen 127.0.0.1:0 --pid-file q; echo $?; cat q
        """, mergesErrors: true)
      #expect(
        result.output == """
          node/n1
          73
          error: the pid file q names a node that runs: process PID
            stop that one first, or choose another --pid-file
          it names n1
          q
          peer/n1
          node/n2
          it names n2
          73
          it is gone
          node/n3
          node n3 has left
          node/n4
          node n4 has left
          other
          error: q holds something else than the number of a process, and is left alone
            choose another --pid-file
          77
          other

          """)
    }
  }
}
