import Foundation
import Testing

/// `leader run` that does not wait, does not wait for long, and runs once in a while.
@Suite struct LeaderRunTests {
  private static let busy = """
    gridctl leader run x -e $(at n1) -- sleep 1000 >busy 2>&1 & run=$!; eventually 'gridctl leader show x' >out
    """

  @Test func theWaitIsBoundedOnlyWhereThatIsSaid() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let result = try await sandbox.run(
        """
        \(Self.busy)
        gridctl leader run x -e $(at n2) -t 200ms -- touch never; echo $?
        gridctl leader run x -e $(at n2) --no-wait -- touch never 2>refused; echo $?
        sed 's/by .* under/by HOLDER under/' refused
        GRIDCTL_TIMEOUT=500ms gridctl leader run x -e $(at n2) -- sh -c 'echo led >led' & patient=$!
        gridctl leader run x -e $(at n2) -t 700ms -- touch never 2>out; echo $?
        kill $run; wait $patient; echo $?; cat led
        eventually 'gridctl leader run x -e $(at n2) --no-wait -- echo free'
        eventually 'gridctl leader run x -e $(at n1) -t 5s -- sh -c "echo free; exit 3"; test $? = 3'
        ls never 2>out; echo $?
        """)
      #expect(
        result.output == """
          124
          75
          error: x is led by HOLDER under node n1
            without --no-wait it waits until it leads
          124
          0
          led
          free
          free
          2

          """, "\(result)")
      #expect(
        result.errors.contains("error: the leadership of x was not won within 200ms\n  see who leads: "), "\(result)")
    }
  }

  @Test(arguments: ScenarioStore.allCases)
  func aJobThatEveryNodeStartsRunsOnce(_ store: ScenarioStore) async throws {
    try await withSandbox { sandbox in
      let words = try await sandbox.prepare(store)
      try await sandbox.output("start --name n1 \(words); start --name n2 \(words)")
      let job = "gridctl leader run nightly --once-per 24h -- sh -c 'echo ran >>runs; sleep 0.3'"
      // As cron does on every node at once: one runs it, the other waits for that and finds it done.
      let result = try await sandbox.run(
        """
        for n in n1 n2 n1; do GRIDCTL_ENDPOINTS=$(at $n) \(job) 2>said.$n & jobs="$jobs $!"; done
        for j in $jobs; do wait $j; echo $?; done; cat runs
        GRIDCTL_ENDPOINTS=$(at n2) \(job) 2>said; echo $?; sed 's/ran well at .* under/ran well under/' said
        gridctl leader run other --once-per 24h -- echo another name is another job
        gridctl leader run nightly -- echo who does not ask for it runs
        """)
      #expect(
        result.output.hasPrefix("0\n0\n0\nran\n0\nleader nightly: it ran well under node "), "\(result)")
      #expect(
        result.output.hasSuffix(
          "; it is not run again within 24h\nanother name is another job\nwho does not ask for it runs\n"), "\(result)")
      let said = try await sandbox.output("cat said")
      let form = /it ran well at \d{4}-\d\d-\d\dT[0-9:.]+Z, .*, by .* process \d+ under node n[12];/
      #expect(said.contains(form), "\(said)")
    }
  }

  @Test func whatFailedIsRunAgainAndThePeriodEnds() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let result = try await sandbox.run(
        """
        job() { gridctl leader run nightly -e $(at $1) --once-per $2 -- sh -c "echo \\$0 >>runs; exit $3" $1; echo $?; }
        job n1 24h 3; job n2 24h 0; job n1 24h 0 2>said
        eventually 'job n1 1s 0 2>said >out; test $(wc -l <runs) = 3'; cat runs
        gridctl leader run nightly --once-per 24h -- sh -c 'kill $$' ; echo $?
        gridctl leader run killed --once-per 24h -- sh -c 'kill $$' ; echo $?
        gridctl leader run killed --once-per 24h -- echo again
        gridctl leader run x --once-per 0 -- true; echo $?
        gridctl leader run x --once-per soon -- true 2>out; echo $?
        """)
      #expect(result.output == "3\n0\n0\nn1\nn2\nn1\n0\n143\nagain\n64\n64\n", "\(result)")
      #expect(result.errors.contains("--once-per must be longer than 0"), "\(result.errors)")
    }
  }
}
