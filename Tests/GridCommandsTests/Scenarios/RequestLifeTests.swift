import Foundation
import Testing

/// No request outlives who asked.
@Suite struct RequestLifeTests {
  /// Succeeds once what the sink has counted stays the same for a while.
  private static let isQuiet = """
    eventually 'before=$(gridctl ask sink1)
    for look in 1 2 3 4 5; do sleep 0.1; test $(gridctl ask sink1) = $before || exit 1; done'
    """

  @Test(arguments: ["", "--from n2"])
  func aBenchmarkEndsWithItsClient(_ place: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("gridctl spawn sink sink1 --on n1")
      let bench = "gridctl bench tell sink1 --rate 1000/s --duration 50m -e $(at n1) \(place)"
      // Killed; ended; over its time.
      for end in ["kill -9 $bench; wait $bench", "kill -TERM $bench; wait $bench"] {
        try await sandbox.output(
          """
          before=$(gridctl ask sink1); \(bench) >/dev/null 2>&1 & bench=$!
          eventually "test \\$(gridctl ask sink1) -gt $((before + 10))"; \(end); \(Self.isQuiet)
          """)
      }
      let late = try await sandbox.run("\(bench) -t 500ms; echo $?; \(Self.isQuiet) && echo quiet")
      #expect(late.output == "124\nquiet\n", "\(late.errors)")
    }
  }

  @Test func actorsOfABenchmarkThatIsGivenUpGoWithIt() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let result = try await sandbox.run(
        """
        gridctl bench names sink --count 1000000 -e $(at n1) >/dev/null 2>&1 & bench=$!
        eventually 'test $(gridctl actors -o name | wc -l) -gt 20'; kill -9 $bench
        eventually 'test $(gridctl actors -o name -e $(at n1) | wc -l) = 0'; echo $?
        """)
      #expect(result.output == "0\n", "\(result.output)\(result.errors)")
    }
  }
}
