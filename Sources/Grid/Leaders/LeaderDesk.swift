internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// Answers what is asked about leaders, and leads on behalf of clients.
struct LeaderDesk: Sendable {
  let node: NodeSelf
  let leaderships: Leaderships
  let claims: StoreClaims
  let singletons: SingletonDesk
  let calls: ClusterCalls
  let work: BackgroundWork
  let timers: any Timers

  func list(_ request: LeadersRequest, _ call: RequestCall) async throws -> ListAnswer<LeadershipReport> {
    var reports = try await claims.lookUpAll().map { LeadershipReport.leader(LeaderReport($0.holder, token: $0.token)) }
    guard request.withSingletons else { return ListAnswer(call.page.page(reports)) }
    let (found, missing) = await singletons.all(call)
    reports += found.map { .singleton($0) }
    return ListAnswer(call.page.page(reports), missing: missing)
  }

  func show(_ request: LeaderRequest, _ call: RequestCall) async throws -> LeadershipReport {
    let name = try NameRules.validated(request.name, as: "leader")
    if let leader = try await claims.lookUp(name) { return .leader(LeaderReport(leader.holder, token: leader.token)) }
    if let singleton = try await singletons.running(name, call) { return .singleton(singleton) }
    throw GridError(
      .unavailable, "\(name) has no leader at the moment", hint: "wait for one with: gridctl wait leader/\(name)")
  }

  func keep(_ request: KeepLeadershipRequest) throws -> LeaseRemainder {
    guard leaderships[request.name]?.token == request.token else { throw lost(request.name) }
    return LeaseRemainder(leaderships.remaining)
  }

  func resign(_ request: ResignRequest, _ call: RequestCall) async throws -> ResignedLeadership {
    let name = try NameRules.validated(request.name, as: "leader")
    guard let leadership = leaderships[name] else {
      guard !call.isLocal, let leader = try await claims.lookUp(name), leader.holder.node != node.name else {
        throw GridError(.unavailable, "\(name) has no leader at the moment", hint: "see: gridctl leader show")
      }
      return try await calls.ask(request, on: leader.holder.node, call)
    }
    leadership.resignRequested.open()
    guard await leadership.ended.wait(atMost: call.deadline - timers.now(), on: timers) else {
      throw GridError(.deadline, "the leader of \(name) was asked to give up but has not yet")
    }
    return ResignedLeadership(name: name, node: node.name, token: leadership.token)
  }

  // MARK: Runs

  func lastRun(_ request: LastRunRequest) async throws -> LastRun {
    LastRun(try await claims.lastRun(try NameRules.validated(request.name, as: "leader")))
  }

  func record(_ request: RecordRunRequest) async throws -> ActorPlace {
    guard let leadership = leaderships[request.name], leadership.token == request.token else {
      throw lost(request.name)
    }
    let run = RunRecord(
      name: request.name, node: node.name, holder: leadership.holder, startedAt: request.startedAt,
      endedAt: timers.date(), token: leadership.token)
    guard try await claims.record(run) else { throw lost(request.name) }
    return ActorPlace(name: request.name, node: node.name)
  }

  private func lost(_ name: String) -> GridError { GridError(.leaseLost, "the leadership of \(name) is lost") }

  // MARK: Campaigns of clients

  func campaign(_ request: CampaignRequest, _ stream: ClusterStream) throws {
    try NameRules.validated(request.name, as: "leader")
    let ended = Latch()
    stream.onEnd { ended.open() }
    work.add {
      await run(request, stream, until: ended)
    } refused: { error in
      stream.send(CampaignNews.lost(name: request.name, message: error.message).json)
    }
  }

  private func run(_ request: CampaignRequest, _ stream: ClusterStream, until ended: Latch) async {
    let name = request.name
    let leadership: Leadership
    switch await outcome(request, until: ended) {
    case .success(let won): leadership = won
    case .failure(let error):
      if request.isOnce { stream.send(CampaignNews.held(name: name, message: error.message).json) }
      return
    case nil: return
    }
    stream.send(CampaignNews.elected(name: name, token: leadership.token).json)
    await withDiscardingTaskGroup { group in
      group.addTask {
        await leadership.resignRequested.wait()
        if leadership.resignRequested.isOpen { stream.send(CampaignNews.resign(name: name).json) }
      }
      group.addTask {
        await leadership.ended.wait()
        if let loss = leadership.loss { stream.send(CampaignNews.lost(name: name, message: loss.message).json) }
      }
      await ended.wait()
      group.cancelAll()
    }
    leaderships.giveUp(leadership)
  }

  /// - Returns: nil when the client has gone.
  private func outcome(_ request: CampaignRequest, until ended: Latch) async -> Result<Leadership, GridError>? {
    await withTaskGroup(of: Result<Leadership, GridError>?.self) { group in
      group.addTask {
        do throws(GridError) {
          return .success(
            try await leaderships.campaign(request.name, holder: request.holder, waiting: !request.isOnce))
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        await ended.wait()
        return nil
      }
      var outcome: Result<Leadership, GridError>?
      for await result in group {
        outcome = outcome ?? result
        group.cancelAll()
      }
      guard ended.isOpen else { return outcome }
      // Elected at the moment the client went away: nobody would act.
      if case .success(let elected) = outcome { leaderships.giveUp(elected) }
      return nil
    }
  }
}
