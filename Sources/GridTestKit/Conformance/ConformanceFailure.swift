internal import GridConcurrency
internal import GridCore

/// What a conformance case found: what was expected, of what, and what came instead.
package struct ConformanceFailure: Error, Sendable, Equatable, CustomStringConvertible {
  package var message: String
  /// Where in the suite it was noticed.
  package var line: Int

  package init(_ message: String, line: Int = #line) {
    self.message = message
    self.line = line
  }

  package var description: String { "\(message) (line \(line) of the suite)" }
}

/// Throws unless `condition` holds.
func expect(_ condition: Bool, _ message: @autoclosure () -> String, line: Int = #line) throws {
  guard condition else { throw ConformanceFailure(message(), line: line) }
}

/// Throws unless both are equal.
func expectEqual<Value: Equatable>(
  _ found: Value, _ expected: Value, _ what: @autoclosure () -> String, line: Int = #line
) throws {
  guard found != expected else { return }
  throw ConformanceFailure("\(what()): expected \(shortened(expected)), found \(shortened(found))", line: line)
}

/// The value, or a failure when there is none.
func unwrap<Value>(_ value: Value?, _ what: @autoclosure () -> String, line: Int = #line) throws -> Value {
  guard let value else { throw ConformanceFailure("\(what()): found nothing", line: line) }
  return value
}

/// Looks again and again until `condition` holds, as long as patience lasts.
func eventually(
  within patience: Duration, _ what: @autoclosure () -> String, line: Int = #line,
  _ condition: () async throws -> Bool
) async throws {
  let timers = MachineTimers()
  let deadline = timers.now() + patience
  while try await !condition() {
    guard timers.now() < deadline else {
      throw ConformanceFailure("waited \(patience) in vain for this: \(what())", line: line)
    }
    guard await timers.sleep(for: .milliseconds(5)) else { throw CancellationError() }
  }
}

private func shortened(_ value: some Any) -> String {
  let text = String(describing: value)
  return text.count <= 500 ? text : text.prefix(500) + "…"
}
