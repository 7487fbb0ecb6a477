import Foundation
import Testing

/// Nodes that are paused, killed, or come back.
@Suite struct NodeFaultTests {
  @Test func aPausedNodeIsNamedAsMissingAndDelaysNobody() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("gridctl spawn counter here --on n2; gridctl spawn counter there --on n1")
      // The first socket in the directory is that of the paused node: clients go on to the next. All at once, since
      // the node is a member only until its lease ends.
      try await sandbox.output(
        """
        kill -STOP $(pid n1)
        for list in actors peers 'dead-letters list'; do
          (gridctl $list -o jsonl >"$list.out" 2>"$list.err"; echo $? >"$list.status") &
        done; wait
        """)
      for list in ["actors", "peers", "dead-letters list"] {
        #expect(try await sandbox.output("cat '\(list).status'") == "3", "\(list)")
        let warning = try await sandbox.output("cat '\(list).err'")
        #expect(warning.hasPrefix("warning: node n1 did not answer: "), "\(list): \(warning)")
      }
      #expect(try await sandbox.output("grep -c . actors.out; grep -c '\"name\":\"here\"' actors.out") == "1\n1")
      #expect(try await sandbox.output("grep -c '\"status\":\"suspect\"' peers.out; grep -c . peers.out") == "1\n2")
      #expect(try await sandbox.output("cat 'dead-letters list.out'") == "")
    }
  }

  @Test func nodesMeetAgainWhenTheirStateIsRemoved() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2", "n3")
      let epoch = "gridctl inspect hits -o jsonpath=.epoch"
      let before = try await sandbox.output("gridctl spawn counter hits --on n2 >out; \(epoch)")
      try await sandbox.output("mv state/gridctl gone; rm -rf gone")
      // Each has joined, has lost its membership, and has joined again.
      try await sandbox.output(
        "eventually 'gridctl events --since 1h --kind node --idle 300ms >events; test $(wc -l <events) -ge 10'")
      // Nobody owns anything any more: the name is free, and all see all.
      #expect(try await sandbox.output("gridctl spawn counter hits --on n3") == "hits runs on n3")
      let names = try #require(Int(before))
      #expect(try #require(Int(try await sandbox.output(epoch))) > names, "a token must never come twice")
      for node in ["n1", "n2", "n3"] {
        let alive = "gridctl peers -e $(at \(node)) -o jsonpath='{.items[*].status}'"
        let peers = try await sandbox.eventually(alive) { $0.output == "alive alive alive\n" }
        #expect(peers.output == "alive alive alive\n" && peers.errors == "", "\(node): \(peers)")
      }
      try await sandbox.run("gridctl tell nobody x")
      #expect(try await sandbox.output("gridctl dead-letters list -o jsonpath='{.items[*].target}'") == "nobody")
    }
  }

  @Test func whatIsFollowedGoesOnAtAnotherNode() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2", "n3")
      // The header of a stream, and the SYNCED of a list, come once nothing is missed any more.
      try await sandbox.output(
        """
        (timeout 60 gridctl events --kind actor -e $(at n1) --count 3 >events 2>errors; echo $? >events.end) &
        (timeout 60 gridctl dead-letters tail -e $(at n1) --count 2 >letters; echo $? >letters.end) &
        (timeout 60 gridctl actors --watch -e $(at n1) -o jsonl >list) &
        until [ -s events ] && [ -s letters ] && grep -q SYNCED list; do sleep 0.02; done
        gridctl spawn echo first --on n2; gridctl tell nobody 1 -e $(at n2)
        until grep -q first events && grep -q nobody letters && grep -q first list; do sleep 0.02; done
        kill -9 $(pid n1)
        gridctl spawn echo second --on n2 -e $(at n3); gridctl stop second -e $(at n3)
        gridctl tell nobody 2 -e $(at n2)
        gridctl spawn echo third --on n3 -e $(at n3)
        """)
      let ends = try await sandbox.eventually("cat events.end letters.end") { $0.output.count >= 4 }
      #expect(ends.output == "0\n0\n")
      let events = try await sandbox.output("tail -n +2 events | awk '{ print $4, $5 }'")
      #expect(events == "first spawned\nsecond spawned\nsecond stopped")
      #expect(try await sandbox.output("tail -n +2 letters | awk '{ print $5, $7 }'") == "nobody 1\nnobody 2")
      let told = try await sandbox.output("cat errors")
      #expect(told.hasPrefix("warning: node n1 is gone; looking for another one\nwarning: goes on at node n"))
      let added = "grep ADDED list | grep -o '\"name\":\"[a-z]*\"' | grep -v second"
      let list = try await sandbox.eventually(added) { $0.output.contains("third") }
      #expect(list.output == "\"name\":\"first\"\n\"name\":\"third\"\n")
    }
  }

  @Test func aNodeThatIsPausedInTheMidstOfASessionIsNamed() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let result = try await sandbox.run(
        """
        gridctl repl -c 'kinds -o name >out
        !kill -STOP '$(pid n1)'
        actors -t 300ms'
        """)
      #expect(result.status == 124)
      #expect(result.errors.contains("line 3: node n1 did not answer within 300ms\n  it may be paused"), "\(result)")
    }
  }

  @Test func aStreamEndsWhenNoNodeIsLeft() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output(
        """
        (timeout 60 gridctl events -t 300ms >events 2>err; echo $? >end) & until [ -s events ]; do sleep 0.02; done
        kill -9 $(pid n1)
        """)
      #expect(try await sandbox.eventually("cat end") { $0.output != "" }.output == "69\n")
      let told = try await sandbox.output("cat err")
      #expect(told.contains("the stream was lost: node n1 is gone, and no other one answers"), "\(told)")
    }
  }

  @Test func killingANodeFreesItsNames() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("gridctl spawn exec calc --on n2 -- cat; gridctl ask calc 1")
      // An ask that is under way when the node dies is answered too, long before its own time-out.
      let result = try await sandbox.run(
        """
        gridctl spawn exec slow --on n2 -- bash -c 'while read -r line; do touch busy; sleep 1000; done' >out
        gridctl ask slow x -t 50s & ask=$!
        eventually 'test -e busy'; kill -9 $(pid n2)
        wait $ask; echo status $?
        eventually 'gridctl ask calc 1 -t 1s; test $? = 67'
        gridctl spawn echo calc
        """)
      #expect(
        result.output == """
          status 69
          error: no actor calc in namespace default
            see what runs with: gridctl actors
          calc runs on n1

          """, "\(result.errors)")
    }
  }

  @Test func aNodeThatSleptTooLongStopsWhatItLostAndRejoins() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let first = "-e \(sandbox.endpoint("n1"))"
      try await sandbox.output(
        "gridctl spawn counter total --on n2; gridctl tell total 7; gridctl spawn exec stuck --on n2 -- sleep 1000")
      try await sandbox.output("seq 1 30 | gridctl tell stuck --lines -")
      let process = try await sandbox.processIdentifier(of: "n2")
      kill(process, SIGSTOP)
      // Another node takes the name as soon as the lease is over.
      let taken = try await sandbox.run("eventually 'gridctl spawn counter total \(first)'")
      #expect(taken.output == "total runs on n1\n")
      try await sandbox.output("gridctl tell total 5 \(first)")
      kill(process, SIGCONT)
      let back =
        "gridctl peers --status alive -o name | grep -c . | grep 2 && ! gridctl actors --on n2 -o name | grep ."
      try await sandbox.output("eventually '\(back)'")
      #expect(try await sandbox.output("gridctl ask total \(first)") == "5")
      #expect(try await sandbox.output("gridctl ask total -e \(sandbox.endpoint("n2"))") == "5")
      #expect(try await sandbox.output("gridctl actors -o name") == "actor/total")
      let letters = "gridctl dead-letters list --to stuck -o tsv --no-headers | wc -l"
      #expect(try await sandbox.eventually(letters) { $0.output == "30\n" }.output == "30\n")
      // It is a full member again.
      #expect(try await sandbox.output("gridctl spawn echo again --on n2") == "again runs on n2")
      #expect(try await sandbox.output("gridctl ask again hello \(first)") == "hello")
    }
  }

  @Test func socketsOfKilledNodesConfuseNobody() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2", "n3")
      try await sandbox.output("kill -9 $(pid n1) $(pid n2)")
      #expect(try await sandbox.output("ls run/gridctl/default") == "n1.sock\nn2.sock\nn3.sock")
      #expect(try await sandbox.output("gridctl node ping -o name") == "node/n3")
      // The only node is stopped without being named, whatever files lie about.
      let stopped = try await sandbox.run("gridctl node stop")
      #expect(stopped.errors == "node n3 has left\n")
      let none = try await sandbox.run("gridctl peers")
      #expect(none.status == 69)
      #expect(none.errors.hasPrefix("error: no node of namespace default runs on this machine\n"))
      try await sandbox.start("n4")
      #expect(try await sandbox.output("ls run/gridctl/default") == "n4.sock")
    }
  }

  @Test func ofTwoSimultaneousSpawnsExactlyOneSucceeds() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let rounds = """
        for round in $(seq 20); do
          gridctl spawn echo r$round -e $(at n1) >/dev/null 2>&1 & one=$!
          gridctl spawn echo r$round -e $(at n2) >/dev/null 2>&1 & two=$!
          wait $one; first=$?; wait $two; echo $((first + $?)) $((first * $?))
        done | sort | uniq -c; gridctl actors --no-headers | wc -l
        """
      let result = try await sandbox.output(rounds)
      #expect(result.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) } == ["20 73 0", "20"])
    }
  }

  @Test func twoClustersSideBySideDoNotMeet() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("start --name n1; start --name n2; start --name n1 --namespace other")
      try await sandbox.output("gridctl spawn counter total; GRIDCTL_NAMESPACE=other gridctl spawn echo total")
      try await sandbox.output("gridctl tell total 3; gridctl tell nobody boo --namespace other || true")
      #expect(try await sandbox.output("gridctl ask total") == "3")
      #expect(try await sandbox.output("gridctl ask total hello --namespace other") == "hello")
      #expect(try await sandbox.output("gridctl peers -o name") == "peer/n1\npeer/n2")
      #expect(try await sandbox.output("gridctl peers -o name --namespace other") == "peer/n1")
      #expect(try await sandbox.output("gridctl dead-letters list -o name") == "")
      let wrong = try await sandbox.run("gridctl peers --namespace other -e $(at n1)")
      #expect(wrong.status == 76)
      try await sandbox.output("gridctl node stop --namespace other")
      #expect(try await sandbox.output("gridctl ask total") == "3")
    }
  }
}
