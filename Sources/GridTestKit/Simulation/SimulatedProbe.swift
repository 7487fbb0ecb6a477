internal import Grid
internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// Asks, when everything works again, whether everything works again (S1, S14): whether each node sees all others, new
/// actors are made and reached from everywhere, names that were used can be used anew, the singleton answers, and who
/// stands for a leadership is elected in turn (S13).
final class SimulatedProbe: Sendable {
  private struct State {
    /// What is not shown yet, and the last answer of each.
    var missing: [String: String] = [:]
  }

  private static let patience = Duration.seconds(8)

  private let cluster: SimulatedCluster
  private let state = Mutex(State())

  init(_ cluster: SimulatedCluster) { self.cluster = cluster }

  func begin() {
    let nodes = cluster.nodes
    for (place, node) in nodes.enumerated() {
      let neighbour = nodes[(place + 1) % nodes.count]
      state.withLock { $0.missing[node.name] = "it is down" }
      guard let life = node.life, node.isUp else { continue }
      start(life) { [self] in await look(node, life, neighbour) }
      state.withLock { $0.missing["\(node.name) as a leader"] = "never elected" }
      start(life) { [self] in await lead(node, life) }
    }
    for (place, name) in SimulatedWorkload.names.enumerated() {
      let node = nodes[place % nodes.count]
      state.withLock { $0.missing[name] = "nobody looks" }
      guard let life = node.life, node.isUp else { continue }
      start(life) { [self] in await use(name, life, by: nodes[(place + 1) % nodes.count]) }
    }
  }

  private func start(_ life: SimulatedNode.Life, _ body: @escaping @Sendable () async -> Void) {
    life.process.perform(.action { UnstructuredTask.start(on: SimulatedExecutor(life.process)) { await body() } })
  }

  /// Tries until it succeeds or the time is up.
  private func repeatedly(
    _ what: String, _ life: SimulatedNode.Life, _ body: () async throws -> String?
  ) async {
    let limit = life.timers.now() + Self.patience
    while life.timers.now() < limit {
      var trouble: String?
      do { trouble = try await body() } catch { trouble = "\(error)" }
      let last = trouble
      state.withLock { $0.missing[what] = last }
      if last == nil { return }
      await life.timers.sleep(for: .milliseconds(200))
    }
  }

  /// Whether a node sees all, makes an actor, and reaches that of the next.
  private func look(_ node: SimulatedNode, _ life: SimulatedNode.Life, _ neighbour: SimulatedNode) async {
    let expected = cluster.nodes.map(\.name).sorted()
    var isMade = false
    await repeatedly(node.name, life) {
      if !isMade { try await life.node.spawn("recorder", "probe-\(node.name)") }
      isMade = true
      _ = try await life.node.ask("probe-\(node.name)", Message("probe"), timeout: .seconds(2))
      _ = try await life.node.ask("probe-\(neighbour.name)", Message("probe"), timeout: .seconds(2))
      _ = try await life.node.ask("single", Message("probe"), timeout: .seconds(2))
      let peers = try await life.node.peers().filter { $0.status == .alive }.map(\.name).sorted()
      return peers == expected ? nil : "sees \(peers)"
    }
  }

  /// Whether it is elected when its turn comes: all nodes stand for the same at once.
  private func lead(_ node: SimulatedNode, _ life: SimulatedNode.Life) async {
    let record = cluster.record
    await repeatedly("\(node.name) as a leader", life) {
      try await life.node.lead("turns") { leadership in
        record.leads("turns", token: leadership.token, process: life.process.name)
        await life.timers.sleep(for: .milliseconds(300))
      }
      return nil
    }
  }

  /// Whether a name that was used before can be used anew, and is reached from another node.
  private func use(_ name: String, _ life: SimulatedNode.Life, by other: SimulatedNode) async {
    var isMade = false
    await repeatedly(name, life) {
      if !isMade {
        do { try await life.node.stop(name) } catch let error as GridError where error.code == .noSuchActor {}
        try await life.node.spawn("recorder", name)
      }
      isMade = true
      guard let there = other.life else { return "\(other.name) is down" }
      _ = try await there.node.ask(name, Message("probe"), timeout: .seconds(2))
      return nil
    }
  }

  /// Also, that nobody waits for an answer any more (S9): all that was asked had its time.
  func conclude() {
    for node in cluster.nodes {
      guard let waiting = node.life?.inspection?.waitingAsks, waiting > 0 else { continue }
      cluster.record.breaks("S9", "\(waiting) asks of \(node.name) wait long after the last was made")
    }
    for (name, answer) in state.withLock({ $0.missing }).sorted(by: { $0.key < $1.key }) {
      cluster.record.breaks("S14", "\(name) does not work long after the last fault: \(answer)")
    }
  }
}
