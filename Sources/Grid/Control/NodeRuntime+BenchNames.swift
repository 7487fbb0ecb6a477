internal import GridCluster
internal import GridCore

extension NodeRuntime {
  /// Registers names in the store, waits until every node has heard of all of them, frees them, and waits again.
  ///
  /// What is measured is the coordination store and its watches; the actors do nothing.
  func benchNames(_ plan: BenchPlan, deadline: MonotonicTime) async throws -> BenchReport {
    guard let kind = kinds[plan.target] else { throw GridError(.noSuchKind, "no kind \(plan.target) on \(nodeName)") }
    let prefix = "bench-\(UInt32.random(in: 0...UInt32.max))-"
    // Whoever asked may go at any time: none of its actors stays.
    defer { for cell in cells.all where cell.name.hasPrefix(prefix) { cell.stop(.benchmarkIsOver) } }
    let began = clock.now()
    var tally = await inParallel(plan) { number in
      _ = try await self.spawnHere(SpawnRequest(kind: kind.name, name: prefix + String(number)), kind)
    }
    let registered = clock.now()
    let made = plan.count - tally.errors
    try await waitForPeers(toKnow: made, prefix, deadline)
    let watched = clock.now()
    let stopped = await inParallel(plan) { number in
      _ = try await self.stopActor(["name": .string(prefix + String(number)), "local": true], deadline: deadline)
    }
    let released = clock.now()
    try await waitForPeers(toKnow: 0, prefix, deadline)
    tally.sent = plan.count
    var report = BenchReport(
      plan: plan, tally: tally, delivered: made, seconds: (registered - began).inSeconds)
    report.more = [
      "watchedSeconds": .number((watched - began).inSeconds),
      "releasedPerSecond": .number(Double(plan.count - stopped.errors) / (released - watched).inSeconds),
      "forgottenSeconds": .number((clock.now() - watched).inSeconds),
    ]
    return report
  }

  private func inParallel(_ plan: BenchPlan, _ body: @escaping @Sendable (Int) async throws -> Void) async -> BenchTally
  {
    await withTaskGroup(of: BenchTally.self) { group in
      for client in 0..<plan.clients {
        group.addTask {
          var tally = BenchTally()
          for number in stride(from: client, to: plan.count, by: plan.clients) {
            if Task.isCancelled { break }
            let began = self.clock.now()
            do {
              try await body(number)
              tally.latencies.record((self.clock.now() - began).wholeNanoseconds)
            } catch { tally.errors += 1 }
          }
          return tally
        }
      }
      return await group.reduce(into: BenchTally()) { $0.merge($1) }
    }
  }

  /// Waits until this node and every peer know exactly so many names with a prefix.
  private func waitForPeers(toKnow count: Int, _ prefix: String, _ deadline: MonotonicTime) async throws {
    let nodes = [nodeName] + peerLinks.open.map(\.name)
    for node in nodes {
      while clock.now() < deadline {
        let arguments: JSONValue = ["prefix": .string(prefix), "node": .string(node)]
        let known = try await perform("names.count", arguments, deadline: deadline)["count"]?.integerValue
        if known == Int64(count) { break }
        try await Task.sleep(for: .milliseconds(2))
      }
    }
  }

  /// How many names with a prefix this node has heard of.
  func countNames(_ arguments: JSONValue) throws -> JSONValue {
    let prefix = try arguments.required("prefix")
    return ["count": .integer(Int64(membership.directory.count(withPrefix: prefix)))]
  }
}
