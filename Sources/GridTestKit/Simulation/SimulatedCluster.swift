internal import Grid
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import Synchronization

/// What is simulated.
package struct SimulationPlan: Sendable, Equatable {
  package var seed: UInt64
  package var nodes: Int
  /// How long, in virtual time: two thirds with faults, then rest.
  package var duration: Duration
  package var plant: Plant?

  package init(seed: UInt64, nodes: Int = 5, duration: Duration = .seconds(60), plant: Plant? = nil) {
    self.seed = seed
    self.nodes = max(1, nodes)
    self.duration = duration
    self.plant = plant
  }
}

/// What came out.
package struct SimulationResult: Sendable, Equatable {
  package var violations: [SimulationRecord.Violation]
  package var steps: Int
  /// Of all events: the same for the same plan.
  package var fingerprint: UInt64
  /// How often what has happened.
  package var counts: [String: Int]
}

/// A cluster of real nodes in this process, in virtual time, from one seed.
///
/// Dictionaries iterate in an order that depends on the process, unless `SWIFT_DETERMINISTIC_HASHING` is set: only then
/// does a seed replay.
package final class SimulatedCluster: Sendable {
  static let namespace = "simulated"

  let world: SimulatedWorld
  let network: SimulatedNetwork
  let server: InMemoryStoreServer
  let record: SimulationRecord
  let secret: NamespaceSecret
  private let plan: SimulationPlan
  private let healed = Atomic(false)
  private let rest = Atomic(false)
  private let members = Mutex<[SimulatedNode]>([])

  /// Runs a plan to its end.
  ///
  /// - Parameter trace: takes what happens, line by line.
  package static func run(_ plan: SimulationPlan, trace: (@Sendable (String) -> Void)? = nil) -> SimulationResult {
    guard let cluster = SimulatedCluster(plan, SimulationTrace(trace)) else {
      return SimulationResult(violations: [], steps: 0, fingerprint: 0, counts: [:])
    }
    cluster.run()
    return SimulationResult(
      violations: cluster.record.violations, steps: cluster.world.steps,
      fingerprint: cluster.world.trace.fingerprint, counts: cluster.record.counts)
  }

  private init?(_ plan: SimulationPlan, _ trace: SimulationTrace) {
    guard let secretOfAll = NamespaceSecret([UInt8](repeating: 7, count: NamespaceSecret.byteCount)) else { return nil }
    self.plan = plan
    world = SimulatedWorld(seed: plan.seed, plant: plan.plant, trace: trace)
    record = SimulationRecord(world: world)
    network = SimulatedNetwork(world: world, record: record)
    secret = secretOfAll
    let process = SimulatedProcess(name: "store", host: 0, world: world)
    server = InMemoryStoreServer(
      timers: SimulatedTimers(process), faults: StoreFaults(),
      generator: SeededDice(seed: world.roll { $0.next() }))
    members.withLock { $0 = (1...plan.nodes).map { SimulatedNode(name: "n\($0)", host: $0, cluster: self) } }
  }

  var nodes: [SimulatedNode] { members.withLock { $0 } }

  /// Whether nothing goes wrong any more.
  var isHealed: Bool { healed.load(ordering: .relaxed) }

  /// Whether nobody is to begin anything any more.
  var isAtRest: Bool { rest.load(ordering: .relaxed) }

  private func run() {
    let begin = world.now
    let keys = StoreKeys(namespace: Self.namespace)
    server.observe { [record] changes in
      for change in changes { record.changes(change, keys) }
    }
    for node in nodes {
      world.schedule(after: world.roll { $0.duration(.zero, .milliseconds(800)) }) { node.start() }
    }
    let faults = SimulatedFaults(self, until: begin + plan.duration * 0.66)
    faults.begin()
    let end = begin + plan.duration * 0.68
    advance(to: end)
    healed.store(true, ordering: .relaxed)
    faults.end()
    advance(to: end + .seconds(5))
    rest.store(true, ordering: .relaxed)
    // What users have begun comes to its end; fifteen seconds after the last fault all has been shown to work (S14).
    advance(to: end + .seconds(7))
    let probe = SimulatedProbe(self)
    probe.begin()
    advance(to: begin + plan.duration)
    if let failure = world.failure { return record.breaks("simulation", failure) }
    if !record.violations.isEmpty { return }
    probe.conclude()
    record.conclude(disks: nodes.reduce(into: [:]) { $0[$1.name] = $1.letters })
  }

  private func advance(to time: MonotonicTime) {
    world.run(until: time) { record.isBroken }
  }
}
