internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import GridLink

extension NodeRuntime {
  func listDeadLetters(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let filter = try DeadLetterFilter(json: arguments)
    var items = try await deadLetterOffice.log().list(filter).map(\.json)
    if arguments.isLocal { return Self.list(items, missing: []) }
    let (answers, missing) = await gather("deadLetters.list", arguments, deadline: deadline)
    items += answers.flatMap { $0.answer["items"]?.arrayValue ?? [] }
    items.sort { ($0["id"]?.stringValue ?? "") < ($1["id"]?.stringValue ?? "") }
    if let limit = filter.limit { items = items.suffix(limit) }
    return Self.list(items, missing: missing)
  }

  func showDeadLetter(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let identifier = try arguments.required("id")
    if let letter = try await deadLetterOffice.log().letter(identifier) { return letter.json }
    if !arguments.isLocal {
      let (answers, missing) = await gather("deadLetters.show", arguments, deadline: deadline)
      if let found = answers.first { return found.answer }
      let silent = missing.filter { $0["code"]?.stringValue != GridError.Code.notFound.label }
      if let node = silent.first?["node"]?.stringValue {
        throw GridError(.unavailable, "dead letter \(identifier) was not found, but node \(node) did not answer")
      }
    }
    throw GridError(.notFound, "no dead letter \(identifier)", hint: "see: gridctl dead-letters list")
  }

  func purgeDeadLetters(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let removed = try await deadLetterOffice.log().purge(try DeadLetterFilter(json: arguments))
    if arguments.isLocal { return ["removed": .integer(Int64(removed))] }
    let (answers, missing) = await gather("deadLetters.purge", arguments, deadline: deadline)
    let elsewhere = answers.compactMap { $0.answer["removed"]?.integerValue }.clampedSum()
    return ["removed": .integer(elsewhere.addingClamped(Int64(removed))), "missing": .array(missing)]
  }

  /// Sends a letter again, to its own target or another, and marks it. A replay that fails becomes a letter of its own.
  func replayDeadLetter(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let identifier = try arguments.required("id")
    let letter = try DeadLetter(json: try await showDeadLetter(arguments, deadline: deadline))
    let target = arguments["to"]?.stringValue ?? letter.target
    try NameRules.validated(target, as: "actor")
    if letter.node != nodeName {
      return try await forward("deadLetters.replay", arguments, to: letter.node, deadline: deadline)
    }
    let fresh = deadLetterOffice.newIdentifier()
    var message = letter.message
    message.headers.removeAll { $0.name == "gridctl-replay" }
    message.headers.append(Message.Header("gridctl-replay", fresh))
    _ = try await PendingAsk.run(clock: clock, timeout: deadline - clock.now(), deadlines: deadlines) {
      route(
        Envelope(
          target: target, message: message, sender: letter.sender, expectation: .acceptance, deadline: $1,
          responder: $0))
    }
    try await deadLetterOffice.log().markReplayed(identifier, as: fresh)
    return ["id": .string(identifier), "replayedAs": .string(fresh), "target": .string(target)]
  }

  // MARK: Streams

  /// Starts the stream a verb stands for; false when it is no stream.
  func startStream(_ verb: String, _ arguments: JSONValue, _ correlation: UInt64, _ link: Link) throws -> Bool {
    if verb == "leader.campaign" {
      try startCampaign(arguments, correlation, link)
      return true
    }
    guard ["events", "deadLetters.tail", "trace"].contains(verb) else { return false }
    let stream = ClusterStream(
      link: link, correlation: correlation, verb: verb, arguments: arguments, isClusterWide: !arguments.isLocal,
      began: clock.date())
    switch verb {
    case "events": followEvents(stream, arguments)
    case "trace": try followTrace(stream, arguments)
    default: try followDeadLetters(stream, arguments)
    }
    let peers = arguments.isLocal ? [] : peerLinks.open.map(\.link)
    streams.start(stream, link: link, correlation: correlation, peers: peers)
    return true
  }

  private func followEvents(_ stream: ClusterStream, _ arguments: JSONValue) {
    let kinds = Set((arguments["kinds"]?.arrayValue ?? []).compactMap(\.stringValue))
    let isLocal = arguments.isLocal
    let name = arguments["name"]?.stringValue
    let wanted: @Sendable (GridEvent) -> Bool = { event in
      // Each node sees the same peers come and go; the node that is asked speaks for all.
      (!isLocal || event.kind == .actor || event.kind == .node)
        && (kinds.isEmpty || kinds.contains(event.kind.rawValue)) && (name == nil || name == event.name)
    }
    if let since = arguments["sinceMilliseconds"]?.integerValue {
      for event in events.events(since: CalendarTime(millisecondsSince1970: since)) where wanted(event) {
        stream.send(event.json)
      }
    }
    // Every node counts its own events, so a number is asked of the node that gave it alone.
    if let sequence = arguments["sinceSequence"]?.integerValue, !isLocal {
      for event in events.events(after: sequence) where wanted(event) { stream.send(event.json) }
    }
    let number = events.subscribe { if wanted($0) { stream.send($0.json) } }
    stream.onEnd { [events] in events.unsubscribe(number) }
  }

  private func followDeadLetters(_ stream: ClusterStream, _ arguments: JSONValue) throws {
    let filter = try DeadLetterFilter(json: arguments)
    let number = deadLetterOffice.subscribe { if filter.matches($0) { stream.send($0.json) } }
    stream.onEnd { [deadLetterOffice] in deadLetterOffice.unsubscribe(number) }
  }
}

extension DeadLetterFilter {
  /// - Throws: ``GridError/Code/usage`` for a reason that does not exist.
  init(json: JSONValue) throws(GridError) {
    self.init()
    for label in (json["reasons"]?.arrayValue ?? []).compactMap(\.stringValue) {
      guard let reason = DeadLetter.Reason(rawValue: label) else {
        throw GridError(
          .usage, "unknown reason \(NameRules.quoted(label))",
          hint: "reasons: \(DeadLetter.Reason.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      reasons.append(reason)
    }
    isReplayed = json["replayed"]?.boolValue
    target = json["target"]?.stringValue
    since = json["sinceMilliseconds"]?.integerValue.map { CalendarTime(millisecondsSince1970: $0) }
    limit = json["limit"]?.integerValue.map { Int(clamping: max(0, $0)) }
  }
}
