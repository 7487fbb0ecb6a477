internal import GridCore
internal import GridRequests

/// Tells what happened: the events that are kept, and those to come.
struct EventDesk: Sendable {
  let events: EventLog
  let calls: ClusterCalls

  func list(_ request: EventsRequest, _ call: RequestCall) async -> ListAnswer<GridEvent> {
    var found: [GridEvent] = []
    if let since = request.since {
      found = events.events(since: since)
    } else if let sequence = request.sinceSequence, !call.isLocal {
      // Every node counts its own events, so a number is asked of the node that gave it alone.
      found = events.events(after: sequence)
    }
    let wanted = found.filter { request.choice.wants($0, isLocal: call.isLocal) }
    return await calls.list(request, own: [call.page.page(wanted)], call)
  }

  func follow(_ request: EventStreamRequest, _ routing: RequestRouting, _ stream: ClusterStream) {
    let choice = request.choice
    let number = events.subscribe { event in
      if choice.wants(event, isLocal: routing.isLocal) { stream.send(event.json) }
    }
    stream.onEnd { [events] in events.unsubscribe(number) }
  }
}

extension EventChoice {
  fileprivate func wants(_ event: GridEvent, isLocal: Bool) -> Bool {
    // Each node sees the same peers come and go; the node that is asked speaks for all.
    (!isLocal || event.kind == .actor || event.kind == .node)
      && (kinds.isEmpty || kinds.contains(event.kind.rawValue)) && (name == nil || name == event.name)
  }
}
