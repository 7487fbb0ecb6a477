internal import GridActors
internal import GridCluster
internal import GridCore
internal import GridRequests

/// Answers what is asked about actors, here and where they run.
struct ActorDesk: Sendable {
  let node: NodeSelf
  let cells: CellTable
  let router: Router
  let calls: ClusterCalls
  let spawner: Spawner
  let stopper: Stopper
  let clock: any GridClock

  func list(_ request: ActorsRequest, _ call: RequestCall) async -> ListAnswer<ActorReport> {
    await calls.list(request, own: [page(request, call.page)], call)
  }

  private func page(_ request: ActorsRequest, _ page: PageRequest) -> ListPage {
    let pattern = request.pattern.map { NamePattern($0) }
    let (now, name) = (clock.now(), node.name)
    let matching = cells.cells(request.withAnonymous ? .all : .named).filter { cell in
      (pattern?.matches(cell.name) ?? true) && (request.kind ?? cell.kindName) == cell.kindName
        && (request.minimumMailbox <= 0 || cell.load(at: now).depth >= request.minimumMailbox)
    }
    // Reports are made of those that the page has room for.
    let wanted = matching.filter { page.wants(ActorReport.key($0.name, on: name), ActorsRequest.order) }
      .sorted { $0.name < $1.name }
    let items = wanted.lazy.map { cell in
      ListPage.Item(
        key: ActorReport.key(cell.name, on: name), value: cell.report(at: now, withDetails: false).json)
    }
    return ListPage(items, within: page.mostBytes, limit: page.mostItems, total: matching.count)
  }

  func inspect(_ request: InspectRequest, _ call: RequestCall) async throws -> ActorReport {
    if let cell = cells[request.name] { return cell.report(at: clock.now(), withDetails: true) }
    return try await router.onHolder(of: request.name) { try await calls.ask(request, on: $0, call) }
  }

  func spawn(_ request: SpawnRequest, _ call: RequestCall) async throws -> ActorReport {
    try await spawner.spawn(request, call)
  }

  func stop(_ request: StopRequest, _ call: RequestCall) async throws -> ActorPlace {
    guard let cell = cells[request.name] else {
      return try await router.onHolder(of: request.name) { try await calls.ask(request, on: $0, call) }
    }
    try await stopper.stop(cell, kills: request.kills, until: calls.timeToSay(call.deadline))
    return ActorPlace(name: request.name, node: node.name)
  }

  func restart(_ request: RestartRequest, _ call: RequestCall) async throws -> ActorPlace {
    guard let cell = cells[request.name] else {
      return try await router.onHolder(of: request.name) { try await calls.ask(request, on: $0, call) }
    }
    try await stopper.restart(cell, until: calls.timeToSay(call.deadline))
    return ActorPlace(name: request.name, node: node.name)
  }
}
