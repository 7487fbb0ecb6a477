internal import GridActors
internal import GridCore
internal import Synchronization

/// What has happened in a simulated cluster, and which property that breaks. Outside of all processes: it sees what
/// none of them does.
///
/// The properties have the numbers of the list that the simulation was planned with. Each is looked at whenever
/// something happens that may break it, but those that say what holds at the end.
///
/// - S1, convergence: at the end every node sees every other one (``SimulatedProbe``).
/// - S4, incarnations: each time a node joins it is as a larger one; after no job of any process its view goes back to
///   an older one, or to one that was gone (`MemberLedger`).
/// - S5, replays: the store tells changes again; nobody hears of more arrivals than there were (`MemberLedger`).
/// - S6, single activation: none starts while another one runs under a valid lease, none acts without a lease, counted
///   from when its renewals were *sent*, and none after a later one (`ActivationLedger`).
/// - S7, fencing: no epoch is given twice, or after a larger one; the resource takes no older one (`ActivationLedger`).
/// - S8, leaders: who believes to lead has a lease, as above, and no later one leads or led (`LeaderLedger`).
/// - S9, asks: one outcome, by the deadline; a handler has a message once (`MessageLedger`); at the end nothing waits
///   (``SimulatedProbe``).
/// - S10, order: of one sender to one activation, also across connections (`MessageLedger`).
/// - S11, dead letters: those that were acknowledged are on the disk at the end, each once; what was accepted was
///   handled, is one of them, or was with a process that was killed; what has left, or with a connection that is gone
///   (`MessageLedger`).
/// - S12, supervision: restarts stay within the budget; one message at a time; none to who has ended or was replaced
///   (`ActivationLedger`).
/// - S13, locks: leaderships are the only ones there are: S8, and at the end all who stand are elected in turn
///   (``SimulatedProbe``).
/// - S14, liveness: fifteen seconds after the last fault everything works again (``SimulatedProbe``).
///
/// S2 and S3 are about a failure detector: members are leases here, and S1 and S4 say what there is to say. S15 is of
/// two versions of the protocol: there is one.
package final class SimulationRecord: Sendable {
  /// One that is broken.
  package struct Violation: Sendable, Equatable {
    package var property: String
    package var text: String
    package var at: Double
  }

  private struct State {
    var violations: [Violation] = []
    var counts: [String: Int] = [:]
    var lastNumber = 0
    var processes = ProcessLedger()
    var leases = LeaseLedger()
    var members = MemberLedger()
    var activations = ActivationLedger()
    var messages = MessageLedger()
    var leaders = LeaderLedger()
  }

  package let world: SimulatedWorld
  private let state = Mutex(State())
  private let broken = Atomic(false)
  private let strict = Atomic(true)

  package init(world: SimulatedWorld) { self.world = world }

  /// Whether leases mean what they say: only then do two holders never act at the same time.
  func setStrict(_ isStrict: Bool) { strict.store(isStrict, ordering: .relaxed) }

  private var isStrict: Bool { strict.load(ordering: .relaxed) }

  /// Whether there is any violation.
  var isBroken: Bool { broken.load(ordering: .relaxed) }

  package var violations: [Violation] { state.withLock { $0.violations } }

  /// How often what has happened.
  package var counts: [String: Int] { state.withLock { $0.counts } }

  package func breaks(_ property: String, _ text: String) {
    world.trace.note(world, "BROKEN \(property): \(text)")
    let violation = Violation(property: property, text: text, at: world.age)
    state.withLock { if $0.violations.count < 20 { $0.violations.append(violation) } }
    broken.store(true, ordering: .relaxed)
  }

  private func report(_ breaches: [Breach]) { for breach in breaches { breaks(breach.property, breach.text) } }

  package func count(_ what: String) { state.withLock { $0.counts[what, default: 0] += 1 } }

  /// A number that nothing else has.
  func number() -> Int {
    state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
  }

  // MARK: Processes and leases

  /// - Parameter wasKilled: whether nobody asked it, so that what it had in memory is gone.
  func died(_ process: String, wasKilled: Bool) {
    state.withLock { $0.processes.died(process, wasKilled: wasKilled) }
  }

  func disconnected(_ process: String) {
    let now = world.now
    state.withLock { $0.processes.disconnected(process, at: now) }
  }

  /// The store has acknowledged a renewal.
  func renewed(_ lease: Int, of process: String, until end: MonotonicTime) {
    state.withLock { $0.leases.renewed(lease, of: process, until: end) }
  }

  func returned(_ lease: Int, of process: String) { state.withLock { $0.leases.returned(lease, of: process) } }

  // MARK: Members

  /// Something changes in the store.
  func changes(_ change: StoreChange, _ keys: StoreKeys) {
    switch change {
    case .put(let entry):
      world.trace.note(world, "store: \(entry.key) at \(entry.modifyRevision)")
      guard entry.key.hasPrefix(keys.nodes) else { return }
      let node = StoreKeys.name(entry.key, under: keys.nodes)
      state.withLock { $0.members.registers(node, incarnation: entry.createRevision) }
    case .delete(let key, let revision): world.trace.note(world, "store: \(key) is gone at \(revision)")
    }
  }

  func joins(_ node: String, incarnation: Int64) {
    report(state.withLock { $0.members.joins(node, incarnation: incarnation) })
  }

  func sees(_ process: String, _ peers: [NodeRecord]) {
    report(state.withLock { $0.members.sees(process, peers) })
  }

  func isTold(_ process: String, ofArrival node: String) {
    report(state.withLock { $0.members.isTold(process, ofArrival: node) })
  }

  // MARK: Actors

  func starts(_ one: ActivationLedger.Activation) {
    world.trace.note(world, "actor \(one.name) epoch \(one.epoch) starts on \(one.process)")
    count("activations")
    let (now, isStrict) = (world.now, isStrict)
    report(
      state.withLock { state in
        state.activations.starts(one, at: now, state.leases, state.processes, isStrict: isStrict)
      })
  }

  func stops(_ one: ActivationLedger.Activation) {
    world.trace.note(world, "actor \(one.name) epoch \(one.epoch) stops")
    let now = world.now
    state.withLock { $0.activations.stops(one, at: now) }
  }

  func restartIsAsked(_ name: String) { state.withLock { $0.activations.restartIsAsked(name) } }

  /// A message comes to an actor.
  func acts(_ one: ActivationLedger.Activation, _ sent: SimulatedMessage?) {
    let (now, isStrict, takesAll) = (world.now, isStrict, world.plant == .acceptsOldEpoch)
    count("handled")
    if let sent { world.trace.note(world, "message \(sent.number) comes to \(one.name) on \(one.process)") }
    report(
      state.withLock { state in
        var breaches = state.activations.acts(one, at: now, state.leases, isStrict: isStrict)
        breaches += state.activations.writes(one, takesAll: takesAll)
        guard let sent else { return breaches }
        breaches += state.messages.handled(sent.number, by: one)
        return breaches + state.messages.received(sent.sequence, from: sent.sender, by: one)
      })
  }

  /// It writes to the resource of its name, with its epoch.
  func writes(_ one: ActivationLedger.Activation) {
    let takesAll = world.plant == .acceptsOldEpoch
    report(state.withLock { $0.activations.writes(one, takesAll: takesAll) })
  }

  /// It has done with it.
  func rests(_ one: ActivationLedger.Activation) { state.withLock { $0.activations.rests(one) } }

  // MARK: Messages

  /// - Returns: the number of the message.
  func sends(_ target: String, from process: String, within limit: Duration, isAwaited: Bool) -> Int {
    let now = world.now
    return state.withLock {
      $0.messages.sends(target, from: process, at: now, within: limit, isAwaited: isAwaited)
    }
  }

  /// What is sent, for whoever reads what has happened.
  func leaves(_ sent: SimulatedMessage, to target: String) {
    world.trace.note(world, "message \(sent.number) to \(target), number \(sent.sequence) of \(sent.sender)")
  }

  /// - Parameter isHealthy: whether the sender's process ran all the time.
  func ended(_ number: Int, _ outcome: String, _ promise: MessageLedger.Promise = .none, isHealthy: Bool) {
    count(outcome)
    world.trace.note(world, "message \(number): \(outcome)")
    let now = world.now
    report(state.withLock { $0.messages.ended(number, promise, at: now, isHealthy: isHealthy) })
  }

  /// A dead letter is on a disk.
  func kept(_ letter: DeadLetter, on disk: String) {
    count("dead letters")
    let number = SimulatedMessage(letter.message)?.number
    report(state.withLock { $0.messages.kept(letter.identifier, number: number, on: disk) })
  }

  // MARK: Leaders

  func leads(_ name: String, token: Int64, process: String) {
    let (now, isStrict) = (world.now, isStrict)
    report(
      state.withLock { state in
        state.leaders.leads(name, token: token, process: process, at: now, state.leases, isStrict: isStrict)
      })
  }

  // MARK: The end

  /// - Parameter disks: the dead letters on each.
  func conclude(disks: [String: Set<String>]) {
    report(
      state.withLock { state in
        state.messages.conclude(state.activations, state.processes)
          + disks.sorted { $0.key < $1.key }.flatMap { state.messages.found($0.value, on: $0.key) }
      })
  }
}
