internal import DequeModule
internal import Glibc
internal import GridConcurrency
package import GridCore
internal import NIOCore
internal import NIOEmbedded
internal import Synchronization

/// An operating system's process in the simulated world: what runs in it runs on the world's one thread, as long as it
/// is neither hung nor dead.
///
/// ```
/// running ─hang▶ hung ─resume▶ running        what falls due meanwhile is done when it goes on
///     └────────die────┴───────▶ dead          nothing of it is ever run again
/// ```
package final class SimulatedProcess: Sendable {
  private enum Phase {
    case running
    case hung
    case dead
  }

  private struct State {
    var phase = Phase.running
    /// What fell due while it hung.
    var backlog: Deque<SimulatedWorld.Work> = []
    var hangs = 0
    var observer: (@Sendable () -> Void)?
  }

  package let name: String
  /// The machine it runs on: what the network knows.
  package let host: Int
  package let world: SimulatedWorld
  /// Its connections live on it; embedded in the world's thread.
  let loop: EmbeddedEventLoop
  private let state = Mutex(State())

  package init(name: String, host: Int, world: SimulatedWorld) {
    self.name = name
    self.host = host
    self.world = world
    loop = EmbeddedEventLoop()
    // A loop that is freed with work left ends the program, and the dead leave work behind.
    Graveyard.keep(loop)
  }

  package var isDead: Bool { state.withLock { $0.phase == .dead } }
  package var isRunning: Bool { state.withLock { $0.phase == .running } }

  /// Stops as SIGSTOP does.
  package func hang() {
    state.withLock { state in
      guard state.phase == .running else { return }
      state.phase = .hung
      state.hangs += 1
    }
  }

  /// How often it was stopped.
  package var hangs: Int { state.withLock { $0.hangs } }

  /// Goes on where it was stopped.
  package func resume() {
    let backlog = state.withLock { state -> Deque<SimulatedWorld.Work> in
      guard state.phase == .hung else { return [] }
      state.phase = .running
      defer { state.backlog = [] }
      return state.backlog
    }
    for work in backlog {
      perform(work)
      if world.plant == .resumesTwice, case .action = work { perform(work) }
    }
  }

  /// Has somebody look at it after whatever runs in it.
  package func observe(_ observer: @escaping @Sendable () -> Void) { state.withLock { $0.observer = observer } }

  /// Ends as SIGKILL does. Its connections are for the network to end.
  package func die() {
    let backlog = state.withLock { state in
      state.phase = .dead
      defer { state.backlog = [] }
      return state.backlog
    }
    for work in backlog { Graveyard.keep(work) }
  }

  /// Runs a piece of work now, later, or never.
  func perform(_ work: SimulatedWorld.Work) {
    let phase = state.withLock { state in
      if state.phase == .hung { state.backlog.append(work) }
      return state.phase
    }
    switch phase {
    case .hung: return
    case .dead: return Graveyard.keep(work)
    case .running: break
    }
    switch work {
    case .job(let job, let executor): job.runSynchronously(on: executor.asUnownedTaskExecutor())
    case .action(let action): action()
    }
    if isRunning { loop.run() }
    state.withLock { $0.phase == .running ? $0.observer : nil }?()
  }
}

/// What dead processes leave behind, kept: tasks that are never run again cannot be freed, and what they hold on to
/// must not be torn down as if they were alive.
enum Graveyard {
  private static let kept = Mutex<[any Sendable]>([])

  static func keep(_ remains: some Sendable) { kept.withLock { $0.append(remains) } }
}

/// Runs the tasks of a process on the world's thread.
package final class SimulatedExecutor: TaskExecutor {
  private let process: SimulatedProcess

  package init(_ process: SimulatedProcess) { self.process = process }

  package func enqueue(_ job: consuming ExecutorJob) {
    if pthread_self() != process.world.thread {
      process.world.fail("\(process.name) has waited outside of the simulation")
    }
    process.world.enqueue(.job(UnownedJob(job), self), of: process)
  }
}

/// The clocks of a process, and what it has asked them to call.
package final class SimulatedTimers: Timers {
  private let process: SimulatedProcess
  /// How far its calendar is from that of the world.
  private let skew = Atomic<Int64>(0)

  package init(_ process: SimulatedProcess) { self.process = process }

  package func now() -> MonotonicTime { process.world.now }

  package func date() -> CalendarTime {
    CalendarTime(
      millisecondsSince1970: process.world.date.millisecondsSince1970 + skew.load(ordering: .relaxed))
  }

  /// Sets the calendar, as an administrator does; the monotonic clock goes on.
  package func jump(by duration: Duration) {
    skew.wrappingAdd(duration.wholeNanoseconds / 1_000_000, ordering: .relaxed)
  }

  @discardableResult
  package func schedule(at time: MonotonicTime, _ action: @escaping @Sendable () -> Void) -> TimerToken {
    if process.world.strikes(.losesWakeUp, onceIn: 300) { return TimerToken(number: .max) }
    return process.world.schedule(at: time, for: process, action)
  }

  package func cancel(_ token: TimerToken) { process.world.cancel(token) }
}
