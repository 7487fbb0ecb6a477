internal import GridCore
internal import Synchronization

/// The actors that this node keeps running once in the namespace, and how well they do.
///
/// Each has the name of its kind. Safe to use from any thread.
final class SingletonOffice: Sendable {
  private struct State {
    var pacing = StartPacing()
    /// The epoch of the activation that is ended on purpose.
    var stopped: Int64?
    /// Whether it is being started here.
    var isStarting = false
    /// How an activation ended that was being started.
    var earlyEnd: GridError?
    /// What the actor's supervision ends it for.
    var fatal: GridError?

    /// For the pauses between two starts.
    var generator: any RandomNumberGenerator & Sendable

    mutating func failed(_ error: GridError, at now: MonotonicTime) -> Failure {
      let pause = pacing.failed(error.description, at: now, using: &generator)
      return Failure(error: error, count: pacing.failures, pause: pause)
    }
  }

  /// An end, or a start that did not come about, that nobody wanted.
  struct Failure: Sendable {
    var error: GridError
    /// How often it failed in a row.
    var count: Int
    /// Until it is started again.
    var pause: Duration
  }

  /// The names of the actors.
  let names: [String]
  private let states: Mutex<[String: State]>

  init(_ names: some Sequence<String>, generator: any RandomNumberGenerator & Sendable) {
    self.names = names.sorted()
    states = Mutex(Dictionary(self.names.map { ($0, State(generator: generator)) }) { first, _ in first })
  }

  /// How long until an actor may be started here.
  func pause(_ name: String, at now: MonotonicTime) -> Duration {
    states.withLock { $0[name].map { max(.zero, $0.pacing.nextStart - now) } ?? .zero }
  }

  /// Notes which activation runs, here or elsewhere.
  ///
  /// - Returns: whether the actor is well: it runs, and has done so for a while if it had failed.
  func runs(_ name: String, _ epoch: Int64?, at now: MonotonicTime) -> Bool {
    states.withLock { $0[name]?.pacing.runs(epoch, at: now) ?? false }
  }

  /// Notes that an activation is ended on purpose: by somebody's wish, or with the node or its lease.
  func willStop(_ name: String, epoch: Int64) { states.withLock { $0[name]?.stopped = epoch } }

  /// Notes that an actor failed, and whether it `ends` by that.
  func failed(_ name: String, _ error: GridError, ends: Bool, at now: MonotonicTime) {
    states.withLock { states in
      if ends {
        states[name]?.fatal = error
      } else {
        states[name]?.pacing.stumbled(error.description, at: now)
      }
    }
  }

  /// Notes that an actor is being started here: an end is how that went, until it is said.
  func starts(_ name: String) {
    states.withLock { states in
      states[name]?.isStarting = true
      states[name]?.earlyEnd = nil
    }
  }

  /// Notes how a start went.
  ///
  /// - Parameter error: what the actor is to blame for; nil when it has started, or something else was in the way.
  /// - Returns: nil when it did not fail.
  func hasStarted(_ name: String, _ error: GridError? = nil, at now: MonotonicTime) -> Failure? {
    states.withLock { states -> Failure? in
      let earlyEnd = states[name]?.earlyEnd
      states[name]?.isStarting = false
      states[name]?.earlyEnd = nil
      guard let error = error ?? earlyEnd else { return nil }
      return states[name]?.failed(error, at: now)
    }
  }

  /// Notes the end of an activation.
  ///
  /// - Returns: nil when it was ended on purpose, or while it was being started.
  func ended(_ name: String, epoch: Int64, _ reason: TerminationReason, at now: MonotonicTime) -> Failure? {
    states.withLock { states -> Failure? in
      guard let state = states[name] else { return nil }
      states[name]?.fatal = nil
      if state.stopped == epoch {
        states[name]?.pacing.stopped(at: now)
        return nil
      }
      if state.isStarting, state.fatal == nil {
        states[name]?.earlyEnd = GridError(.stopped, EventText.of(reason))
        return nil
      }
      return states[name]?.failed(state.fatal ?? GridError(.stopped, EventText.of(reason)), at: now)
    }
  }

  /// What is known here of an actor's failures.
  func report(_ name: String, of node: String, at now: MonotonicTime, _ date: CalendarTime) -> SingletonReport {
    let pacing = states.withLock { $0[name]?.pacing ?? StartPacing() }
    let pause = max(.zero, pacing.nextStart - now)
    return SingletonReport(
      name: name, keepers: [node], failures: pacing.failures, lastFailure: pacing.lastReason,
      nextStart: CalendarTime(
        millisecondsSince1970: date.millisecondsSince1970.addingClamped(pause.wholeNanoseconds / 1_000_000)))
  }
}
