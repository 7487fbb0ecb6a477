internal import GridActors
internal import GridCluster
internal import GridCore
internal import Logging

/// What the actors of a node see of it.
final class NodeHost: ActorHost {
  let timers: any Timers
  let executor: (any TaskExecutor)?
  let deadlines: DeadlineList
  let taps: TraceTaps
  private let node: NodeSelf
  private let cells: CellTable
  private let router: Router
  private let letters: DeadLetterOffice
  private let events: EventLog
  private let health: Health
  private let membership: Membership
  private let singletons: SingletonLedger
  private let releases: ClaimReleases
  private let logger: Logger

  init(
    timers: any Timers, executor: (any TaskExecutor)?, deadlines: DeadlineList, taps: TraceTaps, node: NodeSelf,
    cells: CellTable, router: Router,
    letters: DeadLetterOffice, events: EventLog, health: Health, membership: Membership, singletons: SingletonLedger,
    releases: ClaimReleases, logger: Logger
  ) {
    self.timers = timers
    self.executor = executor
    self.deadlines = deadlines
    self.taps = taps
    self.node = node
    self.cells = cells
    self.router = router
    self.letters = letters
    self.events = events
    self.health = health
    self.membership = membership
    self.singletons = singletons
    self.releases = releases
    self.logger = logger
  }

  var nodeName: String { node.name }
  var namespace: String { node.namespace }

  func now() -> MonotonicTime { timers.now() }

  func ownsNames(at now: MonotonicTime) -> Bool { membership.isValid(at: now) }

  func route(_ envelope: Envelope, _ place: ActorCell.Place) { router.route(envelope, place) }

  func deadLetter(_ envelope: Envelope, _ reason: DeadLetter.Reason, _ detail: String) {
    letters.take(envelope, reason, detail)
  }

  func ended(_ cell: ActorCell, _ reason: TerminationReason) {
    cells.remove(cell)
    guard cell.hasName else { return }
    cell.happened(.actorEnded(reason, epoch: cell.epoch))
    singletons.ended(cell.name, epoch: cell.epoch, reason)
    releases.add(.actor(cell.name, epoch: cell.epoch))
  }

  func failed(_ name: String, _ error: GridError, ends: Bool) {
    health.failed(name, error, ends: ends)
    singletons.failed(name, error, ends: ends)
  }

  func happened(_ fact: GridEvent.Fact, _ name: String) { events.record(fact, name, node: node.name) }

  func log(actor: String, _ text: String, isError: Bool) {
    logger.log(level: isError ? .warning : .notice, "\(text)", metadata: ["actor": "\(actor)"])
  }
}
