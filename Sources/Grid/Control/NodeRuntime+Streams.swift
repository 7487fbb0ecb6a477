internal import GridCore
internal import GridLink

/// Which events somebody wants.
private struct EventChoice: Sendable {
  private let kinds: Set<String>
  private let name: String?
  private let isLocal: Bool

  init(_ arguments: JSONValue) {
    kinds = Set((arguments["kinds"]?.arrayValue ?? []).compactMap(\.stringValue))
    name = arguments["name"]?.stringValue
    isLocal = arguments.isLocal
  }

  func wants(_ event: GridEvent) -> Bool {
    // Each node sees the same peers come and go; the node that is asked speaks for all.
    (!isLocal || event.kind == .actor || event.kind == .node)
      && (kinds.isEmpty || kinds.contains(event.kind.rawValue)) && (name == nil || name == event.name)
  }
}

extension NodeRuntime {
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
    let choice = EventChoice(arguments)
    let number = events.subscribe { if choice.wants($0) { stream.send($0.json) } }
    stream.onEnd { [events] in events.unsubscribe(number) }
  }

  /// The events that are kept, by their time: those since a time of every node, or those after a number of this one.
  func listEvents(_ arguments: JSONValue, deadline: MonotonicTime) async -> JSONValue {
    let choice = EventChoice(arguments)
    let request = ListRequest(arguments)
    var found: [GridEvent] = []
    if let since = arguments["sinceMilliseconds"]?.integerValue {
      found = events.events(since: CalendarTime(millisecondsSince1970: since))
    } else if let sequence = arguments["sinceSequence"]?.integerValue, !arguments.isLocal {
      // Every node counts its own events, so a number is asked of the node that gave it alone.
      found = events.events(after: sequence)
    }
    let items = found.filter(choice.wants).map { ListPage.Item(key: Self.eventKey($0.json), value: $0.json) }
    return await gatherPage(
      "events.list", request, own: [request.page(items)], key: Self.eventKey, deadline: deadline)
  }

  private static func eventKey(_ event: JSONValue) -> String {
    func padded(_ field: String) -> String {
      let digits = String(max(0, event[field]?.integerValue ?? 0))
      return String(repeating: "0", count: 19 - digits.count) + digits
    }
    return "\(padded("atMilliseconds")) \(event["node"]?.stringValue ?? "") \(padded("seq"))"
  }

  private func followDeadLetters(_ stream: ClusterStream, _ arguments: JSONValue) throws {
    let filter = try DeadLetterFilter(json: arguments)
    let number = deadLetterOffice.subscribe { if filter.matches($0) { stream.send($0.json) } }
    stream.onEnd { [deadLetterOffice] in deadLetterOffice.unsubscribe(number) }
  }
}
