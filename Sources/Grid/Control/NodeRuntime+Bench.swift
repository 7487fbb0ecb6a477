internal import GridActors
internal import GridCore
internal import Synchronization

extension NodeRuntime {
  /// Drives load from this node and measures it: `work` is `tell`, `ask` or `spawn`.
  func bench(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    var plan = BenchPlan()
    plan.work = BenchPlan.Work(rawValue: arguments["work"]?.stringValue ?? "") ?? .ask
    plan.target = try arguments.required("target")
    try NameRules.validated(plan.target, as: plan.work == .spawn ? "kind" : "actor")
    plan.clients = max(1, min(4096, Int(clamping: arguments["clients"]?.integerValue ?? 1)))
    plan.count = max(1, Int(clamping: arguments["count"]?.integerValue ?? 100_000))
    plan.bodyBytes = max(0, min(Message.maximumBodyBytes, Int(clamping: arguments["size"]?.integerValue ?? 100)))
    if plan.work == .spawn { return try benchSpawn(plan).json }
    return try await BenchDriver(node: self, plan: plan).run(deadline: deadline).json
  }
}

extension NodeRuntime {
  /// Makes actors without names, counts what they cost while they are idle, and lets them go.
  private func benchSpawn(_ plan: BenchPlan) throws -> BenchReport {
    let before = Self.residentBytes()
    let began = clock.now()
    var actors: [ActorReference] = []
    actors.reserveCapacity(plan.count)
    for _ in 0..<plan.count { actors.append(try spawnAnonymous(plan.target, nil)) }
    let seconds = (clock.now() - began).inSeconds
    let bytes = Self.residentBytes() - before
    for actor in actors { actor.cell.stop(reason: "stopped: the benchmark is over") }
    return BenchReport(
      plan: plan, tally: BenchTally(sent: plan.count), delivered: plan.count, seconds: seconds,
      bytesPerActor: Double(bytes) / Double(plan.count))
  }
}

/// What a benchmark run does.
struct BenchPlan: Sendable {
  enum Work: String, Sendable {
    case tell, ask, spawn
  }

  var work = Work.ask
  var target = ""
  var clients = 1
  var count = 100_000
  var bodyBytes = 100
}

/// Drives one benchmark from inside a node: `clients` tasks that send as fast as flow control lets them.
struct BenchDriver: Sendable {
  let node: NodeRuntime
  let plan: BenchPlan

  func run(deadline: MonotonicTime) async throws -> BenchReport {
    let message = Message(body: [UInt8](repeating: UInt8(ascii: "x"), count: plan.bodyBytes), contentType: .bytes)
    let before = plan.work == .tell ? await delivered(deadline) : nil
    let began = node.clock.now()
    // Who asks actors of other nodes waits for a connection; on its thread no hand-over adds to the round trip.
    let isRemoteAsk = plan.work == .ask && node.cells[plan.target] == nil
    let executor = isRemoteAsk ? EventLoopTaskExecutor(node.eventLoop) : nil
    let tallies = await withTaskGroup(of: BenchTally.self) { group in
      for index in 0..<plan.clients {
        let share = plan.count / plan.clients + (index < plan.count % plan.clients ? 1 : 0)
        group.addTask(executorPreference: executor) {
          plan.work == .tell ? await tell(message, share) : await ask(message, share, deadline)
        }
      }
      return await group.reduce(into: BenchTally()) { $0.merge($1) }
    }
    var delivered: Int?
    if let before {
      // The sink's own count says what arrived; nobody else may be telling it meanwhile.
      while node.clock.now() < deadline {
        delivered = await self.delivered(deadline).map { $0 - before }
        if delivered ?? plan.count >= tallies.sent { break }
        try await Task.sleep(for: .milliseconds(1))
      }
    }
    return BenchReport(
      plan: plan, tally: tallies, delivered: delivered ?? tallies.latencies.count,
      seconds: (node.clock.now() - began).inSeconds)
  }

  private func delivered(_ deadline: MonotonicTime) async -> Int? {
    let reply = try? await PendingAsk.run(
      clock: node.clock, timeout: .seconds(60), deadlines: node.deadlines
    ) { route(Message(), .reply, $1, $0) }
    return (try? reply?.json())?.integerValue.map { Int($0) }
  }

  private func route(
    _ message: Message, _ expectation: Envelope.Expectation, _ deadline: MonotonicTime, _ ask: PendingAsk
  ) {
    node.route(
      Envelope(target: plan.target, message: message, expectation: expectation, deadline: deadline, responder: ask),
      .here)
  }

  private func tell(_ message: Message, _ count: Int) async -> BenchTally {
    var tally = BenchTally()
    var stream = MessageStream(node: node, target: plan.target, sender: "")
    for _ in 0..<count {
      do {
        try await stream.send(message)
        tally.sent += 1
      } catch {
        tally.errors += 1
      }
    }
    return tally
  }

  private func ask(_ message: Message, _ count: Int, _ deadline: MonotonicTime) async -> BenchTally {
    var tally = BenchTally()
    tally.latencies.reserveCapacity(count)
    for _ in 0..<count {
      let began = node.clock.now()
      tally.sent += 1
      do {
        _ = try await PendingAsk.run(clock: node.clock, timeout: .seconds(5), deadlines: node.deadlines) {
          route(message, .reply, $1, $0)
        }
        tally.latencies.append((node.clock.now() - began).wholeNanoseconds)
      } catch {
        tally.errors += 1
      }
    }
    return tally
  }
}

/// What one client of a benchmark saw.
struct BenchTally: Sendable {
  var sent = 0
  var errors = 0
  var latencies: [Int64] = []

  mutating func merge(_ other: BenchTally) {
    sent += other.sent
    errors += other.errors
    latencies += other.latencies
  }
}

/// The result of a benchmark, with the field names of the JSON contract.
struct BenchReport: Sendable {
  let plan: BenchPlan
  let tally: BenchTally
  let delivered: Int
  let seconds: Double
  /// Resident memory of an idle actor; only where actors were made.
  var bytesPerActor: Double?

  var json: JSONValue {
    let sorted = tally.latencies.sorted()
    func percentile(_ share: Double) -> JSONValue {
      guard !sorted.isEmpty else { return .null }
      return .number(Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1000)
    }
    var members: [String: JSONValue] = [
      "work": .string(plan.work.rawValue), "target": .string(plan.target), "clients": .integer(Int64(plan.clients)),
      "bodyBytes": .integer(Int64(plan.bodyBytes)), "sent": .integer(Int64(tally.sent)),
      "delivered": .integer(Int64(delivered)), "errors": .integer(Int64(tally.errors)), "seconds": .number(seconds),
      "perSecond": .number(seconds > 0 ? Double(delivered) / seconds : 0), "p50Micros": percentile(0.5),
      "p90Micros": percentile(0.9), "p99Micros": percentile(0.99), "p999Micros": percentile(0.999),
      "maxMicros": percentile(1),
    ]
    if let bytesPerActor { members["bytesPerActor"] = .number(bytesPerActor) }
    return .object(members)
  }
}
