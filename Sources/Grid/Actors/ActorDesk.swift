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
    let (now, name) = (clock.now(), node.name)
    var total = 0
    var wanted: [ActorCell] = []
    ActorChoice(request).forEach(in: cells) { cellName, cell in
      total += 1
      if page.wants(ActorReport.key(cellName, on: name), ActorsRequest.order) { wanted.append(cell) }
    }
    // Reports are made of those that the page has room for.
    let items = wanted.sorted { $0.name < $1.name }.lazy.map { cell in
      ListPage.Item(
        key: ActorReport.key(cell.name, on: name), value: cell.report(at: now, withDetails: false).json)
    }
    return ListPage(items, within: page.mostBytes, limit: page.mostItems, total: total)
  }

  /// The same as rows, for a list over a channel.
  func rows(_ request: ActorsRequest, _ page: PageRequest) -> any OwnRows {
    ActorRows(request, page, cells: cells, node: node.name, clock: clock)
  }

  /// How many there are of each kind.
  func summaries(_ request: ActorSummariesRequest, _ call: RequestCall) async -> ListAnswer<ActorSummary> {
    var summaries: [String: ActorSummary] = [:]
    ActorChoice(request.actors).forEach(in: cells) { _, cell in
      summaries[cell.kindName, default: ActorSummary(kind: cell.kindName, node: node.name)].count(cell.tally)
    }
    return await calls.list(request, own: [call.page.page(Array(summaries.values))], call)
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

extension ActorSummary {
  fileprivate init(kind: String, node: String) {
    self.init()
    (self.kind, self.node) = (kind, node)
  }

  fileprivate mutating func count(_ tally: ActorCell.Tally) {
    actors += 1
    mailbox += tally.mailbox
    failures = failures.addingClamped(tally.failures)
    restarts = restarts.addingClamped(tally.restarts)
  }
}
