internal import GridCore
internal import GridLink
internal import GridRequests
internal import Synchronization

/// The streams that clients of this node follow: what happens here, and what the peers send of theirs.
///
/// A stream of a client is fed by this node and, unless it is a peer's own request, by one sub-stream to each peer;
/// peers that join later are added. A client that reads too slowly misses items, and is told how many.
final class ClusterStreams: Sendable {
  private struct Key: Hashable {
    let link: ObjectIdentifier
    let correlation: UInt64
  }

  private let streams = Mutex<[Key: ClusterStream]>([:])

  func start(_ stream: ClusterStream, link: Link, correlation: UInt64, peers: [Link]) {
    streams.withLock { $0[Key(link: ObjectIdentifier(link), correlation: correlation)] = stream }
    stream.begin(with: peers)
    if link.isClosed { stop(link, correlation) }
  }

  func peerOpened(_ link: Link) {
    for stream in streams.withLock({ Array($0.values) }) where stream.isClusterWide { stream.follow(link) }
  }

  func stop(_ link: Link, _ correlation: UInt64) {
    streams.withLock { $0.removeValue(forKey: Key(link: ObjectIdentifier(link), correlation: correlation)) }?.end()
  }

  func linkClosed(_ link: Link) {
    let ended = streams.withLock { streams in
      let keys = streams.keys.filter { $0.link == ObjectIdentifier(link) }
      return keys.compactMap { streams.removeValue(forKey: $0) }
    }
    for stream in ended { stream.end() }
  }
}

/// One stream to one client.
final class ClusterStream: Sendable {
  private struct State {
    var missed = 0
    var standstill = Standstill()
    /// Peers that were there at the beginning and have not said yet that they have begun.
    var awaited = 0
    var isSynced = false
    var following: [(link: Link, number: UInt64)] = []
    var stop: (@Sendable () -> Void)?
    var isEnded = false
  }

  private let link: Link
  private let writer: ChannelWriter
  private let verb: String
  /// As a peer is asked for its part.
  private let forwarded: JSONValue
  /// On whose behalf it is followed.
  let caller: Caller
  /// Who is at the other end of the connection.
  var connection: Caller { link.caller }
  let isClusterWide: Bool
  private let began: CalendarTime
  private let timers: any Timers
  private let state = Mutex(State())

  init(
    link: Link, correlation: UInt64, verb: String, arguments: JSONValue, caller: Caller, isClusterWide: Bool,
    timers: any Timers
  ) {
    self.caller = caller
    self.timers = timers
    began = timers.date()
    self.link = link
    writer = link.writer(correlation)
    self.verb = verb
    forwarded = RequestRouting().forwarded(for: caller).json(over: arguments)
    self.isClusterWide = isClusterWide
  }

  /// Sets what ends the local feed.
  func onEnd(_ stop: @escaping @Sendable () -> Void) {
    let isEnded = state.withLock { state in
      state.stop = stop
      return state.isEnded
    }
    if isEnded { stop() }
  }

  func send(_ item: JSONValue) {
    let missed = state.withLock { state in
      defer { state.missed = 0 }
      return state.missed
    }
    if missed > 0, !writer.offer(["kind": "missed", "count": .integer(Int64(missed))]) {
      return foundNoRoom(missed + 1)
    }
    guard writer.offer(item) else { return foundNoRoom(1) }
    state.withLock { $0.standstill.foundRoom() }
  }

  /// Counts what was missed, and ends the stream of a client that has read nothing for long: what waits for it costs
  /// this node memory.
  private func foundNoRoom(_ count: Int) {
    let now = timers.now()
    let isHopeless = state.withLock { state in
      state.missed += count
      return state.standstill.foundNoRoom(at: now)
    }
    guard isHopeless else { return }
    writer.cut(
      GridError(
        .retryLater, "the reader of \(verb) has read nothing for \(ClientLimits.longestStandstill.gridText)",
        hint: "read faster, or ask for less: --filter, --kind, --max"))
    end()
  }

  /// How long the client waits for peers before it is told that the stream is live: a hung one must not hold it up.
  private static let patience = Duration.seconds(1)

  /// Adds what the peers send, and tells the client once every one of them has begun.
  func begin(with peers: [Link]) {
    state.withLock { $0.awaited = peers.count }
    for peer in peers { follow(peer, isAwaited: true) }
    if peers.isEmpty { return synced() }
    timers.schedule(after: Self.patience) { self.synced() }
  }

  fileprivate func peerHasBegun() {
    let isLast = state.withLock { state in
      state.awaited -= 1
      return state.awaited == 0
    }
    if isLast { synced() }
  }

  /// Tells the client, once, that what follows is live.
  private func synced() {
    let isFirst = state.withLock { state in
      defer { state.isSynced = true }
      return !state.isSynced && !state.isEnded
    }
    if isFirst { send(["kind": "synced", "atMilliseconds": .integer(began.millisecondsSince1970)]) }
  }

  /// Adds what a peer sends.
  func follow(_ peer: Link, isAwaited: Bool = false) {
    guard isClusterWide else { return }
    let forwarder = StreamForwarder(self, isAwaited: isAwaited)
    let number = peer.openChannel(verb, forwarded, listener: forwarder)
    let isEnded = state.withLock { state in
      state.following.append((peer, number))
      return state.isEnded
    }
    if isEnded { peer.cancel(number) }
  }

  func end() {
    let (stop, following) = state.withLock { state in
      state.isEnded = true
      defer { state.following = [] }
      return (state.stop, state.following)
    }
    stop?()
    for (peer, number) in following { peer.cancel(number) }
  }
}

/// Passes a peer's items on. Its end is no news here: the peer's departure is an event of its own.
private final class StreamForwarder: ChannelListener {
  private let stream: ClusterStream
  private let isAwaited: Atomic<Bool>

  init(_ stream: ClusterStream, isAwaited: Bool) {
    self.stream = stream
    self.isAwaited = Atomic(isAwaited)
  }

  func channelReceived(_ item: [UInt8]) {
    guard let item = try? JSONValue(parsing: item) else { return }
    if item["kind"]?.stringValue == "synced" { begun() } else { stream.send(item) }
  }

  func channelEnded(_ error: GridError?) { begun() }

  private func begun() {
    if isAwaited.exchange(false, ordering: .relaxed) { stream.peerHasBegun() }
  }
}
