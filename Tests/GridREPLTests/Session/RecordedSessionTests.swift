import Foundation
import TestSupport
import Testing

/// The session that the README shows, on a real terminal and three real nodes.
@Suite struct RecordedSessionTests {
  private static let prompt = "default n1 3/3>"

  /// What is typed, and the lines that come of it.
  private struct Step {
    var typed: String
    var expected: [String]
  }

  @Test func theSessionOfTheReadmeIsWhatATerminalShows() async throws {
    let steps = try Self.steps()
    try #require(steps.count > 10)
    try await withCluster { cluster in
      try await cluster.start("n1", "n2", "n3")
      var session: TerminalProgram?
      for step in steps {
        if let session {
          try await Self.run(step, session)
        } else if step.typed.hasPrefix("gridctl repl") {
          session = try cluster.session(
            step.typed.split(separator: " ").dropFirst(2).map(String.init), rows: 60, columns: 120)
          try await session?.wait("the greeting") { Self.shows(step.expected, $0.fullText) }
        } else {
          let result = try await cluster.run(step.typed)
          #expect(result.output.split(separator: "\n").map(String.init) == step.expected, "\(result.errors)")
        }
      }
    }
  }

  private static func run(_ step: Step, _ session: TerminalProgram) async throws {
    try await session.prompt(prompt)
    // A job says what it is told once it is live: then a header, or its first line, is there.
    let before = session.screen.fullText.count
    try session.enter(step.typed)
    try await session.wait("what «\(step.typed)» shows: \(step.expected)") { screen in
      shows(step.expected, String(screen.fullText.dropFirst(before)))
    }
  }

  /// Whether the lines are there: those of jobs, which begin with a number in brackets, in any place.
  private static func shows(_ expected: [String], _ text: String) -> Bool {
    let lines = text.split(separator: "\n").map { OutputShape.of(String($0)) }
    let (jobs, others) = (expected.filter { $0.hasPrefix("[") }, expected.filter { !$0.hasPrefix("[") })
    guard Set(jobs.map(OutputShape.of)).isSubset(of: lines) else { return false }
    var rest = others.map(OutputShape.of)[...]
    for line in lines where line == rest.first { rest = rest.dropFirst() }
    return rest.isEmpty
  }

  /// The blocks of `session` in the README.
  private static func steps() throws -> [Step] {
    let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("README.md")
    let text = String(decoding: try Data(contentsOf: readme), as: UTF8.self)
    var steps: [Step] = []
    var isInside = false
    for line in text.components(separatedBy: "\n") {
      if line.hasPrefix("```") {
        isInside = line == "```session"
      } else if isInside,
        let typed = ["$ ", prompt + " "].first(where: line.hasPrefix).map({ line.dropFirst($0.count) })
      {
        steps.append(Step(typed: String(typed), expected: []))
      } else if isInside, !steps.isEmpty {
        steps[steps.count - 1].expected.append(line)
      }
    }
    return steps
  }
}
