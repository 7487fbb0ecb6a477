internal import FuzzSupport
internal import GridConcurrency
internal import GridCore
internal import NIOCore

@testable internal import GridActors
@testable internal import GridSystem

/// What a child process writes: cut into lines as it should be, however it comes, and read as an envelope of framing
/// `json` or as an answer of framing `lines`.
let programTarget = FuzzTarget("program") { bytes in
  var input = FuzzBytes(bytes)
  let limit = 1 + input.choice(64)
  let cuts = input.take(4).map { 1 + Int($0) }
  let output = input.remainder()
  try checkLines(output, limit: limit, cuts: cuts)
  for line in output.split(separator: 0x0A) { try checkEnvelope(Array(line)) }
  try checkDialogue(output)
}

/// Pieces of `output`, whose lengths come round again.
private func pieces(_ output: [UInt8], _ cuts: [Int]) -> [ByteBuffer] {
  var rest = output[...]
  var pieces: [ByteBuffer] = []
  while !rest.isEmpty {
    let length = cuts.isEmpty ? rest.count : cuts[pieces.count % cuts.count]
    pieces.append(ByteBuffer(bytes: rest.prefix(length)))
    rest = rest.dropFirst(length)
  }
  return pieces
}

private func checkLines(_ output: [UInt8], limit: Int, cuts: [Int]) throws {
  var splitter = LineSplitter(limit: limit, overflow: .cut)
  var lines: [LineSplitter.Line] = []
  for piece in pieces(output, cuts) {
    splitter.append(piece)
    while let line = try splitter.next() { lines.append(line) }
    try promise(splitter.bufferedBytes <= limit + 256, "more than a line is held")
  }
  if let last = try splitter.finish() { lines.append(last) }
  var expected = output.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
    LineSplitter.Line(bytes: Array(line.prefix(limit)), isCut: line.count > limit)
  }
  if expected.last?.bytes.isEmpty == true { expected.removeLast() }
  try promise(lines == expected, "\(lines) were cut instead of \(expected)")

  var strict = LineSplitter(limit: limit, overflow: .fail)
  for piece in pieces(output, cuts) {
    strict.append(piece)
    while let line = try? strict.next() { try promise(line.bytes.count <= limit, "a line is too long") }
  }
}

private func checkEnvelope(_ line: [UInt8]) throws {
  guard let json = try? JSONValue(parsing: line), let body = json["body"] else { return }
  guard let message = try? Message(jsonBody: body, type: json["type"]?.stringValue ?? "") else { return }
  let again = try Message(jsonBody: message.jsonBody, type: message.type)
  try promise(again.body == message.body, "a body becomes another one on its way")
}

/// A program that answers in `lines`, as out of step as it likes: nobody gets two answers.
private func checkDialogue(_ output: [UInt8]) throws {
  var dialogue = LineDialogue()
  var waiting: PendingAsk?
  var handedOver = 0
  for byte in output {
    switch byte & 7 {
    case 0, 1:
      guard waiting == nil else { continue }
      let ask = PendingAsk()
      if dialogue.open(ask, line: [byte], start: handedOver) != .refused { waiting = ask }
      handedOver += 2
    case 2: dialogue.begin()
    case 3, 4, 5: try settle(dialogue.take([byte], bytesRead: Int(byte >> 3)), &waiting)
    case 6: try settle(dialogue.quiet(), &waiting)
    default:
      let left = dialogue.end()
      try promise(left === waiting, "whoever waited is not told of the end")
      waiting = nil
    }
  }
}

private func settle(_ action: LineDialogue.Action, _ waiting: inout PendingAsk?) throws {
  switch action {
  case .none, .greeting: break
  case .answer(let ask, _):
    try promise(ask === waiting, "an answer is for nobody who waits")
    waiting = nil
  case .giveUp(let ask, _):
    try promise(ask == nil || ask === waiting, "an error is for nobody who waits")
    if ask != nil { waiting = nil }
  }
}
