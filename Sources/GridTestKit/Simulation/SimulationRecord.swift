internal import GridCore
internal import Synchronization

/// What the actors and senders of a simulated cluster have seen, and which property that breaks. Outside of all
/// processes: it sees what none of them does.
///
/// The properties have the numbers of reliability.md.
package final class SimulationRecord: Sendable {
  /// One that is broken.
  package struct Violation: Sendable, Equatable {
    package var property: String
    package var text: String
    package var at: Double
  }

  /// An activation of an actor.
  struct Activation: Sendable {
    var name: String
    var epoch: Int64
    var node: String
    var process: String
    var hasStopped = false
  }

  /// A message that somebody sent.
  struct Sent: Sendable {
    var target: String
    var isAsk: Bool
    var sentAt: MonotonicTime
    var deadline: MonotonicTime
    var handled = 0
    var isDeadLetter = false
    var outcomes = 0
    var wasAccepted = false
    var senderProcess: String
    /// Whether it must have an outcome.
    var isAwaited: Bool
  }

  private struct State {
    var violations: [Violation] = []
    var messages: [Int: Sent] = [:]
    var nextMessage = 0
    /// By name: the activation that has last acted.
    var acting: [String: Activation] = [:]
    /// By name: each epoch, and the process that was given it.
    var epochs: [String: [Int64: String]] = [:]
    /// The fenced resource of each name.
    var ledger: [String: Int64] = [:]
    /// By sender, target and epoch: the last number handled.
    var sequences: [String: Int] = [:]
    var incarnations: [String: Int64] = [:]
    var leaders: [String: (epoch: Int64, process: String)] = [:]
    var deadProcesses: Set<String> = []
    var counts: [String: Int] = [:]
  }

  package let world: SimulatedWorld
  private let state = Mutex(State())

  package init(world: SimulatedWorld) { self.world = world }

  private let broken = Atomic(false)
  private let strict = Atomic(true)

  /// Whether leases mean what they say: only then do two holders never act at the same time.
  func setStrict(_ isStrict: Bool) { strict.store(isStrict, ordering: .relaxed) }

  private var isStrict: Bool { strict.load(ordering: .relaxed) }

  /// Whether there is any.
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

  package func count(_ what: String) { state.withLock { $0.counts[what, default: 0] += 1 } }

  func died(process: String) { state.withLock { _ = $0.deadProcesses.insert(process) } }

  // MARK: Membership

  /// S4: each time a node joins, its incarnation is larger.
  func joined(_ node: String, incarnation: Int64) {
    let former = state.withLock { $0.incarnations.updateValue(incarnation, forKey: node) ?? 0 }
    if incarnation <= former { breaks("S4", "\(node) joined as incarnation \(incarnation) after \(former)") }
  }

  // MARK: Actors

  /// S7: no epoch is given twice; later ones are larger.
  func activated(_ name: String, epoch: Int64, node: String, process: String) {
    world.trace.note(world, "actor \(name) epoch \(epoch) starts on \(process)")
    count("activations")
    let (owner, largest) = state.withLock { state in
      let largest = state.epochs[name]?.keys.max() ?? 0
      let owner = state.epochs[name]?[epoch] ?? process
      state.epochs[name, default: [:]][epoch] = owner
      return (owner, largest)
    }
    if owner != process { breaks("S7", "epoch \(epoch) of \(name) was given to \(owner) and \(process)") }
    if epoch < largest { breaks("S7", "epoch \(epoch) of \(name) was given after \(largest)") }
  }

  func stopped(_ name: String, epoch: Int64) { world.trace.note(world, "actor \(name) epoch \(epoch) stops") }

  /// S6: once an activation has acted, none of an older epoch does. S7: the resource takes no older epoch.
  func acts(_ name: String, epoch: Int64, node: String, process: String) {
    let plantsOld = world.plant == .acceptsOldEpoch
    let former = state.withLock { state -> Activation? in
      let former = state.acting[name]
      if (former?.epoch ?? 0) <= epoch {
        state.acting[name] = Activation(name: name, epoch: epoch, node: node, process: process)
      }
      return former
    }
    if let former, former.epoch > epoch, isStrict {
      breaks("S6", "\(name) epoch \(epoch) on \(process) acts after epoch \(former.epoch) on \(former.process)")
    }
    writes(name, epoch: epoch, acceptsAll: plantsOld)
  }

  private func writes(_ name: String, epoch: Int64, acceptsAll: Bool) {
    let isStale = state.withLock { state in
      let known = state.ledger[name] ?? 0
      if epoch >= known || acceptsAll { state.ledger[name] = epoch }
      return epoch < known && acceptsAll
    }
    if isStale { breaks("S7", "the resource of \(name) took a write with an old epoch \(epoch)") }
  }

  // MARK: Messages

  func sends(
    _ target: String, isAsk: Bool, within limit: Duration, from process: String, isAwaited: Bool = true
  ) -> Int {
    let now = world.now
    return state.withLock { state in
      state.nextMessage += 1
      state.messages[state.nextMessage] = Sent(
        target: target, isAsk: isAsk, sentAt: now, deadline: now + limit, senderProcess: process,
        isAwaited: isAwaited)
      return state.nextMessage
    }
  }

  /// S9: a handler has a message once.
  func handled(_ number: Int, by name: String, epoch: Int64, process: String) {
    let times = state.withLock { state -> Int in
      state.messages[number]?.handled += 1
      return state.messages[number]?.handled ?? 1
    }
    count("handled")
    if times > 1 { breaks("S9", "message \(number) was handled \(times) times, now by \(name) on \(process)") }
  }

  /// S10: those of one sender come in the order in which they were sent.
  func received(_ sequence: Int, from sender: String, by name: String, epoch: Int64) {
    let key = "\(sender) \(name) \(epoch)"
    let former = state.withLock { $0.sequences.updateValue(sequence, forKey: key) ?? 0 }
    if sequence <= former { breaks("S10", "\(name) had number \(sequence) of \(sender) after \(former)") }
  }

  /// S9: who asks has one outcome, by the deadline.
  func ended(_ number: Int, _ outcome: String, isHealthy: Bool) {
    let now = world.now
    let sent = state.withLock { state -> Sent? in
      state.messages[number]?.outcomes += 1
      if outcome == "accepted" { state.messages[number]?.wasAccepted = true }
      return state.messages[number]
    }
    count(outcome)
    guard let sent else { return }
    world.trace.note(world, "message \(number) to \(sent.target): \(outcome)")
    if sent.outcomes > 1 { breaks("S9", "message \(number) has \(sent.outcomes) outcomes") }
    if isHealthy, now - sent.deadline > .milliseconds(500) {
      breaks("S9", "message \(number) to \(sent.target) had its outcome \(now - sent.deadline) after its deadline")
    }
  }

  func deadLetter(_ number: Int) { state.withLock { $0.messages[number]?.isDeadLetter = true } }

  /// S9 and S11 at the end: everybody who still lives has heard, and what was accepted was handled, is a dead letter,
  /// or
  /// was with a process that died.
  func conclude(hadDeaths: Bool) {
    let (messages, dead) = state.withLock { ($0.messages, $0.deadProcesses) }
    for (number, sent) in messages.sorted(by: { $0.key < $1.key }) {
      if sent.isAwaited, sent.outcomes == 0, !dead.contains(sent.senderProcess) {
        breaks("S9", "message \(number) to \(sent.target) never had an outcome")
      }
      if sent.wasAccepted, sent.handled == 0, !sent.isDeadLetter, !hadDeaths {
        breaks("S11", "message \(number) to \(sent.target) was accepted, and neither handled nor a dead letter")
      }
    }
  }

  // MARK: Leaders

  /// S8: nobody leads in an epoch of another, nor while a later one leads.
  func leads(_ name: String, token: Int64, process: String) {
    let former = state.withLock { state -> (epoch: Int64, process: String)? in
      let former = state.leaders[name]
      if (former?.epoch ?? 0) <= token { state.leaders[name] = (token, process) }
      return former
    }
    guard let former else { return }
    if former.epoch > token, isStrict {
      breaks("S8", "\(process) leads \(name) with token \(token) after \(former.process) with \(former.epoch)")
    } else if former.epoch == token, former.process != process {
      breaks("S8", "\(process) and \(former.process) lead \(name) with token \(token)")
    }
  }
}
