internal import Grid
internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import Logging
internal import Synchronization

/// A node's place in the cluster, its machine with what is on its disk, and the process that runs there now.
final class SimulatedNode: Sendable {
  /// One process, from start to end.
  final class Life: Sendable {
    let process: SimulatedProcess
    let timers: SimulatedTimers
    let store: SimulatedStore
    let node: GridNode
    let hasEnded = Atomic(false)
    private let seen = Mutex<(node: NodeInspection?, peers: Int)>((nil, -1))

    /// What can be seen of the node from outside, once it runs.
    var inspection: NodeInspection? {
      seen.withLock { seen in
        if seen.node == nil { seen.node = node.inspection }
        return seen.node
      }
    }

    /// What it sees of the others, where that has changed since it was asked last.
    var newPeers: [NodeRecord]? {
      guard let inspection else { return nil }
      let version = inspection.peersVersion
      let isNew = seen.withLock { seen in
        defer { seen.peers = version }
        return seen.peers != version
      }
      return isNew ? inspection.peers : nil
    }

    init(process: SimulatedProcess, timers: SimulatedTimers, store: SimulatedStore, node: GridNode) {
      self.process = process
      self.timers = timers
      self.store = store
      self.node = node
    }
  }

  private struct State {
    var life: Life?
    var lives = 0
    /// How many reasons there are for which the store does not hear of it.
    var isHung = false
    var isCutFromStore = false
  }

  let name: String
  let host: Int
  private let cluster: SimulatedCluster
  private let disk = InMemoryDeadLetterLog()
  private let state = Mutex(State())

  init(name: String, host: Int, cluster: SimulatedCluster) {
    self.name = name
    self.host = host
    self.cluster = cluster
  }

  var life: Life? { state.withLock { $0.life } }
  var isUp: Bool { life.map { !$0.hasEnded.load(ordering: .relaxed) } ?? false }
  var isHung: Bool { state.withLock { $0.isHung } }

  private var world: SimulatedWorld { cluster.world }

  /// What is on its disk.
  var letters: Set<String> { Set(disk.letters.map(\.identifier)) }

  /// After whatever the process has done: what it sees of the others (S4).
  private func look(at life: Life) {
    if let peers = life.newPeers { cluster.record.sees(life.process.name, peers) }
  }

  // MARK: Life and death

  /// Starts a process, unless one runs.
  func start() {
    guard !isUp else { return }
    let number = state.withLock { state in
      state.lives += 1
      state.isHung = false
      return state.lives
    }
    // Whatever a machine that was gone had open is unknown to it now.
    if let former = life { cluster.network.ended(former.process) }
    let process = SimulatedProcess(name: "\(name).\(number)", host: host, world: world)
    let timers = SimulatedTimers(process)
    let store = SimulatedStore(cluster.server, process, node: name, cluster.record)
    let life = Life(
      process: process, timers: timers, store: store, node: makeNode(process, timers, store))
    state.withLock { $0.life = life }
    process.observe { [self] in look(at: life) }
    world.trace.note(world, "\(process.name) starts")
    cluster.network.setOff(false, host: host)
    tellStore()
    let executor = SimulatedExecutor(process)
    UnstructuredTask.start(on: executor) { [self] in
      await withTaskGroup(of: Void.self) { group in
        group.addTask { [self] in
          do { try await life.node.run() } catch { world.trace.note(world, "\(process.name) ends: \(error)") }
        }
        for lane in 0..<SimulatedWorkload.lanes {
          group.addTask { [self] in await SimulatedWorkload(cluster, self, life, lane: lane).run() }
        }
        group.addTask { [self] in await SimulatedWorkload(cluster, self, life, lane: 99).lead() }
        group.addTask { [self] in await listen(life) }
        await group.next()
        group.cancelAll()
      }
      ended(life)
    }
  }

  /// Who joins, as the node tells it (S5).
  private func listen(_ life: Life) async {
    if let events = try? await life.node.events() {
      for await event in events {
        if case .peerJoined = event.fact { cluster.record.isTold(life.process.name, ofArrival: event.name) }
      }
    }
    await Latch().wait()
  }

  private func makeNode(_ process: SimulatedProcess, _ timers: SimulatedTimers, _ store: SimulatedStore) -> GridNode {
    var configuration = NodeConfiguration(
      namespace: SimulatedCluster.namespace, name: name, listen: "10.0.0.\(host):4743")
    configuration.allowsInsecureListening = true
    configuration.logger = Logger(label: "sim") { _ in SwiftLogNoOpLogHandler() }
    configuration.singletons = ["single"]
    configuration.leaseTimeToLive = .seconds(5)
    configuration.store = store
    let world = world
    let surroundings = NodeSurroundings(
      timers: timers, transport: SimulatedTransport(cluster.network, process), loop: process.loop,
      executor: SimulatedExecutor(process), makeGenerator: { SeededDice(seed: world.roll { $0.next() }) },
      memory: .init(
        secret: cluster.secret, deadLetters: SimulatedDeadLetterLog(disk, of: name, process, cluster.record)))
    let record = cluster.record
    return GridNode(configuration, surroundings: surroundings) { kinds in
      for kind in ["recorder", "single"] {
        kinds.register(kind) { _ in RecordingActor(record: record, process: process, timers: timers) }
      }
    }
  }

  private func ended(_ life: Life) {
    life.hasEnded.store(true, ordering: .relaxed)
    world.trace.note(world, "\(life.process.name) has ended")
    life.process.die()
    cluster.network.ended(life.process)
    cluster.record.died(life.process.name, wasKilled: false)
    // Whoever looks after the processes of the machine starts the next.
    let pause = world.roll { $0.duration(.seconds(1), .seconds(5)) }
    world.schedule(after: cluster.isHealed ? .milliseconds(200) : pause) { [self] in start() }
  }

  /// The end of a process that nobody asked: its machine closes its connections, or is gone itself.
  func kill(withMachine isMachineGone: Bool) {
    guard let life, isUp else { return }
    world.trace.note(world, "\(life.process.name) is \(isMachineGone ? "gone with its machine" : "killed")")
    life.hasEnded.store(true, ordering: .relaxed)
    life.process.die()
    life.store.setHeard(false)
    if isMachineGone { cluster.network.setOff(true, host: host) } else { cluster.network.ended(life.process) }
    cluster.record.died(life.process.name, wasKilled: true)
  }

  /// Asks it to leave.
  func stop() {
    guard let life, isUp else { return }
    world.trace.note(world, "\(life.process.name) is asked to leave")
    life.process.perform(.action { life.node.beginGracefulShutdown() })
  }

  func hang() {
    guard let life, isUp else { return }
    world.trace.note(world, "\(life.process.name) hangs")
    state.withLock { $0.isHung = true }
    life.process.hang()
    tellStore()
  }

  func resume() {
    guard let life, isHung else { return }
    world.trace.note(world, "\(life.process.name) goes on")
    state.withLock { $0.isHung = false }
    tellStore()
    life.process.resume()
  }

  func setCutFromStore(_ isCut: Bool) {
    world.trace.note(world, "\(name) \(isCut ? "is cut off from the store" : "reaches the store again")")
    state.withLock { $0.isCutFromStore = isCut }
    tellStore()
  }

  private func tellStore() {
    let (life, isHung, isCut) = state.withLock { ($0.life, $0.isHung, $0.isCutFromStore) }
    guard let life, !life.hasEnded.load(ordering: .relaxed) else { return }
    life.store.setReachable(!isCut)
    life.store.setHeard(!isHung)
  }
}
