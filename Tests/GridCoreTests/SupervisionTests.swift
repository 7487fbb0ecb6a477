internal import GridCore
internal import Testing

@Suite struct BackoffTests {
  @Test func `each pause is twice the last one, up to the limit`() {
    let backoff = Backoff(first: .milliseconds(100), limit: .seconds(1))
    let pauses = (0..<7).map { backoff.pause(before: $0) }
    #expect(pauses == [100, 200, 400, 800, 1000, 1000, 1000].map { .milliseconds($0) })
  }

  @Test(arguments: [-1, Int.min, Int.max, 63, 1_000_000])
  func `no attempt number is out of range`(_ attempt: Int) {
    let backoff = Backoff(first: .milliseconds(1), limit: .seconds(3_000_000_000))
    let pause = backoff.pause(before: attempt)
    #expect(pause >= .milliseconds(1))
    #expect(pause <= .seconds(3_000_000_000))
  }

  @Test func `the first pause keeps to the limit, too`() {
    #expect(Backoff(first: .seconds(5), limit: .seconds(2)).pause(before: 0) == .seconds(2))
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `jitter only shortens, by its share at most`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let backoff = Backoff(first: .milliseconds(100), limit: .seconds(10), jitter: 0.5)
    var pauses: Set<Duration> = []
    for attempt in (0..<200).map({ $0 % 10 }) {
      let pause = backoff.pause(before: attempt, using: &generator)
      let whole = backoff.pause(before: attempt)
      #expect(pause <= whole && pause >= whole / 2 - .nanoseconds(1), "seed \(seed), attempt \(attempt): \(pause)")
      pauses.insert(pause)
    }
    #expect(pauses.count > 150)
    var again = SeededGenerator(seed: seed)
    var once = SeededGenerator(seed: seed)
    #expect(backoff.pause(before: 3, using: &again) == backoff.pause(before: 3, using: &once))
  }

  @Test func `without jitter no dice are rolled`() {
    var generator = SeededGenerator(seed: 1)
    var untouched = SeededGenerator(seed: 1)
    #expect(Backoff(first: .seconds(1), limit: .seconds(1)).pause(before: 1, using: &generator) == .seconds(1))
    #expect(generator.next() == untouched.next())
  }
}

@Suite struct RestartPolicyTests {
  @Test(arguments: [
    ("5/60s", 5, Duration.seconds(60)), ("1/250ms", 1, .milliseconds(250)), ("0/1h", 0, .seconds(3600)),
    ("1000000/1d", 1_000_000, .seconds(86_400)), ("never", 0, .seconds(60)),
  ])
  func `a policy is read`(_ text: String, _ count: Int, _ window: Duration) throws {
    let policy = try RestartPolicy(parsing: text)
    #expect(policy.maximumRestarts == count)
    #expect(policy.window == window)
    #expect(policy.backoff == RestartPolicy.standard.backoff)
  }

  @Test(arguments: [
    "", "5", "5/", "/60s", "5/60", "5/0", "5/0s", "-1/60s", "+5/60s", "5/-1s", "1000001/60s", "x/60s", "5/60s/1",
    "5 / 60s",
    "5,60s",
    "Never", "5/60s ", "99999999999999999999/60s", "1.5/60s",
  ])
  func `anything else is a usage error that shows the form`(_ text: String) {
    let error = #expect(throws: GridError.self) { try RestartPolicy(parsing: text) }
    #expect(error?.code == .usage)
    #expect(error?.hint?.contains("5/60s") == true)
  }

  @Test func `failures within the window spend the budget, older ones do not count`() {
    let policy = RestartPolicy(
      maximumRestarts: 3, window: .seconds(10), backoff: Backoff(first: .milliseconds(100), limit: .seconds(1)))
    var budget = RestartBudget(policy: policy)
    func second(_ number: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: number * 1_000_000_000) }
    #expect(budget.failed(at: second(0)) == .restart(after: .milliseconds(100)))
    #expect(budget.failed(at: second(4)) == .restart(after: .milliseconds(200)))
    #expect(budget.failed(at: second(8)) == .restart(after: .milliseconds(400)))
    #expect(budget.failed(at: second(10)) == .stop, "the first failure is exactly as old as the window")
    #expect(budget.failed(at: second(11)) == .restart(after: .milliseconds(400)), "the first one is forgotten")
    #expect(budget.failed(at: second(100)) == .restart(after: .milliseconds(100)), "all are forgotten")
  }

  @Test func `without a budget the first failure stops`() {
    var budget = RestartBudget(policy: RestartPolicy(maximumRestarts: 0))
    #expect(budget.failed(at: MonotonicTime(nanoseconds: 0)) == .stop)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `no window ever holds more restarts than the policy allows`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let policy = RestartPolicy(maximumRestarts: Int.random(in: 1...6, using: &generator), window: .seconds(10))
    var budget = RestartBudget(policy: policy)
    var now = MonotonicTime(nanoseconds: 0)
    var restarts: [MonotonicTime] = []
    for _ in 0..<500 {
      now = now + .milliseconds(Int64.random(in: 0...4000, using: &generator))
      let recent = restarts.filter { now - $0 <= .seconds(10) }.count
      let decision = budget.failed(at: now)
      #expect((decision == .stop) == (recent >= policy.maximumRestarts), "seed \(seed)")
      if decision != .stop { restarts.append(now) }
    }
  }
}

@Suite struct MailboxOptionsTests {
  @Test(arguments: [1, 10_000, 10_000_000])
  func `a capacity in range is accepted`(_ capacity: Int) throws {
    #expect(try MailboxOptions(capacity: capacity).validated().capacity == capacity)
  }

  @Test(arguments: [0, -1, 10_000_001, Int.max, Int.min])
  func `a capacity out of range is a usage error`(_ capacity: Int) {
    #expect(throws: GridError(.usage, "")) { try MailboxOptions(capacity: capacity).validated() }
  }
}
