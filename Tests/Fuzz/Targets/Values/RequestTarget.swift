internal import FuzzSupport
internal import GridCore
internal import GridRequests

/// JSON as each request, answer and item of a stream: what is accepted says the same once it was written and read.
let requestTarget = FuzzTarget("requests") { bytes in
  var input = FuzzBytes(bytes)
  let choice = Int(input.byte())
  guard let json = try? JSONValue(parsing: input.remainder()) else { return }
  try checks[choice % checks.count](json)
}

private typealias Check = @Sendable (JSONValue) throws -> Void

private let checks: [Check] =
  actorRequests + nodeRequests + letterRequests + leaderRequests + streamRequests + items

private let actorRequests: [Check] = [
  request(ActorsRequest.self), request(ActorSummariesRequest.self), request(ActorTopRequest.self),
  request(InspectRequest.self), request(SpawnRequest.self), request(StopRequest.self), request(RestartRequest.self),
]

private let nodeRequests: [Check] = [
  request(PingRequest.self), request(NodeInformationRequest.self), request(NodeStopRequest.self),
  request(LoadRequest.self), request(StoreRequest.self), request(NodeHealthRequest.self), request(HealthRequest.self),
  request(PeersRequest.self), request(KindsRequest.self), request(EventsRequest.self), request(NameCountRequest.self),
  request(BenchRequest.self),
]

private let letterRequests: [Check] = [
  request(DeadLettersRequest.self), request(DeadLetterRequest.self), request(DeadLetterBodyRequest.self),
  request(DeadLetterHolderRequest.self), request(DeadLetterTalliesRequest.self), request(PurgeDeadLettersRequest.self),
  request(ReplayDeadLetterRequest.self),
]

private let leaderRequests: [Check] = [
  request(LeadersRequest.self), request(LeaderRequest.self), request(KeepLeadershipRequest.self),
  request(ResignRequest.self), request(LastRunRequest.self), request(RecordRunRequest.self),
  request(SingletonsRequest.self),
]

private let streamRequests: [Check] = [
  stream(EventStreamRequest.self), stream(DeadLetterStreamRequest.self), stream(TraceStreamRequest.self),
  stream(CampaignRequest.self),
]

private let items: [Check] = [
  letter, value(ActorReport.self), value(PeerReport.self), value(SingletonReport.self),
  value(GridEvent.self), value(Caller.self), value(RequestRouting.self), value(PageRequest.self),
  value(ActorPlacement.self), value(DeadLetterTitle.self), value(LeaderReport.self), value(Trouble.self),
]

/// Decodes, encodes and decodes: the second value is written as the first was.
private func value<Value: JSONCoded>(_ type: Value.Type) -> Check {
  { json in
    guard let value = try? Value(json: json) else { return }
    let written = value.json
    guard let again = try? Value(json: written) else {
      throw BrokenPromise("\(type) does not read what it has written: \(written.text)")
    }
    try promise(again.json == written, "\(type) says something else the second time: \(written.text)")
  }
}

/// A letter as it travels, and as a page of letters takes it in.
private let letter: Check = { json in
  try value(DeadLetter.self)(json)
  guard let letter = try? DeadLetter(json: json) else { return }
  var page = DeadLetterPage()
  var room = 1000
  _ = page.take(letter, DeadLetterQuery(bodyLimit: 10), room: &room)
  try promise(page.letters.count == 1 && room <= 1000, "a page does not take its first letter")
  _ = letter.cost
}

/// The request as it travels, and what its answer would be.
private func request<Request: NodeRequest>(_ type: Request.Type) -> Check {
  let (routed, answer) = (value(RoutedRequest<Request>.self), value(Request.Answer.self))
  return { json in
    try routed(json)
    try answer(json)
    guard let request = try? RoutedRequest<Request>(json: json) else { return }
    _ = request.request.objection(to: Caller(name: "eve", role: .viewer, source: .token), AccessRules())
    _ = request.routing.forwarded(for: request.routing.caller ?? Caller()).json(over: json)
    _ = (request.page.mostBytes, request.page.mostItems)
  }
}

private func stream<Request: StreamRequest>(_ type: Request.Type) -> Check {
  let check = value(type)
  return { json in
    try check(json)
    _ = try? type.streamItem(json)
  }
}
