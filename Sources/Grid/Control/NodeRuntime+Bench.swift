internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import Synchronization

extension NodeRuntime {
  /// Drives load from this node and measures it: `work` is `tell`, `ask`, `spawn` or `names`.
  func bench(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    var plan = BenchPlan()
    plan.work = BenchPlan.Work(rawValue: arguments["work"]?.stringValue ?? "") ?? .ask
    plan.target = try arguments.required("target")
    try NameRules.validated(plan.target, as: [.spawn, .names].contains(plan.work) ? "kind" : "actor")
    plan.clients = max(1, min(4096, Int(clamping: arguments["clients"]?.integerValue ?? 1)))
    plan.count = max(1, Int(clamping: arguments["count"]?.integerValue ?? 100_000))
    plan.bodyBytes = max(0, min(Message.maximumBodyBytes, Int(clamping: arguments["size"]?.integerValue ?? 100)))
    if [.spawn, .names].contains(plan.work), plan.count > Self.mostActors {
      throw GridError(.usage, "a benchmark makes at most \(Self.mostActors) actors", hint: "choose a smaller --count")
    }
    if plan.work == .spawn { return try benchSpawn(plan).json }
    if plan.work == .names { return try await benchNames(plan, deadline: deadline).json }
    plan.duration = arguments["durationSeconds"]?.doubleValue.flatMap(Self.seconds)
    plan.rate = arguments["perSecond"]?.doubleValue.flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    if let warmUp = arguments["warmUpSeconds"]?.doubleValue.flatMap(Self.seconds) {
      var warming = plan
      warming.duration = warmUp
      _ = try await BenchDriver(node: self, plan: warming).run(deadline: deadline)
    }
    return try await BenchDriver(node: self, plan: plan).run(deadline: deadline).json
  }

  /// Each stands in memory until the end.
  private static let mostActors = 10_000_000

  /// At most an hour.
  private static func seconds(_ value: Double) -> Duration? {
    value > 0 && value <= 3600 ? Duration(seconds: value) : nil
  }
}

extension NodeRuntime {
  /// Makes actors without names, counts what they cost while they are idle, and lets them go.
  private func benchSpawn(_ plan: BenchPlan) throws -> BenchReport {
    let before = ResidentMemory.bytes()
    let began = clock.now()
    var actors: [ActorReference] = []
    actors.reserveCapacity(plan.count)
    defer { for actor in actors { actor.cell.stop(.benchmarkIsOver) } }
    for number in 0..<plan.count {
      if number & 1023 == 0 { try Task.checkCancellation() }
      actors.append(try spawnAnonymous(plan.target, nil))
    }
    let seconds = (clock.now() - began).inSeconds
    let bytes = ResidentMemory.bytes() - before
    var report = BenchReport(
      plan: plan, tally: BenchTally(sent: plan.count), delivered: plan.count, seconds: seconds)
    report.more = ["bytesPerActor": .number(Double(bytes) / Double(plan.count))]
    return report
  }
}

/// What a benchmark run does.
struct BenchPlan: Sendable {
  enum Work: String, Sendable {
    case tell, ask, spawn, names
  }

  var work = Work.ask
  var target = ""
  var clients = 1
  var count = 100_000
  var bodyBytes = 100
  /// Instead of a count: for so long.
  var duration: Duration?
  /// So many a second in all, whether answers come or not; nil is as fast as it goes.
  var rate: Double?
}

/// When one client of a benchmark sends next.
struct BenchPace {
  private let clock: any GridClock
  private let interval: Duration?
  private let end: MonotonicTime?
  private let count: Int
  private var sent = 0
  /// Whether nobody wants to know when a turn was.
  private let isUntimed: Bool
  private var due: MonotonicTime

  /// - Parameters:
  ///   - index: which client it is, from 0; the clients take turns.
  ///   - share: the messages of this client, where the plan counts them.
  init(plan: BenchPlan, index: Int, share: Int, clock: any GridClock) {
    self.clock = clock
    interval = plan.rate.flatMap { Duration(seconds: min(3600, Double(plan.clients) / $0)) }
    let now = clock.now()
    end = plan.duration.map { now + $0 }
    count = plan.duration == nil ? share : .max
    isUntimed = plan.work == .tell && plan.duration == nil && plan.rate == nil
    due = now + (interval ?? .zero) * Double(index) / Double(max(1, plan.clients))
  }

  /// Waits for the next turn: the time its latency counts from, or nil at the end.
  ///
  /// A client that is behind counts from when it should have sent, so that one slow answer shows in all it held up.
  mutating func next() async -> MonotonicTime? {
    // Seldom, and no look at the clock for nothing: this is counted with what is measured.
    guard sent < count, sent & 255 != 0 || !Task.isCancelled else { return nil }
    sent += 1
    if isUntimed { return due }
    let now = clock.now()
    guard let interval else { return end.map { now < $0 } ?? true ? now : nil }
    let turn = due
    due = due + interval
    if let end, turn >= end { return nil }
    guard turn > now else { return turn }
    try? await Task.sleep(for: turn - now)
    return clock.now()
  }
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
    let executor = isRemoteAsk ? LoopExecutor(node.eventLoop) : nil
    let tallies = await withTaskGroup(of: BenchTally.self) { group in
      for index in 0..<plan.clients {
        let share = plan.count / plan.clients + (index < plan.count % plan.clients ? 1 : 0)
        group.addTask(executorPreference: executor) {
          plan.work == .tell ? await tell(message, share, index) : await ask(message, share, index)
        }
      }
      return await group.reduce(into: BenchTally()) { $0.merge($1) }
    }
    var delivered: Int?
    if let before {
      // The sink's own count says what arrived; nobody else may be telling it meanwhile.
      while node.clock.now() < deadline {
        // What counts may be a program of anybody's, and say anything.
        delivered = await self.delivered(deadline).map { max(0, $0.subtractingClamped(before)) }
        if delivered ?? .max >= tallies.sent { break }
        try await Task.sleep(for: .milliseconds(1))
      }
    }
    return BenchReport(
      plan: plan, tally: tallies, delivered: delivered ?? tallies.latencies.count,
      seconds: (node.clock.now() - began).inSeconds)
  }

  private func delivered(_ deadline: MonotonicTime) async -> Int? {
    let reply = try? await PendingAsk.run(
      timeout: .seconds(60), deadlines: node.deadlines
    ) { route(Message(), .reply, $1, $0) }
    return (try? reply?.json())?.integerValue.map { Int(clamping: $0) }
  }

  private func route(
    _ message: Message, _ expectation: Envelope.Expectation, _ deadline: MonotonicTime, _ ask: PendingAsk
  ) {
    node.route(
      Envelope(target: plan.target, message: message, expectation: expectation, deadline: deadline, responder: ask),
      .here)
  }

  private func tell(_ message: Message, _ count: Int, _ index: Int) async -> BenchTally {
    var tally = BenchTally()
    var stream = MessageStream(node: node, target: plan.target, sender: "")
    var pace = BenchPace(plan: plan, index: index, share: count, clock: node.clock)
    while await pace.next() != nil {
      do {
        try await stream.send(message)
        tally.sent += 1
      } catch {
        tally.errors += 1
      }
    }
    return tally
  }

  private func ask(_ message: Message, _ count: Int, _ index: Int) async -> BenchTally {
    var tally = BenchTally()
    var pace = BenchPace(plan: plan, index: index, share: count, clock: node.clock)
    while let began = await pace.next() {
      tally.sent += 1
      do {
        _ = try await PendingAsk.run(timeout: .seconds(5), deadlines: node.deadlines) {
          route(message, .reply, $1, $0)
        }
        tally.latencies.record((node.clock.now() - began).wholeNanoseconds)
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
  var latencies = LatencyHistogram()

  mutating func merge(_ other: BenchTally) {
    sent += other.sent
    errors += other.errors
    latencies.merge(other.latencies)
  }
}

/// The result of a benchmark, with the field names of the JSON contract.
struct BenchReport: Sendable {
  let plan: BenchPlan
  let tally: BenchTally
  let delivered: Int
  let seconds: Double
  /// What only some works measure.
  var more: [String: JSONValue] = [:]

  var json: JSONValue {
    func percentile(_ share: Double) -> JSONValue {
      tally.latencies.percentile(share).map { .number(Double($0) / 1000) } ?? .null
    }
    let members: [String: JSONValue] = [
      "work": .string(plan.work.rawValue), "target": .string(plan.target), "clients": .integer(Int64(plan.clients)),
      "bodyBytes": .integer(Int64(plan.bodyBytes)), "sent": .integer(Int64(tally.sent)),
      "delivered": .integer(Int64(delivered)), "errors": .integer(Int64(tally.errors)), "seconds": .number(seconds),
      "perSecond": .number(seconds > 0 ? Double(delivered) / seconds : 0), "p50Micros": percentile(0.5),
      "p90Micros": percentile(0.9), "p99Micros": percentile(0.99), "p999Micros": percentile(0.999),
      "maxMicros": percentile(1),
    ]
    return .object(members.merging(more) { first, _ in first })
  }
}
