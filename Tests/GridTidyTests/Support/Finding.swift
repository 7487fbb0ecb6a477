/// One place that breaks a rule: where, and what to do instead.
struct Finding: Equatable, CustomStringConvertible {
  /// Relative to the repository's root.
  var path: String
  /// From 1; 0 when the finding is about the whole file.
  var line: Int
  var text: String

  var description: String { line == 0 ? "\(path): \(text)" : "\(path):\(line): \(text)" }
}

extension [Finding] {
  /// One finding a line, sorted, for the message of a failed test.
  var report: String { map(\.description).sorted().joined(separator: "\n") }
}
