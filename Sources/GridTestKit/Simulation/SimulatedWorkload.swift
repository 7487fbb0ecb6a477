internal import Grid
internal import GridConcurrency
internal import GridCore

/// What users of the library do on one node, one thing after the other: they make actors, send, ask, stop and lead.
struct SimulatedWorkload {
  /// Senders on each node.
  static let lanes = 2
  /// Actors that all nodes share.
  static let names = (1...8).map { "actor\($0)" }
  private static let patience = Duration.seconds(5)

  private let cluster: SimulatedCluster
  private let place: SimulatedNode
  private let life: SimulatedNode.Life
  private let sender: String
  private var sequence = 0

  private var world: SimulatedWorld { cluster.world }
  private var record: SimulationRecord { cluster.record }
  private var node: GridNode { life.node }

  init(_ cluster: SimulatedCluster, _ place: SimulatedNode, _ life: SimulatedNode.Life, lane: Int) {
    self.cluster = cluster
    self.place = place
    self.life = life
    sender = "\(life.process.name)/\(lane)"
  }

  /// Goes on until the node has ended or the cluster is to come to rest; then until the task is cancelled.
  func run() async {
    var workload = self
    try? await node.waitUntilReady()
    while !Task.isCancelled, !node.hasEnded {
      await life.timers.sleep(for: world.roll { $0.duration(.milliseconds(10), .milliseconds(600)) })
      if cluster.isAtRest { break }
      await workload.act()
    }
    await rest()
  }

  private func rest() async { await Latch().wait() }

  private mutating func act() async {
    let name = world.roll { Self.names.randomElement(using: &$0) ?? "actor1" }
    switch world.roll({ Int.random(in: 0..<100, using: &$0) }) {
    case 0..<25: await spawn(name)
    case 25..<60: await send(name, isAsk: true)
    case 60..<80: await send(name, isAsk: false)
    case 80..<90: await stream(name)
    default: await stop(name)
    }
  }

  private func spawn(_ name: String) async {
    do {
      try await node.spawn("recorder", name)
      record.count("spawned")
      world.trace.note(world, "\(sender) spawned \(name)")
    } catch { note("spawn", name, error) }
  }

  private func stop(_ name: String) async {
    do {
      try await node.stop(name)
      record.count("stopped")
      world.trace.note(world, "\(sender) stopped \(name)")
    } catch { note("stop", name, error) }
  }

  private func note(_ what: String, _ name: String, _ error: any Error) {
    let code = (error as? GridError)?.code.label ?? "error"
    record.count("\(what) \(code)")
    world.trace.note(world, "\(sender) \(what) \(name): \(code)")
  }

  private mutating func next(
    _ name: String, isAsk: Bool, mayFail: Bool, isAwaited: Bool = true
  ) -> SimulatedMessage {
    sequence += 1
    let wish = world.roll { dice -> SimulatedMessage.Wish in
      if mayFail, dice.once(in: 40) { return .fail }
      return dice.once(in: 6) ? .slowly : .answer
    }
    return SimulatedMessage(
      number: record.sends(name, isAsk: isAsk, within: Self.patience, from: life.process.name, isAwaited: isAwaited),
      sequence: sequence, sender: sender, wish: wish)
  }

  private mutating func send(_ name: String, isAsk: Bool) async {
    let sent = next(name, isAsk: isAsk, mayFail: isAsk)
    let hangs = life.process.hangs
    var outcome: String
    do {
      if isAsk {
        _ = try await node.ask(name, sent.message, timeout: Self.patience)
        outcome = "answered"
      } else {
        try await node.tell(name, sent.message, timeout: Self.patience)
        outcome = "accepted"
      }
    } catch {
      outcome = (error as? GridError)?.code.label ?? "error"
    }
    record.ended(sent.number, outcome, isHealthy: life.process.hangs == hangs && !node.isLeaving)
  }

  /// Several messages behind each other, without waiting for anything.
  private mutating func stream(_ name: String) async {
    guard var stream = try? await node.openStream(to: name) else { return }
    for _ in 0..<world.roll({ Int.random(in: 2...6, using: &$0) }) {
      let sent = next(name, isAsk: false, mayFail: false, isAwaited: false)
      var outcome = "left"
      do { try await stream.send(sent.message) } catch { outcome = error.code.label }
      record.ended(sent.number, outcome, isHealthy: false)
      if outcome != "left" { return }
    }
  }

  /// Stands for the leadership that all nodes want, again and again.
  func lead() async {
    try? await node.waitUntilReady()
    while !Task.isCancelled, !node.hasEnded, !cluster.isAtRest {
      await life.timers.sleep(for: world.roll { $0.duration(.milliseconds(100), .seconds(3)) })
      let (record, life, world) = (record, life, world)
      do {
        try await node.lead("chief") { leadership in
          record.count("led")
          for _ in 0..<world.roll({ Int.random(in: 1...30, using: &$0) }) {
            if leadership.isValid {
              record.leads("chief", token: leadership.token, process: life.process.name)
            }
            guard await life.timers.sleep(for: .milliseconds(100)) else { return }
          }
        }
      } catch { note("lead", "chief", error) }
    }
    await rest()
  }
}
