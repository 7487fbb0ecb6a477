internal import DequeModule
internal import GridCore
internal import GridLink
internal import NIOCore
internal import NIOEmbedded
internal import Synchronization

/// One stream between two processes, with a real channel and a real link's handler at each end.
final class SimulatedConnection: Sendable {
  enum Side: Int {
    case dialling
    case accepting

    var other: Side { self == .dialling ? .accepting : .dialling }
  }

  /// What is on its way to one side.
  private enum Parcel: Sendable {
    case bytes([UInt8])
    /// The other side has closed, or its process is gone.
    case end
  }

  private struct End {
    var channel: EmbeddedChannel?
    var isClosed = false
    /// Held back by a cut, oldest first.
    var held: Deque<Parcel> = []
    /// When the parcel before arrives; none overtakes it.
    var lastArrival = MonotonicTime(nanoseconds: 0)
    /// Arrived before the channel was there.
    var early: [Parcel] = []
  }

  private struct State {
    var ends = [End(), End()]
  }

  private let network: SimulatedNetwork
  private let processes: [SimulatedProcess]
  private let address: LinkAddress
  private let state = Mutex(State())

  private var world: SimulatedWorld { network.world }

  init(
    _ network: SimulatedNetwork, _ dialler: SimulatedProcess, _ acceptor: SimulatedProcess, _ address: LinkAddress
  ) {
    self.network = network
    processes = [dialler, acceptor]
    self.address = address
  }

  func joins(_ one: Int, _ other: Int) -> Bool {
    let hosts = processes.map(\.host)
    return hosts == [one, other] || hosts == [other, one]
  }

  // MARK: Opening

  /// Makes the channel of one side, on its process's thread.
  ///
  /// - Returns: why there is none.
  @discardableResult
  func open(_ side: Side, _ prepare: @Sendable (any Channel) throws -> Void) -> String? {
    let process = processes[side.rawValue]
    if state.withLock({ $0.ends[side.rawValue].isClosed }) { return "Connection reset by peer" }
    let channel = EmbeddedChannel(loop: process.loop)
    Graveyard.keep(channel)
    let remote: SocketAddress
    do {
      remote = try SocketAddress(
        ipAddress: "10.0.0.\(processes[side.other.rawValue].host)", port: side == .dialling ? 4743 : 40_000)
      channel.remoteAddress = remote
      try channel.pipeline.syncOperations.addHandler(SimulatedWire(self, side))
      try prepare(channel)
    } catch {
      state.withLock { $0.ends[side.rawValue].isClosed = true }
      send(.end, to: side.other)
      return "\(error)"
    }
    let early = state.withLock { state -> [Parcel] in
      state.ends[side.rawValue].channel = channel
      defer { state.ends[side.rawValue].early = [] }
      return state.ends[side.rawValue].early
    }
    channel.connect(to: remote, promise: nil)
    process.loop.run()
    for parcel in early { arrived(parcel, at: side) }
    return nil
  }

  // MARK: Sending

  /// The channel of `side` has bytes for the other.
  fileprivate func write(_ bytes: [UInt8], from side: Side) {
    send(.bytes(bytes), to: side.other)
    if Self.isMessage(bytes), world.strikes(.deliversTwice, onceIn: 40) { send(.bytes(bytes), to: side.other) }
  }

  /// Whether they begin with a message, see LINK.md: planted faults leave the greeting alone.
  private static func isMessage(_ bytes: [UInt8]) -> Bool { bytes.count > 4 && bytes[4] == 10 }

  /// The channel of `side` has closed.
  fileprivate func closed(_ side: Side) {
    let isFirst = state.withLock { state in
      defer { state.ends[side.rawValue].isClosed = true }
      return !state.ends[side.rawValue].isClosed
    }
    network.disconnected(processes[side.rawValue])
    if isFirst { send(.end, to: side.other) }
    forgetWhenOver()
  }

  private func send(_ parcel: Parcel, to side: Side) {
    let (from, to) = (processes[side.other.rawValue].host, processes[side.rawValue].host)
    let isCut = network.isCut(from: from, to: to)
    let delay = network.delay(from: from, to: to)
    var overtakes = false
    if case .bytes(let bytes) = parcel, Self.isMessage(bytes) { overtakes = world.strikes(.reorders, onceIn: 30) }
    let arrival = state.withLock { state -> MonotonicTime? in
      if isCut || !state.ends[side.rawValue].held.isEmpty {
        state.ends[side.rawValue].held.append(parcel)
        return nil
      }
      var time = max(world.now + delay, state.ends[side.rawValue].lastArrival)
      if overtakes { time = time + .milliseconds(20) } else { state.ends[side.rawValue].lastArrival = time }
      return time
    }
    guard let arrival else { return }
    world.schedule(at: arrival, for: processes[side.rawValue]) { self.arrived(parcel, at: side) }
  }

  /// Sends what a cut has held back, where there is none any more.
  func mended() {
    for side in [Side.dialling, .accepting] {
      let (from, to) = (processes[side.other.rawValue].host, processes[side.rawValue].host)
      guard !network.isCut(from: from, to: to) else { continue }
      let held = state.withLock { state -> Deque<Parcel> in
        defer { state.ends[side.rawValue].held = [] }
        return state.ends[side.rawValue].held
      }
      for parcel in held { send(parcel, to: side) }
    }
  }

  // MARK: Arriving

  private func arrived(_ parcel: Parcel, at side: Side) {
    let channel = state.withLock { state -> EmbeddedChannel? in
      guard !state.ends[side.rawValue].isClosed else { return nil }
      if state.ends[side.rawValue].channel == nil { state.ends[side.rawValue].early.append(parcel) }
      return state.ends[side.rawValue].channel
    }
    guard let channel else { return }
    switch parcel {
    case .bytes(let bytes):
      channel.pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer(bytes: bytes)))
      channel.pipeline.syncOperations.fireChannelReadComplete()
    case .end:
      state.withLock { $0.ends[side.rawValue].isClosed = true }
      channel.close(promise: nil)
      forgetWhenOver()
    }
  }

  // MARK: The end

  /// Both ends hear that it is broken, whatever was on its way.
  func `break`() {
    for side in [Side.dialling, .accepting] {
      world.schedule(
        after: network.delay(from: processes[0].host, to: processes[1].host), for: processes[side.rawValue]
      ) { self.arrived(.end, at: side) }
    }
  }

  /// The machine of a process that is gone closes its end.
  func processEnded(_ process: SimulatedProcess) {
    for side in [Side.dialling, .accepting] where processes[side.rawValue] === process { closed(side) }
  }

  private func forgetWhenOver() {
    if state.withLock({ $0.ends.allSatisfy { $0.isClosed } }) { network.forget(self) }
  }
}

/// The end of a channel that is nearest to the network.
private final class SimulatedWire: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer

  private let connection: SimulatedConnection
  private let side: SimulatedConnection.Side
  private var written: [UInt8] = []

  init(_ connection: SimulatedConnection, _ side: SimulatedConnection.Side) {
    self.connection = connection
    self.side = side
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    written += unwrapOutboundIn(data).readableBytesView
    promise?.succeed(())
  }

  func flush(context: ChannelHandlerContext) {
    guard !written.isEmpty else { return }
    connection.write(written, from: side)
    written = []
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.closed(side)
    context.fireChannelInactive()
  }
}
