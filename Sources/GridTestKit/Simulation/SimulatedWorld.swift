internal import Glibc
package import GridCore
internal import Synchronization

/// Time, and whatever happens in it, for a whole cluster: one thread, one clock that jumps from event to event, one
/// seed.
///
/// What processes do lies in two places: actions that are due at a time (timers, arrivals on the network), and jobs of
/// their tasks, which are ready now. ``run(until:)`` runs all jobs, then moves the clock to the next action. Which of
/// several ready jobs is first is thrown with the dice, as no real machine promises an order either.
package final class SimulatedWorld: Sendable {
  /// Something of a process that is to be run.
  enum Work: Sendable {
    case job(UnownedJob, SimulatedExecutor)
    case action(@Sendable () -> Void)
  }

  private struct State {
    var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    var dice: SeededDice
    var events = EventQueue()
    var ready: [(SimulatedProcess, Work)] = []
    var steps = 0
    /// Jobs since the clock was moved last.
    var jobsAtThisTime = 0
    var failure: String?
  }

  /// The calendar when the world begins.
  private static let birth: Int64 = 1_767_225_600_000
  /// Jobs within one millisecond beyond which somebody spins.
  private static let spinLimit = 200_000

  private let state: Mutex<State>
  /// The one thread on which everything happens.
  let thread = pthread_self()
  /// Which fault is planted, if any.
  package let plant: Plant?
  package let trace: SimulationTrace

  package init(seed: UInt64, plant: Plant? = nil, trace: SimulationTrace = SimulationTrace()) {
    state = Mutex(State(dice: SeededDice(seed: seed)))
    self.plant = plant
    self.trace = trace
  }

  package var now: MonotonicTime { state.withLock { $0.now } }

  package var date: CalendarTime {
    CalendarTime(millisecondsSince1970: Self.birth + now.nanoseconds / 1_000_000 - 1_000_000)
  }

  /// Seconds since the world began.
  package var age: Double { Double(now.nanoseconds - 1_000_000_000_000) / 1e9 }

  /// How many jobs and actions were run.
  package var steps: Int { state.withLock { $0.steps } }

  /// Why the simulation itself cannot go on.
  package var failure: String? { state.withLock { $0.failure } }

  func fail(_ reason: String) { state.withLock { $0.failure = $0.failure ?? reason } }

  /// Throws the dice of the world.
  package func roll<Value>(_ body: (inout SeededDice) -> Value) -> Value { state.withLock { body(&$0.dice) } }

  /// Whether a planted fault strikes now.
  package func strikes(_ fault: Plant, onceIn times: Int) -> Bool {
    guard plant == fault else { return false }
    return roll { $0.once(in: times) }
  }

  // MARK: What is to happen

  /// Has `action` called at `time`, by `process` when it runs then; one that hangs does it when it goes on.
  @discardableResult
  package func schedule(
    at time: MonotonicTime, for process: SimulatedProcess? = nil, _ action: @escaping @Sendable () -> Void
  ) -> TimerToken {
    state.withLock { state in
      state.events.insert(EventQueue.Event(process: process, action: action), at: max(time, state.now))
    }
  }

  @discardableResult
  package func schedule(
    after duration: Duration, for process: SimulatedProcess? = nil, _ action: @escaping @Sendable () -> Void
  ) -> TimerToken {
    schedule(at: now + duration, for: process, action)
  }

  package func cancel(_ token: TimerToken) {
    let taken = state.withLock { $0.events.remove(token) }
    withExtendedLifetime(taken) {}
  }

  func enqueue(_ work: Work, of process: SimulatedProcess) { state.withLock { $0.ready.append((process, work)) } }

  // MARK: The course of things

  /// Lets time pass up to `end`, or until `isOver` says so after a step.
  package func run(until end: MonotonicTime, _ isOver: () -> Bool = { false }) {
    while failure == nil, !isOver() {
      if let due = takeDue(until: min(now, end)) {
        perform(due)
      } else if let (process, work) = takeReady() {
        process.perform(work)
      } else if let due = takeDue(until: end) {
        perform(due)
      } else {
        return state.withLock { $0.now = max($0.now, end) }
      }
    }
  }

  private func perform(_ event: EventQueue.Event) {
    if let process = event.process { process.perform(.action(event.action)) } else { event.action() }
  }

  /// A job takes some microseconds, so that whatever spins does not stop the clock.
  private func takeReady() -> (SimulatedProcess, Work)? {
    state.withLock { state in
      guard !state.ready.isEmpty else { return nil }
      // Some of the oldest compete; nobody waits for ever.
      let place = Int.random(in: 0..<min(4, state.ready.count), using: &state.dice)
      state.steps += 1
      state.now = state.now + .nanoseconds(Int64.random(in: 500...6000, using: &state.dice))
      state.jobsAtThisTime += 1
      if state.jobsAtThisTime > Self.spinLimit { state.failure = "somebody spins: no pause in 200 000 jobs" }
      return state.ready.remove(at: place)
    }
  }

  private func takeDue(until end: MonotonicTime) -> EventQueue.Event? {
    state.withLock { state in
      guard let (time, event) = state.events.next(until: end) else { return nil }
      if time > state.now { state.jobsAtThisTime = 0 }
      state.now = max(state.now, time)
      state.steps += 1
      return event
    }
  }
}
