internal import GridConcurrency
package import GridCore
package import GridLink
package import NIOCore
internal import NIOEmbedded
internal import Synchronization

/// The network between the machines of a simulated cluster: streams as TCP has them, in order and without loss, over
/// links that delay, are cut one way or both, and break.
///
/// A cut holds back what is sent, as TCP sends again until it gets through; it is for the nodes to give up.
package final class SimulatedNetwork: Sendable {
  struct Direction: Hashable {
    var from: Int
    var to: Int
  }

  private struct Listening {
    var process: SimulatedProcess
    var number: Int
    var prepare: @Sendable (any Channel) throws -> Void
  }

  private struct State {
    var listeners: [LinkAddress: Listening] = [:]
    var nextListener = 0
    var connections: [SimulatedConnection] = []
    var cuts: Set<Direction> = []
    /// Machines that are off: they do not even refuse.
    var off: Set<Int> = []
    /// Extra delay of what leaves a machine.
    var slowness: [Int: Duration] = [:]
  }

  package let world: SimulatedWorld
  private let state = Mutex(State())

  private let record: SimulationRecord

  package init(world: SimulatedWorld, record: SimulationRecord) {
    self.world = world
    self.record = record
  }

  /// One side of a connection has heard of its end.
  func disconnected(_ process: SimulatedProcess) { record.disconnected(process.name) }

  // MARK: Faults

  /// Cuts a direction, or mends it.
  package func setCut(_ isCut: Bool, from: Int, to: Int) {
    state.withLock { state in
      if isCut {
        state.cuts.insert(Direction(from: from, to: to))
      } else {
        state.cuts.remove(Direction(from: from, to: to))
      }
    }
    if !isCut { for connection in connections { connection.mended() } }
  }

  /// Mends every cut, and ends every slowness.
  package func heal() {
    state.withLock { state in
      state.cuts = []
      state.slowness = [:]
    }
    for connection in connections { connection.mended() }
  }

  package func setSlowness(_ delay: Duration, of host: Int) { state.withLock { $0.slowness[host] = delay } }

  package func setOff(_ isOff: Bool, host: Int) {
    state.withLock { state in if isOff { state.off.insert(host) } else { state.off.remove(host) } }
  }

  /// Breaks one connection between two machines, if there is one: both ends hear of it.
  package func breakConnection(between one: Int, and other: Int) {
    connections.first { $0.joins(one, other) }?.break()
  }

  /// Ends what a process held: its machine closes the connections, and refuses new ones.
  package func ended(_ process: SimulatedProcess) {
    state.withLock { state in
      state.listeners = state.listeners.filter { $0.value.process !== process }
    }
    for connection in connections { connection.processEnded(process) }
  }

  func isCut(from: Int, to: Int) -> Bool {
    state.withLock { state in
      state.cuts.contains(Direction(from: from, to: to)) || state.off.contains(from) || state.off.contains(to)
    }
  }

  /// How long what leaves one machine now takes to another.
  func delay(from: Int, to: Int) -> Duration {
    let slowness = state.withLock { $0.slowness[from] ?? .zero }
    return slowness
      + world.roll { dice in
        dice.once(in: 50)
          ? dice.duration(.milliseconds(1), .milliseconds(30)) : dice.duration(.microseconds(40), .microseconds(400))
      }
  }

  private var connections: [SimulatedConnection] { state.withLock { $0.connections } }

  func forget(_ connection: SimulatedConnection) {
    state.withLock { state in state.connections.removeAll { $0 === connection } }
  }

  // MARK: Connections

  func listen(
    _ process: SimulatedProcess, _ address: LinkAddress, _ prepare: @escaping @Sendable (any Channel) throws -> Void
  ) throws(GridError) -> any LinkListener {
    let number = state.withLock { state -> Int? in
      guard state.listeners[address] == nil else { return nil }
      state.nextListener += 1
      state.listeners[address] = Listening(process: process, number: state.nextListener, prepare: prepare)
      return state.nextListener
    }
    guard let number else { throw GridError(.unavailable, "cannot listen on \(address): Address already in use") }
    return Listener(network: self, address: address, number: number)
  }

  private struct Listener: LinkListener {
    let network: SimulatedNetwork
    let address: LinkAddress
    let number: Int

    func close() async {
      network.state.withLock { state in
        if state.listeners[address]?.number == number { state.listeners[address] = nil }
      }
    }
  }

  /// What answers at an address when something is sent there now.
  private enum Answer {
    case accepts(Listening)
    case refuses
    case silence
  }

  private func answer(from host: Int, at address: LinkAddress) -> Answer {
    let target = Self.host(of: address)
    if isCut(from: host, to: target) || isCut(from: target, to: host) { return .silence }
    guard let listening = state.withLock({ $0.listeners[address] }), !listening.process.isDead else { return .refuses }
    return .accepts(listening)
  }

  /// Machine number five is 10.0.0.5.
  static func host(of address: LinkAddress) -> Int {
    guard case .tcp(let host, _) = address, let last = host.split(separator: ".").last else { return -1 }
    return Int(last) ?? -1
  }

  func connect(
    _ process: SimulatedProcess, to address: LinkAddress, within limit: Duration,
    _ prepare: @escaping @Sendable (any Channel) throws -> Void, failed: @escaping @Sendable (GridError) -> Void
  ) {
    let began = world.now
    let there = delay(from: process.host, to: Self.host(of: address))
    world.schedule(after: there) { [self] in
      switch answer(from: process.host, at: address) {
      case .refuses:
        world.schedule(after: there, for: process) {
          failed(GridError(.unavailable, "cannot reach \(address)", cause: "Connection refused"))
        }
      case .silence:
        world.schedule(at: began + limit, for: process) {
          failed(GridError(.unavailable, "cannot reach \(address)", cause: "no answer"))
        }
      case .accepts(let listening):
        let connection = SimulatedConnection(self, process, listening.process, address)
        state.withLock { $0.connections.append(connection) }
        world.schedule(after: .zero, for: listening.process) { connection.open(.accepting, listening.prepare) }
        world.schedule(after: there, for: process) {
          if let error = connection.open(.dialling, prepare) {
            failed(GridError(.unavailable, "cannot reach \(address)", cause: error))
          }
        }
      }
    }
  }

  func presence(_ process: SimulatedProcess, of address: LinkAddress, within limit: Duration) async -> LinkPresence {
    await withPromise { promise in
      let began = world.now
      let there = delay(from: process.host, to: Self.host(of: address))
      world.schedule(after: there) { [self] in
        switch answer(from: process.host, at: address) {
        case .refuses: world.schedule(after: there, for: process) { promise.fulfil(.gone) }
        case .silence: world.schedule(at: began + limit, for: process) { promise.fulfil(.silent) }
        case .accepts: world.schedule(after: there, for: process) { promise.fulfil(.listens) }
        }
      }
    }
  }
}

/// The way of one process into the network.
package struct SimulatedTransport: Transport {
  private let network: SimulatedNetwork
  private let process: SimulatedProcess

  package init(_ network: SimulatedNetwork, _ process: SimulatedProcess) {
    self.network = network
    self.process = process
  }

  package func connect(
    to address: LinkAddress, within limit: Duration,
    _ prepare: @escaping @Sendable (any Channel) throws -> Void, failed: @escaping @Sendable (GridError) -> Void
  ) {
    network.connect(process, to: address, within: limit, prepare, failed: failed)
  }

  package func listen(
    on address: LinkAddress, _ prepare: @escaping @Sendable (any Channel) throws -> Void
  ) async throws(GridError) -> any LinkListener {
    try network.listen(process, address, prepare)
  }

  package func presence(at address: LinkAddress, within limit: Duration) async -> LinkPresence {
    await network.presence(process, of: address, within: limit)
  }
}
