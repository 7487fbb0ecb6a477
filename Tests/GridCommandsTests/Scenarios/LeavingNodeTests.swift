import Foundation
import Testing

/// Whoever has asked something of a node that goes is told what became of it: never that it was cancelled, as if the
/// user had done that.
@Suite struct LeavingNodeTests {
  /// Asks for actors to be made, one every 10 ms, until the node has been going for a while; then reports each exit
  /// code with the first line of the error, and what runs.
  private static let spawns = """
    for i in $(seq 40); do
      (gridctl spawn exec x$i $WHERE -- sh -c 'while read -r x; do echo $x; done' >out$i 2>err$i; echo $? >code$i) &
      sleep 0.01
      if [ $i = 12 ]; then eval "$GO" & fi
    done; wait
    """

  @Test(arguments: ScenarioStore.allCases)
  func spawnsAtALeavingNodeSayWhatBecameOfThem(_ store: ScenarioStore) async throws {
    try await withSandbox { sandbox in
      let options = try await sandbox.prepare(store)
      try await sandbox.output("start --name n1 \(options); start --name n2 \(options)")
      try await sandbox.output(
        """
        WHERE="-e $(at n1)"; GO='gridctl node stop -e $(at n1) >stop 2>&1'
        \(Self.spawns)
        """, limit: .seconds(120))
      let codes = try await sandbox.output("cat code* | sort | uniq -c")
      #expect(try await sandbox.output("grep -lE '^(130|143|70|1|124)$' code* || true") == "", "\(codes)")
      let words = try await sandbox.output("grep -iE 'cancelled|no longer waiting' err* || true")
      #expect(words == "", "\(words)")
      // Where nothing was done, nothing runs.
      let running = try await sandbox.output("gridctl actors -o name")
      for number in 1...40 {
        let code = try await sandbox.output("cat code\(number)")
        #expect(["0", "69", "75"].contains(code), "x\(number): \(code)")
        if code == "75" { #expect(!running.contains("actor/x\(number)\n"), "x\(number) runs") }
        let told = try await sandbox.output("cat err\(number)")
        let saysSo = ["nothing was", "was not made", "before it had started"].contains { told.contains($0) }
        if code == "75" { #expect(saysSo, "\(told)") }
      }
    }
  }

  @Test(arguments: ScenarioStore.allCases)
  func whoNamesNoNodeGoesOnAtAnotherOne(_ store: ScenarioStore) async throws {
    try await withSandbox { sandbox in
      let options = try await sandbox.prepare(store)
      try await sandbox.output("start --name n1 \(options); start --name n2 \(options)")
      try await sandbox.output(
        """
        WHERE=''; GO='gridctl node stop -e $(at n1) >stop 2>&1'
        \(Self.spawns)
        """, limit: .seconds(120))
      // Nobody was left without an actor for the mere reason that the node was going.
      let codes = try await sandbox.output("cat code* | sort | uniq -c | sed 's/^ *//'")
      let errors = try await sandbox.output("cat err*")
      #expect(codes == "40 0", "\(codes)\n\(errors)")
      #expect(try await sandbox.output("gridctl stop none 2>none; echo $?") == "67")
    }
  }

  @Test(arguments: ScenarioStore.allCases)
  func stopsAtALeavingNodeSayWhatBecameOfThem(_ store: ScenarioStore) async throws {
    try await withSandbox { sandbox in
      let options = try await sandbox.prepare(store)
      try await sandbox.output("start --name n1 \(options); start --name n2 \(options)")
      try await sandbox.output(
        """
        for i in $(seq 40); do gridctl spawn echo x$i --on n$((i % 2 + 1)) -e $(at n1) >out$i || exit 1; done
        for i in $(seq 40); do
          (gridctl stop x$i -e $(at n1) >out$i 2>err$i; echo $? >code$i) &
          if [ $i = 15 ]; then gridctl node stop -e $(at n1) >stop 2>&1 & fi
        done; wait
        """, limit: .seconds(120))
      let running = try await sandbox.output("gridctl actors -o name") + "\n"
      for number in 1...40 {
        let code = try await sandbox.output("cat code\(number)")
        // 67: its actor went with the node before it could be asked for.
        #expect(["0", "67", "69", "75"].contains(code), "x\(number): \(code)")
        if code == "0" { #expect(!running.contains("actor/x\(number)\n"), "x\(number) runs") }
      }
      let words = try await sandbox.output("grep -iE 'cancelled|no longer waiting' err* || true")
      #expect(words == "", "\(words)")
    }
  }

  @Test func aNodeThatIsKilledLeavesNoDoubtAboutTheDoubt() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      // It gives its leadership up only when its program has ended, and that takes its time.
      let result = try await sandbox.run(
        """
        (gridctl leader run slow -e $(at n2) --grace 10s -- \
          sh -c 'trap "echo >asked" TERM; echo >up; while :; do sleep 0.1; done' >led 2>&1 &)
        eventually 'test -s up'
        gridctl leader resign slow --yes -e $(at n1) -t 20s >out 2>err & resign=$!
        eventually 'test -s asked'; kill -9 $(pid n1)
        wait $resign; echo $?; cat err
        """)
      let told = "69\nerror: node n1 was lost before it answered leader.resign: it may have been done"
      #expect(result.output.hasPrefix(told), "\(result)")
    }
  }
}
