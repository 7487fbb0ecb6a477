internal import GridCluster
internal import GridCore

/// Notes how the singletons that this node keeps fare, and says so when they do not.
final class SingletonLedger: Sendable {
  private static let troubleFrom = 3

  let office: SingletonOffice
  private let node: NodeSelf
  private let membership: Membership
  private let health: Health
  private let events: EventLog
  private let clock: any GridClock

  init(
    _ names: some Sequence<String>, node: NodeSelf, membership: Membership, health: Health, events: EventLog,
    clock: any GridClock, generator: any RandomNumberGenerator & Sendable
  ) {
    office = SingletonOffice(names, generator: generator)
    self.node = node
    self.membership = membership
    self.health = health
    self.events = events
    self.clock = clock
  }

  /// It is ended on purpose: that is no failure.
  func willStop(_ name: String, epoch: Int64) { office.willStop(name, epoch: epoch) }

  func failed(_ name: String, _ error: GridError, ends: Bool) {
    office.failed(name, error, ends: ends, at: clock.now())
  }

  /// Notes the end of an actor, and slows its starts down when it is a singleton that nobody wanted to end.
  func ended(_ name: String, epoch: Int64, _ reason: TerminationReason) {
    // What ends with the node or its lease has not failed.
    if node.leave.isRequested || !membership.isValid(at: clock.now()) { office.willStop(name, epoch: epoch) }
    guard let failure = office.ended(name, epoch: epoch, reason, at: clock.now()) else { return }
    if failure.count >= Self.troubleFrom {
      health.stands(.singleton(name), failure.error, "a singleton does not stay up here")
    }
    tell(name, failure)
  }

  /// Of a start: it has failed, or succeeded when there is no error.
  func hasStarted(_ name: String, _ error: GridError?) {
    if let failure = office.hasStarted(name, error, at: clock.now()) { tell(name, failure) }
  }

  private func tell(_ name: String, _ failure: SingletonOffice.Failure) {
    let pause = Duration.milliseconds(failure.pause.wholeNanoseconds / 1_000_000)
    events.record(.singletonFailed(failure.error, count: failure.count, startsIn: pause), name, node: node.name)
  }
}
