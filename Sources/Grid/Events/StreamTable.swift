internal import GridCore
internal import GridLink
internal import GridRequests

/// The streams that a node offers, each with what feeds it.
final class StreamTable: Sendable {
  struct Handler: Sendable {
    let role: Role
    /// Whether every node takes part in it.
    let isClusterWide: Bool
    let start: @Sendable (JSONValue, RequestRouting, ClusterStream, AccessControl) throws -> Void
  }

  private let handlers: [String: Handler]
  private let streams = ClusterStreams()
  private let peers: PeerTable
  private let access: AccessControl
  private let timers: any Timers

  init(_ handlers: [String: Handler], peers: PeerTable, access: AccessControl, timers: any Timers) {
    self.access = access
    self.handlers = handlers
    self.peers = peers
    self.timers = timers
  }

  /// - Returns: false when the verb is none of a stream.
  func start(_ verb: String, _ arguments: JSONValue, _ correlation: UInt64, _ link: Link) throws -> Bool {
    guard let handler = handlers[verb] else { return false }
    guard !link.writer(correlation).isEnded else {
      throw GridError(.usage, "\(verb) is answered over a channel: the request needs credit")
    }
    let routing = try RequestRouting(json: arguments)
    let caller = link.caller.speaking(for: routing.caller)
    let isClusterWide = handler.isClusterWide && !routing.isLocal
    let stream = ClusterStream(
      link: link, correlation: correlation, verb: verb, arguments: arguments, caller: caller,
      isClusterWide: isClusterWide, timers: timers)
    try handler.start(arguments, routing, stream, access)
    streams.start(stream, link: link, correlation: correlation, peers: isClusterWide ? peers.open.map(\.link) : [])
    return true
  }

  func stop(_ link: Link, _ correlation: UInt64) { streams.stop(link, correlation) }

  func linkClosed(_ link: Link) { streams.linkClosed(link) }

  func peerOpened(_ link: Link) { streams.peerOpened(link) }
}

extension [String: StreamTable.Handler] {
  mutating func on<Request: StreamRequest>(
    _ type: Request.Type, isClusterWide: Bool = true,
    _ start: @escaping @Sendable (Request, RequestRouting, ClusterStream) throws -> Void
  ) {
    self[Request.verb] = StreamTable.Handler(
      role: Request.role, isClusterWide: isClusterWide
    ) { json, routing, stream, access in
      let request = try Request(json: json)
      try access.checked(request, for: stream.caller, over: stream.connection) {
        try start(request, routing, stream)
      }
    }
  }
}
