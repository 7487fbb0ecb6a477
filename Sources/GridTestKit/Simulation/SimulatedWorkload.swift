internal import Grid
internal import GridConcurrency
internal import GridCore

/// What users of the library do on one node, one thing after the other: they make actors, send, ask, stop and lead.
struct SimulatedWorkload {
  /// Senders on each node.
  static let lanes = 2
  /// Actors that all nodes share.
  static let names = (1...8).map { "actor\($0)" }
  /// Where messages go: the last is an actor that the cluster itself keeps running.
  private static let targets = names + ["single"]
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
    let target = world.roll { Self.targets.randomElement(using: &$0) ?? "actor1" }
    switch world.roll({ Int.random(in: 0..<100, using: &$0) }) {
    case 0..<25: await spawn(name)
    case 25..<55: await send(target, isAsk: true)
    case 55..<72: await send(target, isAsk: false)
    case 72..<86: await stream(target)
    case 86..<89: await wear(name)
    case 89..<91: await restart(name)
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

  private func restart(_ name: String) async {
    record.restartIsAsked(name)
    do {
      try await node.restart(name)
      record.restartIsAsked(name)
      record.count("restarted")
      world.trace.note(world, "\(sender) restarted \(name)")
    } catch { note("restart", name, error) }
  }

  /// One failure after the other, until its supervision gives up.
  private mutating func wear(_ name: String) async {
    for _ in 0...RestartPolicy.standard.maximumRestarts { await send(name, isAsk: true, wish: .fail) }
  }

  private func note(_ what: String, _ name: String, _ error: any Error) {
    let code = (error as? GridError)?.code.label ?? "error"
    record.count("\(what) \(code)")
    world.trace.note(world, "\(sender) \(what) \(name): \(code)")
  }

  private mutating func next(
    _ name: String, wish: SimulatedMessage.Wish?, isAwaited: Bool = true
  ) -> SimulatedMessage {
    sequence += 1
    let wish = wish ?? world.roll { $0.once(in: 6) ? .slowly : .answer }
    let sent = SimulatedMessage(
      number: record.sends(name, from: life.process.name, within: Self.patience, isAwaited: isAwaited),
      sequence: sequence, sender: sender, wish: wish)
    record.leaves(sent, to: name)
    return sent
  }

  private mutating func send(_ name: String, isAsk: Bool, wish: SimulatedMessage.Wish? = nil) async {
    let sent = next(name, wish: wish)
    let hangs = life.process.hangs
    var outcome: String
    var promise = MessageLedger.Promise.none
    do {
      if isAsk {
        _ = try await node.ask(name, sent.message, timeout: Self.patience)
        outcome = "answered"
      } else {
        try await node.tell(name, sent.message, timeout: Self.patience)
        outcome = "accepted"
        promise = .accepted
      }
    } catch {
      outcome = (error as? GridError)?.code.label ?? "error"
    }
    record.ended(sent.number, outcome, promise, isHealthy: life.process.hangs == hangs && !node.isLeaving)
  }

  /// Several messages behind each other, without waiting for anything but now and then a moment.
  private mutating func stream(_ name: String) async {
    guard var stream = try? await node.openStream(to: name) else { return }
    for _ in 0..<world.roll({ Int.random(in: 2...8, using: &$0) }) {
      let sent = next(name, wish: world.roll { $0.once(in: 20) ? .slowly : .answer }, isAwaited: false)
      var failure: GridError?
      do { try await stream.send(sent.message) } catch { failure = error }
      record.ended(sent.number, failure?.code.label ?? "left", failure == nil ? .left : .none, isHealthy: false)
      if failure != nil { return }
      if world.roll({ $0.once(in: 2) }) {
        await life.timers.sleep(for: world.roll { $0.duration(.microseconds(100), .milliseconds(5)) })
      }
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
