/// When something that is to run all the time is started again. Pure: time and randomness come in.
///
/// Failures in a row count until it has been well for a while: what starts and fails at once is no better than what
/// does not start.
///
/// ```text
/// waiting ──started──▶ running ──well for a while──▶ running, failures forgotten
///    ▲                    │
///    └── failed, stopped ─┘
/// ```
package struct StartPacing: Sendable {
  /// Pauses between starts that fail: some tenths of a second at first, half a minute in the end. Nodes that keep the
  /// same thing do not start it in step.
  package static let standardBackoff = Backoff(first: .milliseconds(100), limit: .seconds(30), jitter: 0.2)

  private let backoff: Backoff
  private let wellAfter: Duration
  /// The activation that runs, and since when nothing of it has failed.
  private var running: (epoch: Int64, since: MonotonicTime)?
  /// How often it failed in a row.
  package private(set) var failures = 0
  /// Why it failed last; nil once it has been well.
  package private(set) var lastReason: String?
  /// Before this it is not started.
  package private(set) var nextStart = MonotonicTime(nanoseconds: .min)

  /// - Parameter wellAfter: how long it has to run without failing until earlier failures are forgotten.
  package init(backoff: Backoff = standardBackoff, wellAfter: Duration = .seconds(60)) {
    self.backoff = backoff
    self.wellAfter = wellAfter
  }

  /// Notes which activation runs, here or elsewhere, or that none does.
  ///
  /// - Returns: whether it is well: it runs, and no failure is remembered.
  package mutating func runs(_ epoch: Int64?, at now: MonotonicTime) -> Bool {
    guard let epoch else {
      running = nil
      return false
    }
    if running?.epoch != epoch { running = (epoch, now) }
    forget(at: now)
    return failures == 0
  }

  /// Notes that it failed and goes on by itself, as an actor that its supervision restarts.
  package mutating func stumbled(_ reason: String, at now: MonotonicTime) {
    note(reason, at: now)
    if let running { self.running = (running.epoch, now) }
  }

  /// Notes that it could not start, or that it ended although nobody wanted it to.
  ///
  /// - Returns: how long until it is started again.
  package mutating func failed(
    _ reason: String, at now: MonotonicTime, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    note(reason, at: now)
    let pause = backoff.pause(before: failures - 1, using: &generator)
    nextStart = now + pause
    running = nil
    return pause
  }

  /// Notes that it ended because somebody wanted it to: it may be started at once.
  package mutating func stopped(at now: MonotonicTime) {
    forget(at: now)
    running = nil
  }

  private mutating func note(_ reason: String, at now: MonotonicTime) {
    forget(at: now)
    failures = min(failures + 1, 1_000_000)
    lastReason = reason
  }

  private mutating func forget(at now: MonotonicTime) {
    guard let running, now - running.since >= wellAfter else { return }
    (failures, lastReason) = (0, nil)
  }
}
