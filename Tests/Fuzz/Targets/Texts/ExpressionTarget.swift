internal import FuzzSupport
internal import GridCore

@testable internal import GridCommands

/// A text as each thing that options take: conditions, paths, templates, columns, times, sizes, half a command line.
let expressionTarget = FuzzTarget("expressions") { bytes in
  let text = String(decoding: bytes, as: UTF8.self)
  if let filter = try? FilterExpression(parsing: text), isCheap(text) { _ = filter.holds(for: row, root: row) }
  if let path = try? JSONPath(parsing: text), isCheap(text) { _ = path.values(in: row, root: row) }
  if let template = try? OutputTemplate(parsing: text), isCheap(text) { _ = template.rendered(row) }
  _ = try? ColumnSpecification(parsing: text)
  _ = try? WaitCondition(parsing: text)
  _ = try? SizeArgument(parsing: text)
  _ = try? SecretReference(parsing: text)
  _ = try? SettingRules.endpoints(text)
  _ = try? SettingRules.timeout(text)
  let now = CalendarTime(millisecondsSince1970: 1_700_000_000_000)
  if let since = try? Since.parse(text, now: now, offset: { _ in 3600 }) { _ = since.rfc3339 }
  let words = ShellWords(text)
  try promise(words.partialStart <= text.count, "the word at the cursor begins behind it")
  try checkTemplate(bytes)
}

/// All values below all values of all values are what somebody may ask for, and nothing for millions of runs.
private func isCheap(_ text: String) -> Bool {
  text.count { $0 == "*" || $0 == ":" } + 2 * text.split(separator: "..", omittingEmptySubsequences: false).count < 8
}

/// Made once: most texts are no expression and are refused in less time.
private let row: JSONValue = [
  "name": "orders", "node": "n1", "mailbox": 3, "labels": ["zone": "x", "a.b": nil],
  "list": [1, 2.5, "three", [true], ["k": "v"]],
]

/// A body without marks is sent as it is.
private func checkTemplate(_ bytes: [UInt8]) throws {
  var generator = SystemRandomNumberGenerator()
  let body = MessageTemplate(bytes).body(number: 7, clock: StillClock(), using: &generator)
  guard !bytes.contains(UInt8(ascii: "{")) else { return }
  try promise(body == bytes, "a body without marks is changed")
}

private struct StillClock: GridClock {
  func now() -> MonotonicTime { MonotonicTime(nanoseconds: 0) }
  func date() -> CalendarTime { CalendarTime(millisecondsSince1970: 0) }
}
