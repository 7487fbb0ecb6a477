internal import CReadline
internal import Glibc
internal import GridCore
internal import Synchronization

/// The thread that owns the terminal. It runs the jobs of ``Terminal``, and waits for keys, signals and times.
///
/// Readline keeps its state in globals and blocks while it writes, so it lives on a thread of its own. The queue of
/// jobs is as long as there are tasks that wait for the terminal.
final class TerminalThread: SerialExecutor {
  /// What the thread does between jobs.
  protocol Work: AnyObject, Sendable {
    /// Whether keys are waited for.
    var wantsKeys: Bool { get }
    /// When to call ``timePassed()`` at the latest, nil for no time.
    var wakeUpTime: MonotonicTime? { get }
    func keysCame()
    func signalCame(_ number: Int32)
    func timePassed()
  }

  private struct State {
    var jobs: [UnownedJob] = []
    var thread: pthread_t?
    var work: (any Work)?
  }

  private let state = Mutex(State())
  private let clock: any GridClock

  init(clock: any GridClock) { self.clock = clock }

  /// Starts the thread; only the first call does. It lives as long as the process.
  ///
  /// - Throws: ``GridError/Code/software`` when the machine gives no thread or pipe.
  func start(_ work: any Work) throws(GridError) {
    let isRunning = state.withLock { state in
      defer { state.work = work }
      return state.work != nil
    }
    if isRunning { return }
    let signals = grid_signals_open()
    guard signals >= 0 else {
      throw GridError(.software, "cannot watch the signals: \(String(cString: strerror(errno)))")
    }
    let box = Unmanaged.passRetained(Start(thread: self, signals: signals))
    var thread = pthread_t()
    let result = pthread_create(&thread, nil, { TerminalThread.enter($0) }, box.toOpaque())
    guard result == 0 else {
      box.release()
      throw GridError(.software, "cannot start the terminal's thread: \(String(cString: strerror(result)))")
    }
    pthread_detach(thread)
  }

  private final class Start {
    let thread: TerminalThread
    let signals: Int32

    init(thread: TerminalThread, signals: Int32) {
      self.thread = thread
      self.signals = signals
    }
  }

  private static func enter(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
    start.thread.run(signals: start.signals)
  }

  // MARK: Executor

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.jobs.append(job) }
    grid_signals_wake()
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  func isIsolatingCurrentContext() -> Bool? { isCurrent }

  func checkIsolated() {
    // The runtime asks only when it must know, and this is its way to end a program that broke its promise.
    if !isCurrent { abort() }
  }

  private var isCurrent: Bool {
    state.withLock { $0.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
  }

  /// Wakes the thread so that it looks at its times and at what it waits for again.
  func wake() { grid_signals_wake() }

  // MARK: Loop

  private func run(signals: Int32) -> Never {
    state.withLock { $0.thread = pthread_self() }
    while true {
      runJobs()
      guard let work = state.withLock({ $0.work }) else { continue }
      if let time = work.wakeUpTime, time <= clock.now() { work.timePassed() }
      var waits = [
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        // A negative descriptor is not looked at: what is typed while a command runs stays in the terminal.
        pollfd(fd: work.wantsKeys ? 0 : -1, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&waits, 2, patience(work)) > 0 else { continue }
      if waits[0].revents != 0 { readSignals(signals, work) }
      if waits[1].revents != 0, work.wantsKeys { work.keysCame() }
    }
  }

  private func runJobs() {
    let jobs = state.withLock { state in
      defer { state.jobs = [] }
      return state.jobs
    }
    for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
  }

  /// Milliseconds until the next time, rounded up; -1 for no time. Jobs that came meanwhile have left a byte in the
  /// pipe.
  private func patience(_ work: any Work) -> Int32 {
    guard let time = work.wakeUpTime else { return -1 }
    let rest = (time - clock.now()).wholeNanoseconds
    return Int32(clamping: max(0, rest) / 1_000_000 + 1)
  }

  private func readSignals(_ descriptor: Int32, _ work: any Work) {
    var buffer = [UInt8](repeating: 0, count: 64)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return }
      for byte in buffer.prefix(count) where byte != 0 { work.signalCame(Int32(byte)) }
    }
  }
}
