internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import Logging

extension NodeRuntime {
  /// How long until a missed piece of news is noticed.
  private static let singletonPatience = Duration.seconds(2)
  /// Failures in a row after which an actor that could be started is one that does not stay up.
  private static let troubleFrom = 3

  /// Sees to it that the actors which are to run once in the namespace run somewhere.
  func keepSingletons() async {
    await withDiscardingTaskGroup { group in
      for name in singletons.names {
        guard let kind = kinds[name] else { continue }
        group.addTask { await self.keepSingleton(name, kind) }
      }
    }
  }

  /// Every node that offers the kind tries; the name's uniqueness lets one succeed, and the others wait until it is
  /// free.
  private func keepSingleton(_ name: String, _ kind: KindDefinition) async {
    while !Task.isCancelled {
      let ring = membership.directory.listen(for: name)
      let holder = membership.directory.cached(name)
      if singletons.runs(name, holder?.epoch, at: clock.now()) {
        mended(.singleton(name), "a singleton that failed is well")
      }
      if holder == nil, cells[name] == nil, !stopRequested.isOpen, singletons.pause(name, at: clock.now()) == .zero {
        await startSingleton(name, kind)
      }
      let pause = singletons.pause(name, at: clock.now())
      await ring.wait(atMost: pause > .zero ? min(pause, Self.singletonPatience) : Self.singletonPatience)
    }
  }

  private func startSingleton(_ name: String, _ kind: KindDefinition) async {
    singletons.starts(name)
    var blame: GridError?
    do {
      _ = try await spawnHere(SpawnRequest(kind: kind.name, name: name), kind)
    } catch {
      let error = GridError.wrapping(error, as: .failed, "")
      switch error.code {
      case .nameTaken, .cancelled, .stopped: break
      // It is not to blame for a store that is away, or a node between two memberships.
      case .unavailable, .leaseLost, .notServing, .retryLater, .deadline:
        stands(.singleton(name), error, "a singleton cannot be started here")
      default:
        stands(.singleton(name), error, "a singleton cannot be started here")
        blame = error
      }
    }
    if let failure = singletons.hasStarted(name, blame, at: clock.now()) { tell(name, failure) }
  }

  /// Notes the end of an actor, and slows its starts down when it is a singleton that nobody wanted to end.
  func singletonEnded(_ name: String, epoch: Int64, _ reason: TerminationReason) {
    // What ends with the node or its lease has not failed.
    if stopRequested.isOpen || !membership.isValid(at: clock.now()) { singletons.willStop(name, epoch: epoch) }
    guard let failure = singletons.ended(name, epoch: epoch, reason, at: clock.now()) else { return }
    if failure.count >= Self.troubleFrom {
      stands(.singleton(name), failure.error, "a singleton does not stay up here")
    }
    tell(name, failure)
  }

  private func tell(_ name: String, _ failure: SingletonOffice.Failure) {
    let pause = Duration.milliseconds(failure.pause.wholeNanoseconds / 1_000_000)
    happened(.singletonFailed(failure.error, count: failure.count, startsIn: pause), name)
  }

  // MARK: Requests

  /// The singletons that this node keeps, and where they run.
  private func ownSingletons() -> [SingletonReport] {
    let (now, date) = (clock.now(), clock.date())
    return singletons.names.compactMap { name in
      guard kinds[name] != nil else { return nil }
      var report = singletons.report(name, of: nodeName, at: now, date)
      guard let holder = membership.directory.cached(name) else { return report }
      (report.node, report.token, report.nextStart) = (holder.record.node, holder.epoch, nil)
      if holder.record.node == nodeName, let cell = cells[name] {
        let uptime = Duration(seconds: cell.report(at: now, withDetails: false).uptimeSeconds) ?? .zero
        report.since = CalendarTime(
          millisecondsSince1970: date.millisecondsSince1970.subtractingClamped(uptime.wholeNanoseconds / 1_000_000))
      }
      return report
    }
  }

  /// The singletons of all nodes, and the nodes that did not answer.
  func allSingletons(deadline: MonotonicTime) async -> (reports: [SingletonReport], missing: [JSONValue]) {
    let own = ownSingletons()
    guard !membership.peers.isEmpty else { return (own, []) }
    let (answers, missing) = await gather("singletons", [:], deadline: deadline)
    let others = answers.flatMap { $0.answer["items"]?.arrayValue ?? [] }.compactMap { try? SingletonReport(json: $0) }
    return (SingletonReport.merged(own + others), missing)
  }

  func listSingletons(_ arguments: JSONValue, deadline: MonotonicTime) async -> JSONValue {
    if arguments.isLocal { return wholeList(ownSingletons().map(\.json), arguments, key: Self.name) }
    let (reports, missing) = await allSingletons(deadline: deadline)
    return wholeList(reports.map(\.json), arguments, key: Self.name, missing: missing)
  }

  /// A singleton that runs, for who asks for a leader of that name.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when it does not run at the moment.
  func runningSingleton(_ name: String, deadline: MonotonicTime) async throws(GridError) -> JSONValue? {
    guard let report = await allSingletons(deadline: deadline).reports.first(where: { $0.name == name }) else {
      return nil
    }
    if report.node != nil { return report.json }
    let failures = report.failures == 0 ? "" : ": it failed \(CountText.timesInARow(report.failures))"
    throw GridError(
      .unavailable, "singleton \(name) does not run at the moment\(failures)",
      hint: "nodes that keep it: \(report.keepers.joined(separator: ", ")); see: gridctl check",
      cause: report.lastFailure)
  }
}
