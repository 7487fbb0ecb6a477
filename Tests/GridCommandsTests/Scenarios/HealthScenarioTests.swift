import Foundation
import Testing

/// `check` against real nodes that are not well.
@Suite struct HealthScenarioTests {
  @Test func deadLettersAndProgramsThatFailAreSeen() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let first = try await sandbox.run("gridctl check")
      #expect(first.status == 0)
      #expect(first.output.contains("ok: dead letters: none in the last 1h\nok: actors: none failed in the last 1h\n"))
      try await sandbox.run("for i in 1 2 3; do gridctl tell nobody $i -e $(at n2) 2>none; done")
      // Its program is gone as soon as it is there: it is started again until its budget is spent.
      try await sandbox.output("gridctl spawn exec bad --on n2 --restart 2/60s -- sh -c 'sleep 0.05; exit 7'")
      try await sandbox.output("gridctl wait no-actor/bad -t 20s")
      let ill = try await sandbox.eventually("gridctl check -e $(at n1)") { $0.output.contains("3 in the last 1h") }
      #expect(ill.status == 0, "a warning is no failure: \(ill)")
      #expect(ill.output.contains("warning: dead letters: 3 in the last 1h\n"), "\(ill.output)")
      #expect(ill.output.contains("warning: actors: 1 ended by failing in the last 1h: bad ("), "\(ill.output)")
      let codes = try await sandbox.output(
        """
        for bound in 2:3 2 3 5: 1:2; do
          gridctl check --max-dead-letters $bound --max-ended 9 >out; printf '%s ' $?
        done
        gridctl check --max-ended 0 --max-dead-letters 9 >out; printf '%s ' $?
        for bound in 2:3 2 9; do
          gridctl check --max-dead-letters $bound --max-ended 9 --max-failing 9 --format nagios >out; printf '%s ' $?
        done
        gridctl check --max-dead-letters few --format nagios >out; printf '%s ' $?
        gridctl check --max-dead-letters few 2>out; echo $?
        """)
      #expect(codes == "0 2 0 0 2 2 1 2 0 3 64")
      let text = try await sandbox.output("gridctl check --format prometheus")
      #expect(text.contains("gridctl_dead_letters 3\n") && text.contains("gridctl_node_actors_ended{node=\"n2\"} 1"))
      let window = try await sandbox.output("gridctl check --window 1ms -o json --format json")
      #expect(window.contains("\"dead_letters\": {") && window.contains("\"status\": \"ok\""), "\(window)")
    }
  }

  @Test func aMembershipThatWasLostIsSaidEverywhere() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output(
        """
        process=$(pid n2); kill -STOP $process
        eventually "gridctl peers --status dead -o name -e $(at n1) | grep n2"; kill -CONT $process
        """)
      try await sandbox.output("gridctl wait 'peers>=2' -e $(at n1) -t 20s")
      let seen = try await sandbox.eventually("gridctl check -e $(at n1)") { $0.output.contains("membership") }
      #expect(seen.output.contains("warning: membership: lost once in the last 1h on n2\n"), "\(seen.output)")
      #expect(seen.status == 0)
      #expect(try await sandbox.run("gridctl check --max-lost 0").status == 2)
      let log = try await sandbox.output("cat $(find state -name '*n2*.log')")
      #expect(log.contains("lost its membership: stops its actors, and joins again"), "\(log)")
      #expect(log.contains("is a member again"), "\(log)")
    }
  }
}
