import Foundation
import TestSupport

/// Commands and the output they should have, as a README or a transcript file shows them:
/// fenced blocks of `console`, in which a line that starts with `$ ` is a command and the lines up to the next are its
/// output; `[..]` stands for any characters of a line, a line `...` for any lines.
struct Transcript {
  struct Step {
    var command: String
    var expected: [String]
    var line: Int
  }

  let steps: [Step]

  init(markdown: String) {
    var steps: [Step] = []
    var isInside = false
    for (index, line) in markdown.components(separatedBy: "\n").enumerated() {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2)), expected: [], line: index + 1))
      } else if isInside, !steps.isEmpty {
        steps[steps.count - 1].expected.append(line)
      }
    }
    self.steps = steps
  }

  /// Runs every step in order; what differs, ready to be read.
  ///
  /// - Parameters:
  ///   - setup: goes before every command.
  ///   - shapesOnly: whether what differs from run to run may differ, as in a README that shows real output.
  func failures(in sandbox: Sandbox, setup: String = "", shapesOnly: Bool = false) async throws -> [String] {
    var failures: [String] = []
    for step in steps {
      let result = try await sandbox.run(setup + step.command, mergesErrors: true)
      var actual = result.output.components(separatedBy: "\n")
      if actual.last == "" { actual.removeLast() }
      let shape = { (lines: [String]) in (shapesOnly ? lines.map(OutputShape.of) : lines)[...] }
      guard !Self.matches(shape(actual), shape(step.expected)) else { continue }
      failures.append(
        "line \(step.line): $ \(step.command)\n--- expected\n\(step.expected.joined(separator: "\n"))\n--- actual\n"
          + actual.joined(separator: "\n"))
    }
    return failures
  }

  private static func matches(_ actual: ArraySlice<String>, _ expected: ArraySlice<String>) -> Bool {
    guard let pattern = expected.first else { return actual.isEmpty }
    if pattern == "..." {
      return (actual.startIndex...actual.endIndex).contains { matches(actual[$0...], expected.dropFirst()) }
    }
    guard let line = actual.first, matches(line: line, pattern) else { return false }
    return matches(actual.dropFirst(), expected.dropFirst())
  }

  private static func matches(line: String, _ pattern: String) -> Bool {
    let parts = pattern.components(separatedBy: "[..]").map { NSRegularExpression.escapedPattern(for: $0) }
    return line.range(of: "^" + parts.joined(separator: ".*") + "$", options: .regularExpression) != nil
  }
}
