internal import GridActors
internal import GridCore

extension NodeRuntime {
  /// Bytes of a body that a trace shows.
  private static let shownBody = 4096

  /// A client may ask for a longer one again.
  private static func atMostAnHour(_ milliseconds: JSONValue?, else standard: Duration) -> Duration {
    milliseconds?.integerValue.map { .milliseconds(max(1, min($0, 3_600_000))) } ?? standard
  }

  /// Feeds a trace with what happens on this node, within the budget that the client has set.
  func followTrace(_ stream: ClusterStream, _ arguments: JSONValue) throws {
    let steps = (arguments["steps"]?.arrayValue ?? []).compactMap(\.stringValue).compactMap(TraceRecord.Step.init)
    let filter = TraceFilter(
      actor: arguments["actor"]?.stringValue, kind: arguments["actorKind"]?.stringValue,
      steps: steps.isEmpty ? [.arrived, .left] : Set(steps))
    let budget = TraceBudget(
      maximum: Int(clamping: arguments["maximum"]?.integerValue ?? 100),
      perWindow: arguments["perWindow"]?.integerValue.map { Int(clamping: $0) } ?? .max,
      window: Self.atMostAnHour(arguments["windowMilliseconds"], else: .seconds(1)),
      end: clock.now() + Self.atMostAnHour(arguments["forMilliseconds"], else: .seconds(30)))
    let showsBody = arguments["body"]?.boolValue ?? false
    let number = taps.add(filter, budget: budget) { [nodeName, clock] record, leftOut in
      if leftOut > 0 { stream.send(["kind": "leftOut", "node": .string(nodeName), "count": .integer(Int64(leftOut))]) }
      stream.send(record.json(at: clock.date(), node: nodeName, bodyLimit: showsBody ? Self.shownBody : nil))
    }
    for cell in cells.all { cell.noteTraces() }
    stream.onEnd { [self] in
      taps.remove(number)
      for cell in cells.all { cell.noteTraces() }
    }
  }
}

extension TraceRecord {
  /// The contract form: `seq at kind actor actorKind node sender type contentType bytes outcome detail micros`, and
  /// with a limit for it `body bodyEncoding bodyIsCut`.
  func json(at: CalendarTime, node: String, bodyLimit: Int?) -> JSONValue {
    var fields: [String: JSONValue] = [
      "seq": .integer(sequence), "at": .string(at.rfc3339), "kind": .string(step.rawValue), "actor": .string(actor),
      "actorKind": .string(kind), "node": .string(node), "sender": .string(sender), "type": .string(message.type),
      "contentType": .string(message.contentType.name), "bytes": .integer(Int64(message.body.count)),
      "outcome": .string(outcome), "detail": .string(detail),
      "micros": duration.map { .integer($0.wholeNanoseconds / 1000) } ?? .null,
    ]
    if let bodyLimit {
      let shown = Array(message.body.prefix(bodyLimit))
      let text = String(validating: shown, as: UTF8.self)
      fields["body"] = .string(text ?? Base64.encoded(shown))
      fields["bodyEncoding"] = .string(text == nil ? "base64" : "utf8")
      fields["bodyIsCut"] = .bool(shown.count < message.body.count)
    }
    return .object(fields)
  }
}
