internal import CProcessGuard
internal import Glibc
internal import GridConcurrency
package import GridCore
internal import Synchronization

/// The signals that ask this process to end, kept from ending it by themselves until they are given back.
///
/// Whoever holds them has to act on them: they queue here whether somebody waits or not, so that none is lost between
/// two things that a command waits for. One holder at a time in a process. Programs that are started meanwhile get the
/// default of every signal.
package final class TerminationSignals: Sendable {
  /// Those that a terminal, a shell, `timeout` and a service manager send.
  package static let all = [SIGHUP, SIGINT, SIGQUIT, SIGTERM]

  /// More than the first few say nothing new.
  private let queue = BoundedQueue<Int32>(capacity: 16)

  private enum Pipe {
    case closed
    case open(TerminationSignals?)
  }

  private static let pipe = Mutex(Pipe.closed)

  private init() {}

  /// Takes signals over. SIGHUP stays ignored where this process was started to survive it, as by `nohup`.
  ///
  /// - Throws: ``GridError/Code/software`` when they are taken already, or there is no pipe to be had.
  package static func take(_ numbers: [Int32] = all) throws(GridError) -> TerminationSignals {
    let signals = TerminationSignals()
    try pipe.withLock { pipe throws(GridError) in
      switch pipe {
      case .open(.some): throw GridError(.software, "the signals are taken already")
      case .open(nil): break
      case .closed: try open()
      }
      pipe = .open(signals)
      for number in numbers where number != SIGHUP || !grid_termination_is_ignored(SIGHUP) {
        grid_termination_take(number)
      }
    }
    return signals
  }

  private static func open() throws(GridError) {
    var descriptor: Int32 = -1
    var failure = grid_termination_open(&descriptor)
    let reading = descriptor
    if failure == 0 { failure = startThread(named: "signals") { read(reading) } }
    guard failure == 0 else {
      throw GridError(.software, "signals cannot be waited for: \(String(cString: strerror(failure)))")
    }
  }

  /// Hands signals to whoever holds them, until the process ends.
  private static func read(_ descriptor: Int32) {
    var number: UInt8 = 0
    while true {
      let count = Glibc.read(descriptor, &number, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return }
      let holder = pipe.withLock { pipe -> TerminationSignals? in
        if case .open(let holder) = pipe { return holder }
        return nil
      }
      _ = holder?.queue.push(Int32(number))
    }
  }

  /// The next signal, or nil when the task is cancelled; whoever asks again gets what came meanwhile.
  package func next() async -> Int32? { await queue.next() }

  /// Lets the signals do again what they did before.
  package func giveBack() {
    Self.pipe.withLock { pipe in
      guard case .open(let holder?) = pipe, holder === self else { return }
      grid_termination_give_back()
      pipe = .open(nil)
    }
  }

  /// Ignores SIGHUP from now on: for a process that has no terminal to lose.
  package static func ignoreHangUp() { grid_termination_ignore(SIGHUP) }

  /// Lets the signals in that end a process: a caller may have started us with some of them blocked, as processes are
  /// that a thread of Dispatch starts.
  package static func unblock() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in all { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
