import Foundation
import Testing

/// Actors of which one runs in the namespace, with programs that are well and programs that are not.
@Suite struct SingletonTests {
  @Test func whatFailsAtOnceIsStartedAHandfulOfTimes() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(
        """
        cat >kinds <<'END'
        kinds:
          bad: {command: [sh, -c, 'date +%s%N >>starts; exit 7'], restart: never, singleton: true}
          gone: {command: [./no-such-program], singleton: true}
          good: {command: [cat], singleton: true}
        END
        start --name n1 --kinds-file kinds
        """)
      // Five failures take a second and a half at most; 200 starts a second would be there long before.
      let ask = #"gridctl events --since 1m --idle 100ms --filter 'name=="bad"' -o jsonl"#
      let events = try await sandbox.eventually(ask) {
        $0.output.contains("singleton failed 5 times in a row, is started again in ")
      }
      #expect(events.output.contains("in a row, is started again in"), "\(events)")
      #expect(events.output.contains(": the program exited with code 7"), "\(events)")
      let starts = try await sandbox.output("cat starts").split(separator: "\n").compactMap { Int64($0) }
      #expect((5...9).contains(starts.count), "\(starts.count) starts")
      // Each pause is about twice the one before: a fifth at most is taken off at random.
      for (number, (earlier, later)) in zip(starts, starts.dropFirst()).enumerated() {
        #expect(later - earlier >= 80_000_000 << number, "pause \(number)")
      }
      let check = try await sandbox.eventually("gridctl check") { $0.output.contains("critical: singleton bad") }
      #expect(check.status == 2)
      let trouble = "it cannot be started, or does not stay up, on n1: the program exited with code 7\n"
      #expect(check.output.contains("critical: singleton bad: \(trouble)"), "\(check.output)")
      #expect(check.output.contains("critical: singleton gone: it cannot be started"), "\(check.output)")
      #expect(!check.output.contains("good"), "\(check.output)")
      let log = try await sandbox.output("grep -c 'a singleton does not stay up' $(find state -name '*n1*.log')")
      #expect(log == "1", "the same reason is said once")
    }
  }

  @Test func theListSaysWhoRunsThemAndWhatFails() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(
        """
        cat >kinds <<'END'
        kinds:
          bad: {command: [sh, -c, 'exit 7'], restart: never, singleton: true}
          good: {command: [cat], singleton: true}
        END
        start --name n1 --kinds-file kinds; start --name n2 --kinds-file kinds; start --name n3
        (gridctl leader run main -e $(at n3) -- sleep 100) & gridctl wait leader/main actor/good
        """)
      let list = "gridctl leader show -e $(at n3)"
      let shown = try await sandbox.eventually("\(list) -o tsv") { result in
        result.output.split(separator: "\n").contains { $0.hasPrefix("bad\t-") && !$0.hasSuffix("\t-") }
      }
      let rows = shown.output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
      #expect(rows.first == ["NAME", "NODE", "TOKEN", "HOLDER", "SINCE", "FAILURES", "NEXT START"], "\(shown)")
      #expect(rows.map { $0[0] } == ["NAME", "bad", "good", "main"])
      #expect(rows.count == 4 && rows[2][1] == "n1" && rows[2][3] == "singleton" && rows[2][4].hasSuffix("Z"))
      #expect(rows.count == 4 && Array(rows[2][5...]) == ["0", "-"] && Array(rows[3][5...]) == ["-", "-"], "\(rows)")
      let json = try await sandbox.output("\(list) -o jsonpath='.items[0].keepers'")
      #expect(json.contains("n1") && json.contains("n2") && !json.contains("n3"), "\(json)")
      let one = try await sandbox.output(
        """
        gridctl leader show good -o jsonpath=.node; gridctl leader show good --is n1 >out; echo $?
        gridctl leader show good --is n2 >out; echo $?
        """)
      #expect(one == "n1\n0\n2")
      // The other node takes over, and says so.
      try await sandbox.output("gridctl node stop n1 --yes")
      let moved = try await sandbox.eventually("gridctl leader show good -o jsonpath=.node -e $(at n3)") {
        $0.output == "n2\n"
      }
      #expect(moved.output == "n2\n")
      let token = try await sandbox.output("gridctl leader show good -o jsonpath=.token -e $(at n3)")
      #expect(try #require(Int(token)) > (Int(rows[2][2]) ?? .max))
    }
  }

  @Test func whatIsStoppedIsThereAgainAndWell() async throws {
    try await withSandbox { sandbox in
      let health = try await sandbox.output(
        """
        echo 'kinds: {leader: {command: [cat]}, mine: {command: [cat], singleton: false}}' >kinds
        start --name n1 --kinds-file kinds; gridctl wait actor/leader
        first=$(gridctl inspect leader -o jsonpath=.epoch)
        for i in 1 2 3; do
          gridctl stop leader >out; eventually "gridctl inspect leader" >out
        done
        [ $(gridctl inspect leader -o jsonpath=.epoch) -gt $first ]
        gridctl leader show leader -o jsonpath=.failures | grep -qx 0
        gridctl check; ! gridctl inspect mine 2>out
        """)
      #expect(!health.contains("singleton") && !health.contains("warning"), "\(health)")
    }
  }
}
