internal import GridCluster
internal import GridRequests
internal import GridSystem

/// Which desk answers which request.
struct NodeDesks: Sendable {
  let nodes: NodeDesk
  let actors: ActorDesk
  let top: TopDesk
  let events: EventDesk
  let traces: TraceDesk
  let letters: DeadLetterDesk
  let leaders: LeaderDesk
  let singletons: SingletonDesk
  let health: HealthDesk
  let bench: BenchDesk
  let tokens: TokenDesk
  let audit: AuditDesk

  init(_ ground: NodeGround, _ traffic: NodeTraffic, _ own: NodeActors, _ book: RequestBook) {
    let (node, timers, calls) = (ground.node, ground.timers, traffic.calls)
    let (membership, cells, office) = (traffic.membership, traffic.cells, traffic.letters)
    nodes = NodeDesk(
      node: node, configuration: ground.configuration, certificate: ground.certificate, membership: membership,
      peers: traffic.peers, cells: cells, letters: office, health: traffic.health, refused: traffic.refused,
      calls: calls, book: book, clock: timers, logger: ground.logger)
    actors = ActorDesk(
      node: node, cells: cells, router: traffic.router, calls: calls, spawner: own.spawner, stopper: own.stopper,
      clock: timers)
    top = TopDesk(node: node, cells: cells, calls: calls, timers: timers)
    events = EventDesk(events: traffic.events, calls: calls)
    traces = TraceDesk(node: node, cells: cells, taps: own.taps, clock: timers)
    letters = DeadLetterDesk(
      node: node, letters: office,
      shelf: DeadLetterShelf(
        node: node, membership: membership, letters: office,
        files: DeadLetterFiles(directory: ground.configuration.stateDirectory)),
      notes: DeadLetterNotes(
        notes: ground.configuration.needsNotes ? StoreNotes(store: ground.store, namespace: node.namespace) : nil,
        node: node, membership: membership, letters: office, logger: ground.logger),
      router: traffic.router, calls: calls, timers: timers, deadlines: traffic.deadlines)
    singletons = SingletonDesk(
      node: node, kinds: ground.kinds, office: own.ledger.office, cells: cells, locator: membership.locator,
      calls: calls, clock: timers)
    leaders = LeaderDesk(
      node: node, leaderships: own.leaderships, claims: membership.leaders, singletons: singletons, calls: calls,
      work: traffic.work, timers: timers)
    health = HealthDesk(
      node: node, health: traffic.health, letters: office, audit: traffic.audit, refused: traffic.refused,
      store: ground.store, nodes: nodes, calls: calls, timers: timers)
    audit = AuditDesk(node: node, audit: traffic.audit, membership: membership, calls: calls)
    bench = BenchDesk(
      parts: BenchParts(
        node: node, cells: cells, router: traffic.router, spawner: own.spawner, stopper: own.stopper,
        peers: traffic.peers, calls: calls, nodes: nodes, timers: timers, deadlines: traffic.deadlines,
        executor: LoopExecutor(ground.loop)))
    tokens = TokenDesk(
      node: node, tokens: membership.tokens, secret: ground.secret, calls: calls, timers: timers)
  }

  func requests(_ empty: RequestTable) -> RequestTable {
    var table = empty
    table.on(PingRequest.self) { _ in NodeReference(node: nodes.node.name) }
    table.on(NodeInformationRequest.self) { _ in nodes.information() }
    table.on(NodeStopRequest.self) { nodes.stop($0) }
    table.on(LoadRequest.self) { _ in nodes.load() }
    table.on(StoreRequest.self) { _ in StoreReport(try await health.store.describe()) }
    table.on(HealthRequest.self) { await health.cluster($0, $1) }
    table.on(NodeHealthRequest.self) { await health.here(window: $0.window) }
    table.on(PeersRequest.self) { await nodes.peerList($0, $1) }
    table.on(KindsRequest.self) { nodes.kindList($0, $1) }
    table.on(NameCountRequest.self) { try await nodes.nameCount($0) }
    table.on(EventsRequest.self) { await events.list($0, $1) }
    table.on(AuditListRequest.self) { await audit.list($0, $1) }
    table.on(AuditVerifyRequest.self) { await audit.verify($0, $1) }
    table.on(BenchRequest.self) { try await bench.bench($0, $1) }
    actorRequests(&table)
    letterRequests(&table)
    leaderRequests(&table)
    tokenRequests(&table)
    return table
  }

  private func actorRequests(_ table: inout RequestTable) {
    table.on(ActorsRequest.self) { await actors.list($0, $1) }
    table.onRows(of: ActorsRequest.self) { actors.rows($0, $1) }
    table.on(ActorSummariesRequest.self) { await actors.summaries($0, $1) }
    table.on(ActorTopRequest.self) { await top.top($0, $1) }
    table.on(InspectRequest.self) { try await actors.inspect($0, $1) }
    table.on(SpawnRequest.self) { try await actors.spawn($0, $1) }
    table.on(StopRequest.self) { try await actors.stop($0, $1) }
    table.on(RestartRequest.self) { try await actors.restart($0, $1) }
  }

  private func letterRequests(_ table: inout RequestTable) {
    table.on(DeadLettersRequest.self) { try await letters.list($0, $1) }
    table.on(DeadLetterRequest.self) { try await letters.show($0, $1) }
    table.on(DeadLetterBodyRequest.self) { try await letters.body($0, $1) }
    table.on(DeadLetterHolderRequest.self) { try await letters.holder($0) }
    table.on(DeadLetterTalliesRequest.self) { try await letters.tallies($0, $1) }
    table.on(PurgeDeadLettersRequest.self) { try await letters.purge($0, $1) }
    table.on(ReplayDeadLetterRequest.self) { try await letters.replay($0, $1) }
  }

  private func leaderRequests(_ table: inout RequestTable) {
    table.on(LeadersRequest.self) { try await leaders.list($0, $1) }
    table.on(LeaderRequest.self) { try await leaders.show($0, $1) }
    table.on(KeepLeadershipRequest.self) { try leaders.keep($0) }
    table.on(ResignRequest.self) { try await leaders.resign($0, $1) }
    table.on(LastRunRequest.self) { try await leaders.lastRun($0) }
    table.on(RecordRunRequest.self) { try await leaders.record($0) }
    table.on(SingletonsRequest.self) { await singletons.list($0, $1) }
  }

  private func tokenRequests(_ table: inout RequestTable) {
    table.on(TokenCreateRequest.self) { try await tokens.create($0, $1) }
    table.on(TokensRequest.self) { try await tokens.list($0, $1) }
    table.on(TokenRevokeRequest.self) { try await tokens.revoke($0, $1) }
    table.on(TokenHeardRequest.self) { try await tokens.hears($0) }
    table.on(NodeSecretRequest.self) { try tokens.secret($0, $1) }
  }

  var streams: [String: StreamTable.Handler] {
    var handlers: [String: StreamTable.Handler] = [:]
    handlers.on(EventStreamRequest.self) { events.follow($0, $1, $2) }
    handlers.on(DeadLetterStreamRequest.self) { request, _, stream in letters.follow(request, stream) }
    handlers.on(AuditStreamRequest.self) { request, _, stream in audit.follow(request, stream) }
    handlers.on(TraceStreamRequest.self) { request, _, stream in traces.follow(request, stream) }
    handlers.on(CampaignRequest.self, isClusterWide: false) { request, _, stream in
      try leaders.campaign(request, stream)
    }
    return handlers
  }
}
