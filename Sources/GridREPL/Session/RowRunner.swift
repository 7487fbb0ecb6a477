internal import GridCommands
internal import GridCore

/// `each`: one command a row, so many at a time; what they print comes in the order of the rows.
struct RowRunner {
  let evaluator: Evaluator
  let words: [Word]
  let parallel: Int

  /// So many of the rows that failed are named in the end; each was named when it did.
  private static let toldRows = 10

  private struct Result: Sendable {
    let index: Int
    let name: String
    let end: StatementEnd
    let output: BufferedSink
  }

  private struct Progress {
    var printed = 0
    var ready: [Int: Result] = [:]
    var values: [JSONValue] = []
    /// The names of the rows that failed, as far as they are told.
    var failed: [String] = []
    var failures = 0
    var first: StatementEnd?
    var isBroken: GridError?
  }

  func run(_ input: RowQueue?, _ rows: RowQueue?) async -> StatementEnd {
    guard let input else { return StatementEnd(GridError(.software, "each has no rows")) }
    let progress = await withTaskGroup(of: Result.self) { group in
      var progress = Progress()
      var started = 0
      while progress.isBroken == nil, let row = await input.next() {
        // What has ended waits for those before it, so that what runs and what waits share one bound.
        while started - progress.printed >= parallel, let result = await group.next() { take(result, &progress, rows) }
        let index = started
        started += 1
        group.addTask { await runOne(row, index) }
      }
      if progress.isBroken != nil || Task.isCancelled { group.cancelAll() }
      while let result = await group.next() { take(result, &progress, rows) }
      return progress
    }
    if Task.isCancelled { return StatementEnd(code: Evaluator.cancelled, error: GridError(.cancelled, "cancelled")) }
    if let broken = progress.isBroken { return StatementEnd(broken) }
    let value = SessionValue(["items": .array(progress.values)])
    guard progress.failures > 0, let first = progress.first else { return StatementEnd(value: value) }
    if progress.failures == progress.printed { return StatementEnd(code: first.code, error: first.error, value: value) }
    let more = progress.failures > progress.failed.count ? ", …" : ""
    let error = GridError(
      .partial,
      "\(progress.failures) of \(progress.printed) rows failed: \(progress.failed.joined(separator: ", "))\(more)")
    evaluator.core.report(error, from: evaluator.origin(words), to: evaluator.sink)
    return StatementEnd(CommandOutcome(error), value: value)
  }

  private func runOne(_ row: RowQueue.Row, _ index: Int) async -> Result {
    let output = BufferedSink(for: evaluator.sink)
    var one = evaluator
    (one.sink, one.changesValues, one.row, one.questioner) = (output, false, row, nil)
    let name = SessionValue.label(of: row.value, nameField: row.nameField)
    return Result(index: index, name: name, end: await one.command(words), output: output)
  }

  /// Prints what is next in order.
  private func take(_ result: Result, _ progress: inout Progress, _ rows: RowQueue?) {
    progress.ready[result.index] = result
    while let next = progress.ready.removeValue(forKey: progress.printed) {
      progress.printed += 1
      if next.end.code != 0 {
        progress.failures += 1
        if progress.failed.count < Self.toldRows { progress.failed.append(next.name) }
        if progress.first == nil { progress.first = next.end }
      }
      if let value = next.end.value {
        progress.values.append(value.json)
        rows?.add(value.json, nameField: value.nameField)
      }
      guard progress.isBroken == nil else { continue }
      do throws(GridError) { try next.output.flush(to: evaluator.sink) } catch { progress.isBroken = error }
    }
  }
}
