internal import GridActors
internal import GridCore
internal import GridRequests

/// Shows the messages of one actor or one kind, for a while.
struct TraceDesk: Sendable {
  private static let shownBody = 4096
  private static let longest = Duration.seconds(3600)

  let node: NodeSelf
  let cells: CellTable
  let taps: TraceTaps
  let clock: any GridClock

  func follow(_ request: TraceStreamRequest, _ stream: ClusterStream) {
    let steps = request.steps.compactMap(TraceRecord.Step.init)
    let filter = TraceFilter(
      actor: request.actor, kind: request.kind, steps: steps.isEmpty ? [.arrived, .left] : Set(steps))
    let budget = TraceBudget(
      maximum: request.maximum, perWindow: request.perWindow ?? .max,
      window: Self.bounded(request.window ?? .seconds(1)),
      end: clock.now() + Self.bounded(request.span ?? .seconds(30)))
    let (name, clock, bodyLimit) = (node.name, clock, request.showsBody ? Self.shownBody : nil)
    let number = taps.add(filter, budget: budget) { record, leftOut in
      if leftOut > 0 { stream.send(StreamRemark.leftOut(node: name, count: Int64(leftOut)).json) }
      stream.send(record.json(at: clock.date(), node: name, bodyLimit: bodyLimit))
    }
    for cell in cells.cells(.all) { cell.noteTraces() }
    stream.onEnd { [cells, taps] in
      taps.remove(number)
      for cell in cells.cells(.all) { cell.noteTraces() }
    }
  }

  private static func bounded(_ span: Duration) -> Duration { max(.milliseconds(1), min(span, longest)) }
}

extension TraceRecord {
  func json(at: CalendarTime, node: String, bodyLimit: Int?) -> JSONValue {
    let fields: JSONValue = [
      "seq": .integer(sequence), "at": .string(at.rfc3339), "kind": .string(step.rawValue), "actor": .string(actor),
      "actorKind": .string(kind), "node": .string(node), "sender": .string(sender), "type": .string(message.type),
      "contentType": .string(message.contentType.name), "bytes": .integer(Int64(message.body.count)),
      "outcome": .string(outcome), "detail": .string(detail),
      "micros": duration.map { .integer($0.wholeNanoseconds / 1000) } ?? .null,
    ]
    guard let bodyLimit else { return fields }
    let shown = Array(message.body.prefix(bodyLimit))
    let text = String(validating: shown, as: UTF8.self)
    return fields.with("body", .string(text ?? Base64.encoded(shown)))
      .with("bodyEncoding", .string(text == nil ? "base64" : "utf8"))
      .with("bodyIsCut", .bool(shown.count < message.body.count))
  }
}
