internal import Grid
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// What goes wrong in a simulated cluster, and when: all of it thrown by the world's dice.
final class SimulatedFaults: Sendable {
  private enum Fault: CaseIterable {
    case kill, machineLoss, leave, hang, cut, oneWayCut, split, storeCut, brokenConnection, slowness
    case leaseEnd, brokenWatches, restartedWatches, compaction, lostAnswer, storeAbsence, clockJump
  }

  private let cluster: SimulatedCluster
  private let until: MonotonicTime
  /// Which sorts of faults this seed has: some have many, some few, one none.
  private let sorts: [Fault]
  private let isOver = Atomic(false)

  private var world: SimulatedWorld { cluster.world }

  init(_ cluster: SimulatedCluster, until: MonotonicTime) {
    self.cluster = cluster
    self.until = until
    sorts = cluster.world.roll { dice in
      let count = Int.random(in: 0...Fault.allCases.count, using: &dice)
      return Array(Fault.allCases.shuffled(using: &dice).prefix(count))
    }
    let store: StoreFaults = cluster.world.roll { dice in
      switch Int.random(in: 0..<3, using: &dice) {
      case 0: return StoreFaults()
      case 1:
        var faults = StoreFaults()
        faults.journey = .microseconds(200) ... .milliseconds(5)
        faults.lag = .zero ... .milliseconds(20)
        return faults
      default: return .badTimes
      }
    }
    cluster.server.setFaults(store)
    // A store that forgets leases, or ends them, says that somebody has what another one still has.
    let mayForget = sorts.contains(.storeAbsence) && store.forgottenLeases > 0
    cluster.record.setStrict(!sorts.contains(.leaseEnd) && !mayForget)
  }

  func begin() { if !sorts.isEmpty { next() } }

  private func next() {
    world.schedule(after: world.roll { $0.duration(.milliseconds(200), .seconds(6)) }) { [self] in
      guard world.now < until, !isOver.load(ordering: .relaxed) else { return }
      if let sort = world.roll({ sorts.randomElement(using: &$0) }) { strike(sort) }
      next()
    }
  }

  /// Everything works again from now on.
  func end() {
    isOver.store(true, ordering: .relaxed)
    world.trace.note(world, "all faults end")
    cluster.network.heal()
    cluster.server.setFaults(StoreFaults())
    cluster.server.setAway(false)
    for node in cluster.nodes {
      node.resume()
      node.setCutFromStore(false)
      node.start()
    }
  }

  private func later(_ shortest: Duration, _ longest: Duration, _ action: @escaping @Sendable () -> Void) {
    world.schedule(after: world.roll { $0.duration(shortest, longest) }, action)
  }

  private func strike(_ fault: Fault) {
    let nodes = cluster.nodes
    let order = world.roll { nodes.shuffled(using: &$0) }
    let (one, other) = (order[0], order[order.count - 1])
    switch fault {
    case .kill, .machineLoss:
      one.kill(withMachine: fault == .machineLoss)
      later(.milliseconds(300), .seconds(9)) { one.start() }
    case .leave: one.stop()
    case .hang:
      one.hang()
      later(.milliseconds(200), .seconds(12)) { one.resume() }
    case .cut, .oneWayCut: cut(one, other, isOneWay: fault == .oneWayCut)
    case .split:
      let size = world.roll { Int.random(in: 1...max(1, nodes.count - 1), using: &$0) }
      for here in order.prefix(size) { for there in order.dropFirst(size) { cut(here, there, isOneWay: false) } }
    case .storeCut:
      one.setCutFromStore(true)
      later(.milliseconds(300), .seconds(12)) { one.setCutFromStore(false) }
    case .brokenConnection:
      world.trace.note(world, "the connection of \(one.name) and \(other.name) breaks")
      cluster.network.breakConnection(between: one.host, and: other.host)
    case .slowness:
      let network = cluster.network
      network.setSlowness(world.roll { $0.duration(.milliseconds(2), .milliseconds(200)) }, of: one.host)
      later(.seconds(1), .seconds(10)) { network.setSlowness(.zero, of: one.host) }
    case .clockJump:
      let hours = world.roll { $0.once(in: 2) } ? 1 : -1
      one.life?.timers.jump(by: .seconds(3600 * hours))
    default: strikeStore(fault)
    }
  }

  private func cut(_ one: SimulatedNode, _ other: SimulatedNode, isOneWay: Bool) {
    guard one !== other else { return }
    let network = cluster.network
    world.trace.note(world, "\(one.name) to \(other.name) is cut\(isOneWay ? "" : ", and back")")
    network.setCut(true, from: one.host, to: other.host)
    if !isOneWay { network.setCut(true, from: other.host, to: one.host) }
    later(.milliseconds(200), .seconds(20)) {
      network.setCut(false, from: one.host, to: other.host)
      network.setCut(false, from: other.host, to: one.host)
    }
  }

  private func strikeStore(_ fault: Fault) {
    let server = cluster.server
    world.trace.note(world, "the store: \(fault)")
    switch fault {
    case .leaseEnd:
      let leases = server.leases
      guard let lease = world.roll({ leases.randomElement(using: &$0) }) else { return }
      let isTold = world.roll { $0.once(in: 2) }
      if isTold { server.endLease(lease.identifier) } else { server.forgetLease(lease.identifier) }
    case .brokenWatches: server.breakWatches()
    case .restartedWatches: server.restartWatches()
    case .compaction: server.compact()
    case .lostAnswer: server.loseNextAnswer()
    case .storeAbsence:
      server.setAway(true)
      later(.milliseconds(200), .seconds(9)) { server.setAway(false) }
    default: break
    }
  }
}
