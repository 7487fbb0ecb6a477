internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridRequests
internal import GridSystem
internal import Logging
internal import NIOCore

/// What every part of a node stands on.
struct NodeGround: Sendable {
  let configuration: NodeConfiguration
  let secret: NamespaceSecret
  /// Nil without TLS.
  let certificate: NodeCertificate?
  let node: NodeSelf
  let surroundings: NodeSurroundings
  let logger: Logger
  let processes = ProcessGuard()
  let store: any CoordinationStore
  let kinds: [String: KindDefinition]
  /// Set once the node's own socket is there; programs of `exec` actors are told it.
  let endpointForPrograms = SharedText()

  init(
    _ configuration: NodeConfiguration, _ surroundings: NodeSurroundings, secret: NamespaceSecret,
    certificate: NodeCertificate? = nil, kinds registry: KindRegistry, store: any CoordinationStore, leave: LeaveRequest
  ) {
    self.configuration = configuration
    self.surroundings = surroundings
    self.secret = secret
    self.certificate = certificate
    self.store = store
    logger = configuration.logger
    kinds = Self.kinds(registry, configuration, processes, surroundings.loop, endpointForPrograms)
    node = NodeSelf(
      namespace: configuration.namespace, labels: configuration.labels, kinds: kinds.keys.sorted(), leave: leave,
      clock: surroundings.timers)
  }

  var timers: any Timers { surroundings.timers }
  var transport: any Transport { surroundings.transport }
  var loop: any EventLoop { surroundings.loop }

  private static func kinds(
    _ registry: KindRegistry, _ configuration: NodeConfiguration, _ processes: ProcessGuard, _ loop: any EventLoop,
    _ endpointForPrograms: SharedText
  ) -> [String: KindDefinition] {
    var registry = registry
    let environment = ExecEnvironment(
      processes: processes, eventLoop: loop,
      variables: configuration.programEnvironment.filter(
        EnvironmentPolicy(passing: configuration.passedVariables).passes),
      endpoint: { endpointForPrograms.value })
    if configuration.allowsExec { registry.registerExec(environment) }
    for (name, program) in configuration.programs { registry.registerProgram(name, program, environment) }
    return registry.kinds
  }
}

/// Who is there, and how messages travel.
struct NodeTraffic: Sendable {
  let membership: Membership
  let events: EventLog
  let health: Health
  let peers: PeerTable
  let probe: PeerProbe
  let work = BackgroundWork()
  let deadlines: DeadlineList
  let letters: DeadLetterOffice
  let cells = CellTable()
  let router: Router
  let calls: ClusterCalls
  let audit: AuditTrail
  let refused: RefusedLogIns

  init(_ ground: NodeGround) {
    let (node, timers, logger) = (ground.node, ground.timers, ground.logger)
    let configuration = ground.configuration
    membership = Membership(
      store: ground.store, namespace: node.namespace, timers: timers, timeToLive: configuration.leaseTimeToLive,
      ownershipMoved: Self.limiting(ground.processes, timeToLive: configuration.leaseTimeToLive))
    events = EventLog(clock: timers, logger: logger)
    health = Health(membership: membership, leave: node.leave, clock: timers, logger: logger)
    let makeGenerator = ground.surroundings.makeGenerator
    peers = PeerTable(node: node, events: events, timers: timers, logger: logger, generator: makeGenerator)
    probe = PeerProbe(node: node, membership: membership, transport: ground.transport)
    deadlines = DeadlineList(timers: timers)
    letters = DeadLetterOffice(
      timers: timers, logger: logger, capacity: configuration.deadLetterLimits, generator: makeGenerator())
    router = Router(
      node: node, cells: cells, locator: membership.locator, peers: peers, probe: probe, letters: letters, work: work,
      timers: timers, deadlines: deadlines)
    calls = ClusterCalls(
      node: node, membership: membership, peers: peers, health: health, timers: timers, deadlines: deadlines)
    audit = AuditTrail(isKept: ground.surroundings.memory == nil, clock: timers, logger: logger)
    refused = RefusedLogIns(audit: audit, events: events, node: node, work: work, timers: timers)
  }

  /// Programs end with the lease under which they act, also when the node is held up.
  private static func limiting(
    _ processes: ProcessGuard, timeToLive: Duration
  ) -> @Sendable (MonotonicTime?) -> Void {
    { until in
      if let until { processes.extendLimit(until: until, notice: timeToLive / 10) } else { processes.endLimit() }
    }
  }
}

/// What runs here, and what this node leads.
struct NodeActors: Sendable {
  let leaders = LeaderOffice()
  let taps: TraceTaps
  let releases: ClaimReleases
  let leaderships: Leaderships
  let ledger: SingletonLedger
  let host: NodeHost
  let spawner: Spawner
  let stopper: Stopper
  let singletons: SingletonKeeper
  let follower: MembershipFollower

  init(_ ground: NodeGround, _ traffic: NodeTraffic) {
    let (node, timers, logger) = (ground.node, ground.timers, ground.logger)
    let (membership, cells, events, health) = (traffic.membership, traffic.cells, traffic.events, traffic.health)
    taps = TraceTaps(clock: timers)
    releases = ClaimReleases(
      node: node, membership: membership, cells: cells, leaders: leaders, timers: timers, logger: logger)
    leaderships = Leaderships(
      office: leaders, node: node, membership: membership, releases: releases, timers: timers, logger: logger)
    ledger = SingletonLedger(
      ground.configuration.singletons, node: node, membership: membership, health: health, events: events,
      clock: timers, generator: ground.surroundings.makeGenerator())
    host = NodeHost(
      timers: timers, executor: ground.surroundings.executor, deadlines: traffic.deadlines, taps: taps, node: node,
      cells: cells, router: traffic.router, letters: traffic.letters, events: events, health: health,
      membership: membership,
      singletons: ledger, releases: releases, logger: logger)
    spawner = Spawner(
      node: node, kinds: ground.kinds, cells: cells, host: host, membership: membership, releases: releases,
      peers: traffic.peers, probe: traffic.probe, router: traffic.router, calls: traffic.calls, events: events,
      timers: timers)
    stopper = Stopper(
      node: node, cells: cells, releases: releases, singletons: ledger, processes: ground.processes, timers: timers)
    singletons = SingletonKeeper(
      node: node, kinds: ground.kinds, ledger: ledger, cells: cells, locator: membership.locator, spawner: spawner,
      health: health, timers: timers)
    follower = MembershipFollower(
      node: node, peers: traffic.peers, leaders: leaders,
      news: LeaderNews(office: leaders, events: events, node: node), stopper: stopper, health: health, events: events)
  }
}

/// How the parts of a node are plugged together: a list of wires, and nothing that acts.
///
/// Each part has its state for itself and knows of the others what it is given here.
struct NodeWires: Sendable {
  let ground: NodeGround
  let traffic: NodeTraffic
  let actors: NodeActors
  let desks: NodeDesks
  let control: ControlService
  let book: RequestBook
  let clients = ClientLinks()
  let tokens: TokenWarden
  let endpoint: LinkEndpoint

  init(_ ground: NodeGround) {
    let traffic = NodeTraffic(ground)
    let actors = NodeActors(ground, traffic)
    self.ground = ground
    self.traffic = traffic
    self.actors = actors
    let (node, timers) = (ground.node, ground.timers)
    book = RequestBook(timers: timers)
    desks = NodeDesks(ground, traffic, actors, book)
    tokens = TokenWarden(membership: traffic.membership, clients: clients, work: traffic.work, timers: timers)
    let access = AccessControl(rules: ground.configuration.accessRules, audit: traffic.audit)
    control = ControlService(
      node: node, requests: desks.requests(RequestTable(node: node, calls: traffic.calls, access: access)),
      streams: StreamTable(desks.streams, peers: traffic.peers, access: access, timers: timers), book: book,
      work: traffic.work, timers: timers)
    let reception = LinkReception(
      cells: traffic.cells, router: traffic.router, peers: traffic.peers, clients: clients, tokens: tokens,
      control: control, audit: traffic.audit, work: traffic.work)
    endpoint = Self.endpoint(ground, traffic, tokens, reception)
  }

  var node: NodeSelf { ground.node }
  var timers: any Timers { ground.timers }

  var joining: Joining {
    Joining(
      node: node, membership: traffic.membership, probe: traffic.probe, peers: traffic.peers, timers: timers,
      logger: ground.logger)
  }

  /// Our side of every link of this node.
  private static func endpoint(
    _ ground: NodeGround, _ traffic: NodeTraffic, _ tokens: TokenWarden, _ reception: LinkReception
  ) -> LinkEndpoint {
    let (node, secret, logger) = (ground.node, ground.secret, ground.logger)
    let membership = traffic.membership
    var endpoint = LinkEndpoint(
      greeting: { node.greeting }, receiver: reception, timers: ground.timers, transport: ground.transport,
      secret: { () throws(GridError) in secret }
    ) { other in
      PeerGreeting.objection(to: other, own: node.name, known: membership.peer(other.name))
    } rejected: { error in
      logger.info("connection refused", metadata: ["error": "\(error)"])
    }
    if let certificate = ground.certificate {
      endpoint.encryption = certificate.encryption
      endpoint.credential = .certificate
    }
    endpoint.token = { tokens.verifier($0) }
    endpoint.admission = { tokens.admit($0, $1) }
    endpoint.gate = traffic.refused.gate
    endpoint.admittedGroup = ground.configuration.adminGroup
    return endpoint
  }
}
