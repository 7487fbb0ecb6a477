internal import GridCore

/// What went wrong with the lines of an input: all are counted, the first are kept for the end. Pure.
struct LineFailures: Sendable {
  /// How many are named in the error that closes the command; each was told when it happened.
  static let kept = 1000

  private(set) var count = 0
  /// The first one.
  private(set) var first: GridError?
  private(set) var records: [JSONValue] = []
  private var areAlike = true

  mutating func add(_ line: Int, _ error: GridError) {
    count += 1
    if let first { areAlike = areAlike && first.code == error.code } else { first = error }
    if records.count < Self.kept { records.append(Self.record(line, error)) }
  }

  /// How a command ends that took so many lines; nil when none failed.
  ///
  /// When all failed alike, it is that error; else ``GridError/Code/partial``.
  ///
  /// - Parameter what: what became of the failed ones: `got no reply`.
  func ending(of total: Int, _ what: String) -> GridError? {
    guard let first else { return nil }
    if count == total, areAlike { return first }
    return GridError(.partial, "\(count) of \(total) \(CountText.noun(total, "line")) \(what)")
  }

  /// What stands for a failed line in the output for programs.
  static func record(_ line: Int, _ error: GridError) -> JSONValue {
    ["line": .integer(Int64(line)), "error": ErrorReport(error: error).body]
  }
}

/// Failures of neighbouring lines for the same reason: the first is told at once, the others as one range. Pure.
struct FailureRun: Sendable {
  private var first = 0
  private var last = 0
  private var error: GridError?

  /// Whether the last line failed.
  var isOpen: Bool { error != nil }

  /// What is to be told now that a line has failed.
  mutating func failed(_ line: Int, _ error: GridError) -> [GridError] {
    if let known = self.error, known.description == error.description, line == last + 1 {
      last = line
      return []
    }
    let before = ended()
    (first, last, self.error) = (line, line, error)
    return (before.map { [$0] } ?? []) + [Self.told("line \(line)", error)]
  }

  /// What is left to be told once a line was taken, or nothing more comes.
  mutating func ended() -> GridError? {
    defer { error = nil }
    guard let error, last > first else { return nil }
    return Self.told(last == first + 1 ? "line \(last)" : "lines \(first + 1) to \(last)", error)
  }

  /// The error with its place before it; hints are for the end.
  static func told(_ place: String, _ error: GridError) -> GridError {
    GridError(error.code, "\(place): \(error.message)", cause: error.cause)
  }
}

extension CommandSession {
  /// Whether an output for people has the body alone on a line, instead of a record for each line.
  var showsBodiesAlone: Bool {
    switch renderer.format {
    case .table, .wide, .name, .tsv: true
    case .json, .jsonl, .yaml, .jsonPath, .columns: false
    }
  }

  /// Tells of a line that failed, on standard error; with a JSON format its record does.
  func tell(_ error: GridError) {
    if renderer.format.isJSON { return }
    ErrorReport(error: error).write(format: .table, color: settings.color, to: writer)
  }

  /// Ends a command that takes lines.
  ///
  /// - Throws: ``ToldError`` when some failed: it is on standard error then, with a JSON format in one line with
  ///   `failures`.
  func end(_ failures: LineFailures, of total: Int, _ what: String) throws {
    guard let error = failures.ending(of: total, what) else { return }
    ErrorReport(error: error, failures: failures.records)
      .write(format: renderer.format, color: settings.color, to: writer)
    throw ToldError(error: error)
  }
}
