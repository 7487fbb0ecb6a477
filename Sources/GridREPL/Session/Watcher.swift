internal import GridClient
internal import GridCommands
internal import GridConcurrency
internal import GridCore

/// `watch`: a command again and again, on a screen of its own or one after the other.
struct Watcher {
  let evaluator: Evaluator
  let options: WatchOptions
  let pipeline: Pipeline

  func run() async -> StatementEnd {
    let terminal = evaluator.sink.outputIsTerminal && NoticeStyle.movesCursor ? evaluator.core.terminal : nil
    terminal?.holdNotices(true)
    defer { terminal?.holdNotices(false) }
    var view = WatchView(
      marksChanges: options.marksChanges, isOnTerminal: terminal != nil, height: terminal?.screen.terminalHeight,
      width: evaluator.sink.terminalWidth)
    var round = 0
    while !Task.isCancelled {
      round += 1
      let output = BufferedSink(for: evaluator.sink)
      var one = evaluator
      (one.sink, one.changesValues, one.questioner) = (output, false, nil)
      let end = await one.run(pipeline)
      if Task.isCancelled { break }
      let contents = output.contents
      let text = String(decoding: contents.output + contents.errors, as: UTF8.self)
      let title = "every \(options.interval.gridText): \(pipeline.text)   round \(round)"
      do throws(GridError) { try evaluator.sink.output(Array(view.show(title, text).utf8)) } catch {
        return StatementEnd(error)
      }
      var values = evaluator.evaluation.values
      if let value = end.value { values.keep(value) }
      values.code = end.code
      if let until = options.until {
        let isMet = await evaluator.telling { () throws(GridError) in
          StatementEnd(code: try Evaluation(values: values).isTrue(until) ? 0 : 2)
        }
        if isMet.error != nil { return isMet }
        if isMet.code == 0 { return StatementEnd(value: end.value) }
      }
      if let count = options.count, round >= count {
        // What was waited for did not come: the answer is no.
        return options.until == nil ? end : StatementEnd(code: 2, value: end.value)
      }
      await ProcessTimers.shared.sleep(for: options.interval)
    }
    return StatementEnd(code: Evaluator.cancelled, error: GridError(.cancelled, "cancelled"))
  }
}

/// What `watch` puts on the screen each round. Pure.
struct WatchView {
  var marksChanges: Bool
  var isOnTerminal: Bool
  /// Lines and columns of the terminal.
  var height: Int?
  var width: Int?
  private var last: [String]?
  private var shownLines = 0

  init(marksChanges: Bool, isOnTerminal: Bool, height: Int? = nil, width: Int? = nil) {
    self.marksChanges = marksChanges
    self.isOnTerminal = isOnTerminal
    self.height = height
    self.width = width
  }

  /// The text to write for this round.
  mutating func show(_ title: String, _ text: String) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    let marked = lines.enumerated().map { index, line in mark(line, index) }
    last = lines
    guard isOnTerminal else { return ([title] + marked).map { $0 + "\n" }.joined() }
    // The last line of the screen stays free, since writing to its end would scroll.
    var shown = [cut(title)] + marked
    if let height, shown.count > height - 1 {
      let hidden = shown.count - (height - 2)
      shown = Array(shown.prefix(max(1, height - 2))) + ["… \(hidden) more lines"]
    }
    let back = shownLines == 0 ? "" : "\u{1B}[\(shownLines)A\r\u{1B}[J"
    shownLines = shown.count
    return back + shown.map { $0 + "\n" }.joined()
  }

  /// The line, with what differs from the round before in reverse video, or a `*` before it.
  private func mark(_ line: String, _ index: Int) -> String {
    let line = isOnTerminal ? cut(line) : line
    guard marksChanges else { return line }
    guard let last else { return isOnTerminal ? line : "  " + line }
    let before = last.indices.contains(index) ? (isOnTerminal ? cut(last[index]) : last[index]) : nil
    guard isOnTerminal else { return (before == line ? "  " : "* ") + line }
    guard before != line else { return line }
    return Self.reversed(line, before ?? "")
  }

  private static func reversed(_ line: String, _ before: String) -> String {
    let old = Array(before)
    var text = ""
    var isMarked = false
    for (index, character) in line.enumerated() {
      let isChanged = !(old.indices.contains(index) && old[index] == character)
      if isChanged != isMarked {
        text += isChanged ? "\u{1B}[7m" : "\u{1B}[27m"
        isMarked = isChanged
      }
      text.append(character)
    }
    return isMarked ? text + "\u{1B}[27m" : text
  }

  private func cut(_ line: String) -> String {
    guard let width, SessionServices.width(of: line) > width else { return line }
    return String(line.prefix(max(1, width - 1))) + "…"
  }
}
