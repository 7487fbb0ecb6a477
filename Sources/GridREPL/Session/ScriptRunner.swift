internal import GridCommands
internal import GridCore

/// Runs the lines of a script.
struct ScriptRunner: Sendable {
  let core: SessionCore
  let sink: any OutputSink
  /// What errors call the script: its path, or `-c`.
  let name: String
  var echoes = false
  /// Whether errors name script and line: not of a script that is a single line of somebody's shell.
  var names = true

  /// Runs a whole text. What cannot be read is found before anything runs.
  ///
  /// - Returns: the exit code.
  func run(_ text: String) async -> Int32 {
    do {
      _ = try Parser.parse(text)
    } catch {
      return told(error, text, firstLine: 1)
    }
    var lines = ScriptLines()
    var code = ScriptCode()
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      guard let statement = lines.add(String(line)) else { continue }
      code.add(await run(statement))
      if core.exitCode != nil || (code.last != 0 && core.settings.stopsOnError) || Task.isCancelled { break }
    }
    if core.exitCode == nil, code.last == 0 || !core.settings.stopsOnError, let rest = lines.rest() {
      code.add(await run(rest))
    }
    return code.result(stopsOnError: core.settings.stopsOnError)
  }

  /// Runs one piece that can be read by itself.
  func run(_ piece: ScriptLines.Piece) async -> Int32 {
    if echoes { try? sink.line(piece.text) }
    do {
      return await Evaluator(core: core, sink: sink, source: piece.text, script: names ? (name, piece.line) : nil)
        .run(try Parser.parse(piece.text))
    } catch {
      return told(error, piece.text, firstLine: piece.line)
    }
  }

  /// Tells of what cannot be read, with its line.
  private func told(_ error: any Error, _ text: String, firstLine: Int) -> Int32 {
    let told: GridError
    var mark: [String] = []
    switch error {
    case let error as SyntaxError:
      let line = firstLine + text.prefix(error.range.lowerBound).count { $0.isNewline }
      told = GridError(.usage, "\(name), line \(line): \(error.message)", hint: error.hint)
      mark = SourceMark.lines(text, error.range)
    case let error as Unfinished:
      told = GridError(.usage, "\(name): \(error.expected) is missing at the end")
    default: told = GridError.wrapping(error, as: .usage, "\(name) cannot be read")
    }
    core.report(told, to: sink)
    for line in mark { sink.remark(line) }
    core.ended(code: CommandOutcome(told).code, error: told)
    return CommandOutcome(told).code
  }
}

/// The exit code of a script in the making.
struct ScriptCode: Equatable, Sendable {
  private(set) var last: Int32 = 0
  private var failures = 0
  private var count = 0

  mutating func add(_ code: Int32) {
    last = code
    count += 1
    if code != 0 { failures += 1 }
  }

  /// The code of the line that ended the script; where scripts go on, 3 when some lines failed, the last code when all
  /// did.
  func result(stopsOnError: Bool) -> Int32 {
    if stopsOnError || failures == 0 || failures == count { return last }
    return 3
  }
}

/// Puts lines together until they can be read.
struct ScriptLines: Sendable {
  struct Piece: Equatable, Sendable {
    var text: String
    /// The number of its first line, from 1.
    var line: Int
  }

  private var lines: [String] = []
  private var count = 0

  var isEmpty: Bool { lines.isEmpty }

  /// - Returns: what can be run now, nil when more has to come. What can never be read is returned, too.
  mutating func add(_ line: String) -> Piece? {
    count += 1
    lines.append(line)
    let piece = Piece(text: lines.joined(separator: "\n"), line: count - lines.count + 1)
    do {
      let statements = try Parser.parse(piece.text)
      lines = []
      return statements.isEmpty ? nil : piece
    } catch is Unfinished {
      return nil
    } catch {
      lines = []
      return piece
    }
  }

  /// What is left at the end, unfinished.
  mutating func rest() -> Piece? {
    guard !lines.isEmpty else { return nil }
    defer { lines = [] }
    return Piece(text: lines.joined(separator: "\n"), line: count - lines.count + 1)
  }
}
