internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import GridSystem

/// When one client of a benchmark sends next.
struct BenchPace {
  private let timers: any Timers
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
  init(plan: BenchPlan, index: Int, share: Int, timers: any Timers) {
    self.timers = timers
    interval = plan.rate.flatMap { Duration(seconds: min(3600, Double(plan.clients) / $0)) }
    let now = timers.now()
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
    let now = timers.now()
    guard let interval else { return end.map { now < $0 } ?? true ? now : nil }
    let turn = due
    due = due + interval
    if let end, turn >= end { return nil }
    guard turn > now else { return turn }
    await timers.sleep(until: turn)
    return timers.now()
  }
}

/// Drives one benchmark from inside a node: `clients` tasks that send as fast as flow control lets them.
struct BenchDriver: Sendable {
  let parts: BenchParts
  let plan: BenchPlan

  func run(deadline: MonotonicTime) async throws -> BenchReport {
    let message = Message(body: [UInt8](repeating: UInt8(ascii: "x"), count: plan.bodyBytes), contentType: .bytes)
    let before = plan.work == .tell ? await delivered(deadline) : nil
    let began = parts.timers.now()
    // Who asks actors of other nodes waits for a connection; on its thread no hand-over adds to the round trip.
    let isRemoteAsk = plan.work == .ask && parts.cells[plan.target] == nil
    let executor = isRemoteAsk ? parts.executor : nil
    let tallies = await withTaskGroup(of: BenchTally.self) { group in
      for index in 0..<plan.clients {
        let share = plan.share(of: index)
        group.addTask(executorPreference: executor) {
          plan.work == .tell ? await tell(message, share, index) : await ask(message, share, index)
        }
      }
      return await group.reduce(into: BenchTally()) { $0.merge($1) }
    }
    var delivered: Int?
    if let before {
      // The sink's own count says what arrived; nobody else may be telling it meanwhile.
      while parts.timers.now() < deadline {
        // What counts may be a program of anybody's, and say anything.
        delivered = await self.delivered(deadline).map { max(0, $0.subtractingClamped(before)) }
        if delivered ?? .max >= tallies.sent { break }
        await parts.timers.sleep(for: .milliseconds(1))
        try Task.checkCancellation()
      }
    }
    return BenchReport(
      plan, tallies, delivered: delivered ?? tallies.latencies.count,
      seconds: (parts.timers.now() - began).inSeconds)
  }

  private func delivered(_ deadline: MonotonicTime) async -> Int? {
    let reply = try? await PendingAsk.run(
      timeout: .seconds(60), deadlines: parts.deadlines
    ) { ask(Message(), $1, $0) }
    return (try? reply?.json())?.integerValue.map { Int(clamping: $0) }
  }

  private func ask(_ message: Message, _ deadline: MonotonicTime, _ ask: PendingAsk) {
    parts.router.route(
      Envelope(
        target: plan.target, message: message, expectation: .reply,
        // Who counts a flood asks in the middle of it.
        waitsForRoom: plan.work == .tell, deadline: deadline, responder: ask),
      .here)
  }

  private func tell(_ message: Message, _ count: Int, _ index: Int) async -> BenchTally {
    var tally = BenchTally()
    var stream = MessageStream(router: parts.router, cells: parts.cells, target: plan.target, sender: "")
    var pace = BenchPace(plan: plan, index: index, share: count, timers: parts.timers)
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
    var pace = BenchPace(plan: plan, index: index, share: count, timers: parts.timers)
    while let began = await pace.next() {
      tally.sent += 1
      do {
        _ = try await PendingAsk.run(timeout: .seconds(5), deadlines: parts.deadlines) {
          ask(message, $1, $0)
        }
        tally.latencies.record((parts.timers.now() - began).wholeNanoseconds)
      } catch {
        tally.errors += 1
      }
    }
    return tally
  }
}
