internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// Registers names in the store, waits until every node has heard of all of them, frees them, and waits again.
///
/// What is measured is the coordination store and its watches; the actors do nothing.
struct NameBench: Sendable {
  let parts: BenchParts
  let plan: BenchPlan
  let call: RequestCall

  func run() async throws -> BenchReport {
    let kind = try parts.spawner.kind(plan.target)
    let prefix = "bench-\(UInt32.random(in: 0...UInt32.max))-"
    // Whoever asked may go at any time: none of its actors stays.
    defer { for cell in parts.cells.cells() where cell.name.hasPrefix(prefix) { cell.stop(.benchmarkIsOver) } }
    // From here on every node counts the names with that beginning.
    try await waitForPeers(toKnow: 0, prefix)
    let began = parts.timers.now()
    var tally = await inParallel { number in
      _ = try await parts.spawner.spawnHere(SpawnRequest(kind: kind.name, name: prefix + String(number)), kind)
    }
    let registered = parts.timers.now()
    let made = plan.count - tally.errors
    try await waitForPeers(toKnow: made, prefix)
    let watched = parts.timers.now()
    let stopped = await inParallel { number in
      guard let cell = parts.cells[prefix + String(number)] else { throw GridError(.noSuchActor, "it is gone") }
      try await parts.stopper.stop(cell, kills: false, until: call.deadline)
    }
    let released = parts.timers.now()
    try await waitForPeers(toKnow: 0, prefix)
    tally.sent = plan.count
    var report = BenchReport(plan, tally, delivered: made, seconds: (registered - began).inSeconds)
    report.setNames(
      watchedSeconds: (watched - began).inSeconds,
      releasedPerSecond: Double(plan.count - stopped.errors) / (released - watched).inSeconds,
      forgottenSeconds: (parts.timers.now() - watched).inSeconds)
    return report
  }

  private func inParallel(_ body: @escaping @Sendable (Int) async throws -> Void) async -> BenchTally {
    await withTaskGroup(of: BenchTally.self) { group in
      for client in 0..<plan.clients {
        group.addTask {
          var tally = BenchTally()
          for number in stride(from: client, to: plan.count, by: plan.clients) {
            if Task.isCancelled { break }
            let began = parts.timers.now()
            do {
              try await body(number)
              tally.latencies.record((parts.timers.now() - began).wholeNanoseconds)
            } catch { tally.errors += 1 }
          }
          return tally
        }
      }
      return await group.reduce(into: BenchTally()) { $0.merge($1) }
    }
  }

  private func waitForPeers(toKnow count: Int, _ prefix: String) async throws {
    let request = NameCountRequest(prefix: prefix)
    while try await parts.nodes.nameCount(request).count != count { try await pause() }
    for (name, _) in parts.peers.open {
      while try await parts.calls.ask(request, on: name, call).count != count { try await pause() }
    }
  }

  private func pause() async throws {
    await parts.timers.sleep(for: .milliseconds(2))
    try Task.checkCancellation()
    guard parts.timers.now() < call.deadline else { throw GridError(.deadline, "not all nodes know of it in time") }
  }
}
