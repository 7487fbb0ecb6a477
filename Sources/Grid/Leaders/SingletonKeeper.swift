internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// Starts the singletons that this node offers wherever they do not run.
struct SingletonKeeper: Sendable {
  /// How often a keeper looks without news.
  private static let patience = Duration.seconds(2)

  let node: NodeSelf
  let kinds: [String: KindDefinition]
  let ledger: SingletonLedger
  let cells: CellTable
  let locator: StoreLocator
  let spawner: Spawner
  let health: Health
  let timers: any Timers

  func run() async {
    await withDiscardingTaskGroup { group in
      for name in ledger.office.names {
        guard let kind = kinds[name] else { continue }
        group.addTask { await self.keep(name, kind) }
      }
    }
  }

  private func keep(_ name: String, _ kind: KindDefinition) async {
    let office = ledger.office
    while !Task.isCancelled {
      let ring = locator.listen(for: name)
      // Where the store cannot be asked, nothing can be claimed either.
      let holder = try? await locator.lookUp(name)
      if office.runs(name, holder?.epoch, at: timers.now()) {
        health.mended(.singleton(name), "a singleton that failed is well")
      }
      if holder == nil, cells[name] == nil, !node.leave.isRequested, office.pause(name, at: timers.now()) == .zero {
        await start(name, kind)
      }
      let pause = office.pause(name, at: timers.now())
      await ring.wait(atMost: pause > .zero ? min(pause, Self.patience) : Self.patience, on: timers)
    }
  }

  private func start(_ name: String, _ kind: KindDefinition) async {
    ledger.office.starts(name)
    var blame: GridError?
    do {
      _ = try await spawner.spawnHere(SpawnRequest(kind: kind.name, name: name), kind)
    } catch {
      let error = GridError.wrapping(error, as: .failed, "")
      switch error.code {
      case .nameTaken, .cancelled, .stopped: break
      // It is not to blame for a store that is away, or a node between two memberships.
      case .unavailable, .leaseLost, .notServing, .retryLater, .deadline:
        health.stands(.singleton(name), error, "a singleton cannot be started here")
      default:
        health.stands(.singleton(name), error, "a singleton cannot be started here")
        blame = error
      }
    }
    ledger.hasStarted(name, blame)
  }
}

/// Answers where singletons run, and how they fare.
struct SingletonDesk: Sendable {
  let node: NodeSelf
  let kinds: [String: KindDefinition]
  let office: SingletonOffice
  let cells: CellTable
  let locator: StoreLocator
  let calls: ClusterCalls
  let clock: any GridClock

  func list(_ request: SingletonsRequest, _ call: RequestCall) async -> ListAnswer<SingletonReport> {
    if call.isLocal { return ListAnswer(call.page.page(await own())) }
    let (reports, missing) = await all(call)
    return ListAnswer(call.page.page(reports), missing: missing)
  }

  private func own() async -> [SingletonReport] {
    var reports: [SingletonReport] = []
    for name in office.names where kinds[name] != nil { reports.append(await report(name)) }
    return reports
  }

  private func report(_ name: String) async -> SingletonReport {
    let holder = try? await locator.lookUp(name)
    let (now, date) = (clock.now(), clock.date())
    var report = office.report(name, of: node.name, at: now, date)
    guard let holder else { return report }
    (report.node, report.token, report.nextStart) = (holder.node, holder.epoch, nil)
    if holder.node == node.name, let cell = cells[name] {
      let uptime = Duration(seconds: cell.report(at: now, withDetails: false).uptimeSeconds) ?? .zero
      report.since = CalendarTime(
        millisecondsSince1970: date.millisecondsSince1970.subtractingClamped(uptime.wholeNanoseconds / 1_000_000))
    }
    return report
  }

  func all(_ call: RequestCall) async -> (reports: [SingletonReport], missing: [MissingNode]) {
    let gathered = await calls.gather(SingletonsRequest(), call)
    let others = gathered.answers.flatMap { (try? $0.answer.items()) ?? [] }
    return (SingletonReport.merged(await own() + others), gathered.missing)
  }

  /// - Throws: ``GridError/Code/unavailable`` when it is one that does not run.
  func running(_ name: String, _ call: RequestCall) async throws(GridError) -> SingletonReport? {
    guard let report = await all(call).reports.first(where: { $0.name == name }) else { return nil }
    if report.node != nil { return report }
    let failures = report.failures == 0 ? "" : ": it failed \(CountText.timesInARow(report.failures))"
    throw GridError(
      .unavailable, "singleton \(name) does not run at the moment\(failures)",
      hint: "nodes that keep it: \(report.keepers.joined(separator: ", ")); see: gridctl check",
      cause: report.lastFailure)
  }
}
