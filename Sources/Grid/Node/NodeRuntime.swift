internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridSystem
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The parts of a running node and how they are plugged together. ``GridNode`` is its face; the aspects are in
/// `NodeRuntime+….swift`.
final class NodeRuntime: Sendable {
  /// The version that peers and clients are told.
  static let version = GridVersion.current

  let configuration: NodeConfiguration
  let secret: NamespaceSecret
  let clock: any Timers
  let transport: any Transport
  let logger: Logger
  let kinds: [String: KindDefinition]
  let processes = ProcessGuard()
  let group: MultiThreadedEventLoopGroup
  let eventLoop: any EventLoop
  let deadlines: DeadlineList
  let taps: TraceTaps
  let cells = CellTable()
  let peerLinks: PeerLinks
  let clientLinks = ClientLinks()
  let events: EventLog
  let deadLetterOffice: DeadLetterOffice
  let membership: Membership
  let store: any CoordinationStore
  let resolver = NameResolver()
  let hints: NameHints
  let streams = ClusterStreams()
  let requests = OpenRequests()
  let leaders = LeaderOffice()
  let releases = ClaimReleases()
  let requestsUnderWay = RequestsUnderWay()
  let healthLedger = HealthLedger()
  let singletons: SingletonOffice
  let work = BoundedQueue<NodeWork>(capacity: 20_000)
  let touched = TouchedCells()
  let stopRequested: Latch
  /// Opened when the node is to end without waiting for its actors.
  let hurry = Latch()
  let startedAt: MonotonicTime
  let identity = Mutex(NodeIdentity())
  /// Set once the node's own socket is there; programs of `exec` actors are told it.
  let endpointForPrograms = SharedText()

  struct NodeIdentity {
    var name = ""
    var incarnation: Int64 = 0
    var address = ""
    var goodbyes: Set<String> = []
    /// Peers whose record is gone, of which it is not known yet whether they said goodbye.
    var leaving: [String: NodeRecord] = [:]
  }

  init(
    configuration: NodeConfiguration, secret: NamespaceSecret, kinds: KindRegistry, store: any CoordinationStore,
    stopRequested: Latch
  ) {
    self.secret = secret
    self.stopRequested = stopRequested
    self.configuration = configuration
    self.store = store
    logger = configuration.logger
    group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoopThreads)
    eventLoop = group.next()
    clock = LoopTimers(eventLoop)
    transport = NIOTransport(group)
    deadlines = DeadlineList(timers: clock)
    taps = TraceTaps(clock: clock)
    hints = NameHints(clock: clock)
    peerLinks = PeerLinks(clock: clock, logger: logger)
    events = EventLog(clock: clock, logger: logger)
    deadLetterOffice = DeadLetterOffice(
      clock: clock, logger: logger, capacity: configuration.deadLetterLimits)
    membership = Membership(
      store: store, keys: StoreKeys(namespace: configuration.namespace), timeToLive: configuration.leaseTimeToLive,
      ownershipMoved: Self.limiting(processes, timeToLive: configuration.leaseTimeToLive))
    singletons = SingletonOffice(configuration.singletons)
    startedAt = clock.now()
    var registry = kinds
    let environment = ExecEnvironment(
      processes: processes, eventLoop: eventLoop,
      variables: ProcessEnvironment.exact.filter(EnvironmentPolicy(passing: configuration.passedVariables).passes),
      endpoint: { [endpointForPrograms] in endpointForPrograms.value })
    if configuration.allowsExec { registry.registerExec(environment) }
    for (name, program) in configuration.programs { registry.registerProgram(name, program, environment) }
    self.kinds = registry.kinds
  }

  /// Programs of named actors end with the ownership of their names, whatever this process does: they are asked to a
  /// tenth of the lease before, and killed while nobody else can have the lease yet.
  private static func limiting(
    _ processes: ProcessGuard, timeToLive: Duration
  ) -> @Sendable (MonotonicTime?) -> Void {
    { until in
      if let until { processes.extendLimit(until: until, notice: timeToLive / 10) } else { processes.endLimit() }
    }
  }

  /// What the node says of itself on links.
  func greeting() -> LinkGreeting {
    identity.withLock { identity in
      LinkGreeting(
        namespace: configuration.namespace, role: .node, name: identity.name, incarnation: identity.incarnation,
        address: identity.address, version: Self.version)
    }
  }

  /// The record to register under `name`.
  func record(_ name: String) -> NodeRecord {
    NodeRecord(
      name: name, address: identity.withLock { $0.address }, incarnation: 0, version: Self.version,
      labels: configuration.labels, kinds: kinds.keys.sorted(), startedAt: clock.date())
  }

  /// Hands work that needs a task to ``runWork()``.
  func enqueue(_ item: NodeWork) {
    guard !work.push(item) else { return }
    item.refuse(GridError(.retryLater, "node \(nodeName) is overloaded", hint: "send again later"), self)
  }

  /// Runs queued work until cancelled, each piece in a task of its own.
  func runWork() async {
    await withDiscardingTaskGroup { group in
      while let item = await work.next() {
        group.addTask { await item.perform(self) }
      }
      group.cancelAll()
    }
  }
}

/// Work that arrives on an event loop and needs to suspend.
enum NodeWork: Sendable {
  /// Find out where a name lives and deliver what waits for it.
  case resolve(String)
  /// Say in the store that there are dead letters here.
  case noteLetters
  case request(RequestFrame, deadline: MonotonicTime, Link, abandoned: Latch)
  /// Stand for a leadership on behalf of a client until its stream ends.
  case campaign(String, holder: String, waiting: Bool, ClusterStream, ended: Latch)

  func perform(_ node: NodeRuntime) async {
    switch self {
    case .resolve(let name): await node.resolve(name)
    case .noteLetters: await node.noteLetters()
    case .request(let request, let deadline, let link, let abandoned):
      await node.answer(request, deadline, link, abandoned: abandoned)
    case .campaign(let name, let holder, let waiting, let stream, let ended):
      await node.runCampaign(name, holder: holder, waiting: waiting, stream, ended: ended)
    }
  }

  func refuse(_ error: GridError, _ node: NodeRuntime) {
    switch self {
    case .resolve(let name): node.failResolution(of: name, error)
    case .noteLetters: break
    case .request(let request, _, let link, _):
      node.requests.closed(request.correlation, on: link)
      link.resolve(request.correlation, .failure(error))
    case .campaign(let name, _, _, let stream, _):
      stream.send(["kind": "lost", "name": .string(name), "message": .string(error.message)])
    }
  }
}

extension NodeRuntime: ActorHost {
  var nodeName: String { identity.withLock { $0.name } }
  var namespace: String { configuration.namespace }
  var timers: any Timers { clock }
  var executor: (any TaskExecutor)? { nil }

  func now() -> MonotonicTime { clock.now() }

  func ownsNames(at now: MonotonicTime) -> Bool { membership.isValid(at: now) }

  func deadLetter(_ envelope: Envelope, _ reason: DeadLetter.Reason, _ detail: String) {
    deadLetterOffice.take(envelope, reason, detail)
  }

  func ended(_ cell: ActorCell, _ reason: TerminationReason) {
    cells.remove(cell)
    happened(.actorEnded(reason, epoch: cell.epoch), cell.name)
    guard cell.epoch != 0 else { return }
    singletonEnded(cell.name, epoch: cell.epoch, reason)
    releases.add(.actor(cell.name, epoch: cell.epoch))
  }

  func failed(_ name: String, _ error: GridError, ends: Bool) {
    healthLedger.failed(name, error, ends: ends, at: clock.date())
    singletons.failed(name, error, ends: ends, at: clock.now())
  }

  func happened(_ fact: GridEvent.Fact, _ name: String) {
    events.record(fact, name, node: nodeName)
  }

  func log(actor: String, _ text: String, isError: Bool) {
    logger.log(level: isError ? .warning : .notice, "\(text)", metadata: ["actor": "\(actor)"])
  }
}

extension NodeRuntime: Membership.Observer {
  func joined(_ record: NodeRecord) {
    identity.withLock { identity in
      identity.name = record.name
      identity.incarnation = record.incarnation
    }
    mended(.membership, "is a member again")
    happened(.nodeJoined(namespace: namespace, incarnation: record.incarnation), record.name)
  }

  func lostMembership(_ reason: GridError) async {
    healthLedger.lostMembership(at: clock.date())
    stands(.membership, reason, "lost its membership: stops its actors, and joins again")
    happened(.nodeLostMembership(reason), nodeName)
    leaders.endAll(GridError(.leaseLost, "node \(nodeName) lost its lease", cause: reason))
    await stopAllCells(.leaseLost, grace: .seconds(2))
  }

  func rejoinFailed(_ error: GridError) { stands(.membership, error, "cannot join again yet: hosts no actors") }

  func watchFailed(_ what: String, _ error: GridError) {
    stands(.watch(what), error, "hears no news from the coordination store")
  }

  func watchWorks(_ what: String) { mended(.watch(what), "hears news from the coordination store again") }

  func peerJoined(_ peer: NodeRecord) {
    // One that went and is here again has gone first.
    if let former = identity.withLock({ $0.leaving[peer.name] }) { concludeLeaving(former) }
    _ = identity.withLock { $0.goodbyes.remove(peer.name) }
    peerLinks.appeared(peer, ownName: nodeName)
    happened(.peerJoined(address: peer.address), peer.name)
  }

  func peerLeft(_ peer: NodeRecord) {
    identity.withLock { $0.leaving[peer.name] = peer }
    guard let link = peerLinks.link(to: peer.name), !link.saidGoodbye else { return concludeLeaving(peer) }
    // Its goodbye may be on the way still.
    clock.schedule(after: Self.goodbyePatience) { self.concludeLeaving(peer) }
  }

  private static let goodbyePatience = Duration.milliseconds(100)

  private func concludeLeaving(_ peer: NodeRecord) {
    let (isDue, isSaid) = identity.withLock { identity in
      guard identity.leaving[peer.name]?.incarnation == peer.incarnation else { return (false, false) }
      identity.leaving[peer.name] = nil
      return (true, identity.goodbyes.contains(peer.name))
    }
    guard isDue else { return }
    let saidGoodbye = isSaid || peerLinks.link(to: peer.name)?.saidGoodbye ?? false
    peerLinks.disappeared(peer, saidGoodbye: saidGoodbye)
    happened(saidGoodbye ? .peerLeft : .peerDied, peer.name)
  }

  /// Stops every actor; those whose handler does not return within `grace`, or before the node is hurried or its task
  /// cancelled, are given up.
  func stopAllCells(_ reason: TerminationReason, grace: Duration) async {
    for cell in cells.all {
      singletons.willStop(cell.name, epoch: cell.epoch)
      cell.stop(reason)
    }
    let limit = clock.now() + grace
    while cells.count > 0, clock.now() < limit, !hurry.isOpen, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(5))
    }
    if hurry.isOpen { await endPrograms() }
    for cell in cells.all { cell.abandon(reason) }
    // Their names are theirs until their programs, which were killed, are gone.
    let end = clock.now() + Self.patienceWithKilledPrograms
    while cells.count > 0, clock.now() < end { await pause() }
  }

  private static let patienceWithKilledPrograms = Duration.seconds(5)

  private func pause() async { try? await Task.sleep(for: .milliseconds(5)) }

  /// Kills the programs of `exec` actors, and gives their handlers the moment they need to say what they were doing.
  private func endPrograms() async {
    await processes.shutdown()
    let limit = clock.now() + .milliseconds(200)
    while cells.count > 0, clock.now() < limit, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
  }
}
