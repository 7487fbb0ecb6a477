internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import GridSystem

/// Measures this node, for `gridctl bench`.
struct BenchDesk: Sendable {
  /// Each stands in memory until the end.
  private static let mostActors = 10_000_000

  let parts: BenchParts

  func bench(_ request: BenchRequest, _ call: RequestCall) async throws -> BenchReport {
    let makesActors = request.work == .spawn || request.work == .names
    if makesActors {
      try NameRules.validated(request.target, as: "kind")
    } else {
      _ = try ActorAddress(parsing: request.target)
    }
    let plan = BenchPlan(request)
    if makesActors, plan.count > Self.mostActors {
      throw GridError(.usage, "a benchmark makes at most \(Self.mostActors) actors", hint: "choose a smaller --count")
    }
    switch request.work {
    case .spawn: return try spawn(plan)
    case .names: return try await NameBench(parts: parts, plan: plan, call: call).run()
    case .tell, .ask: break
    }
    if let warmUp = BenchPlan.duration(request.warmUpSeconds) {
      var warming = plan
      warming.duration = warmUp
      _ = try await BenchDriver(parts: parts, plan: warming).run(deadline: call.deadline)
    }
    return try await BenchDriver(parts: parts, plan: plan).run(deadline: call.deadline)
  }

  private func spawn(_ plan: BenchPlan) throws -> BenchReport {
    let before = ResidentMemory.bytes()
    let began = parts.timers.now()
    var actors: [ActorCell] = []
    actors.reserveCapacity(plan.count)
    defer { for actor in actors { actor.stop(.benchmarkIsOver) } }
    for number in 0..<plan.count {
      if number & 1023 == 0 { try Task.checkCancellation() }
      actors.append(try parts.spawner.spawnAnonymous(plan.target, nil))
    }
    let seconds = (parts.timers.now() - began).inSeconds
    var report = BenchReport(plan, BenchTally(sent: plan.count), delivered: plan.count, seconds: seconds)
    report.setBytesPerActor(Double(ResidentMemory.bytes() - before) / Double(plan.count))
    return report
  }
}

/// What a benchmark drives.
struct BenchParts: Sendable {
  let node: NodeSelf
  let cells: CellTable
  let router: Router
  let spawner: Spawner
  let stopper: Stopper
  let peers: PeerTable
  let calls: ClusterCalls
  let nodes: NodeDesk
  let timers: any Timers
  let deadlines: DeadlineList
  /// Runs tasks where answers of peers arrive.
  let executor: LoopExecutor
}

/// What a benchmark does.
struct BenchPlan: Sendable {
  var work: BenchWork
  var target: String
  var clients: Int
  var count: Int
  var bodyBytes: Int
  var duration: Duration?
  /// Messages a second over all clients.
  var rate: Double?

  init(_ request: BenchRequest) {
    work = request.work
    target = request.target
    clients = max(1, min(4096, request.clients))
    count = max(1, request.count)
    bodyBytes = max(0, min(Message.maximumBodyBytes, request.bodyBytes))
    duration = Self.duration(request.durationSeconds)
    rate = request.perSecond.flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
  }

  /// At most an hour.
  static func duration(_ seconds: Double?) -> Duration? {
    seconds.flatMap { $0 > 0 && $0 <= 3600 ? Duration(seconds: $0) : nil }
  }

  /// How many of all messages are the client's.
  func share(of client: Int) -> Int { count / clients + (client < count % clients ? 1 : 0) }
}

struct BenchTally: Sendable {
  var sent = 0
  var errors = 0
  var latencies = LatencyHistogram()

  mutating func merge(_ other: BenchTally) {
    sent += other.sent
    errors += other.errors
    latencies.merge(other.latencies)
  }
}

extension BenchReport {
  init(_ plan: BenchPlan, _ tally: BenchTally, delivered: Int, seconds: Double) {
    func percentile(_ share: Double) -> Double? { tally.latencies.percentile(share).map { Double($0) / 1000 } }
    self.init()
    (work, target, clients, bodyBytes) = (plan.work, plan.target, plan.clients, plan.bodyBytes)
    (sent, errors) = (tally.sent, tally.errors)
    self.delivered = delivered
    self.seconds = seconds
    perSecond = seconds > 0 ? Double(delivered) / seconds : 0
    half = percentile(0.5)
    nineTenths = percentile(0.9)
    ninetyNine = percentile(0.99)
    nineHundredNinetyNine = percentile(0.999)
    maximum = percentile(1)
  }
}
