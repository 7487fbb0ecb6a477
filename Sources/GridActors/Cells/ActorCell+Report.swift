package import GridCore
internal import Synchronization

extension ActorCell {
  /// The cell as `actors` and `inspect` show it.
  package func report(at now: MonotonicTime, withDetails: Bool) -> ActorReport {
    let (report, behavior) = state.withLock { state in
      (
        ActorReport(
          name: name, kind: kind.name, node: host.nodeName, status: state.status, mailbox: state.mailbox.depth,
          processed: state.processed, failures: state.failures, restarts: state.restarts,
          uptimeSeconds: (now - state.startedAt).inSeconds, epoch: epoch,
          inHand: min(1, state.mailbox.inHand), latency: state.latency(at: now),
          details: withDetails ? state.details(options: options) : [:]),
        state.behavior
      )
    }
    guard withDetails else { return report }
    var detailed = report
    if let command = request.command { detailed.details["exec"] = command.reportJSON }
    detailed.details.merge(behavior.details()) { first, _ in first }
    return detailed
  }

  /// What it has done and has to do, without the rest of its report.
  package struct Tally: Sendable {
    package var mailbox: Int
    package var processed: Int
    package var failures: Int
    package var restarts: Int
  }

  package var tally: Tally {
    state.withLock { state in
      Tally(
        mailbox: state.mailbox.depth, processed: state.processed, failures: state.failures, restarts: state.restarts)
    }
  }

  /// How long its messages wait and take.
  package func latency(at now: MonotonicTime) -> ActorReport.Latency { state.withLock { $0.latency(at: now) } }

  /// The kind it was made from.
  package var kindName: String { kind.name }

  /// What keeps an actor that is to stop, in words.
  package var holdings: String {
    let details = state.withLock { $0.behavior }.details()
    guard let process = details["pid"]?.integerValue else { return "its handler has not returned" }
    return "its program (process \(process)) still runs"
  }

  /// Messages waiting or being handled, and how many seconds the oldest of them has been there.
  package func load(at now: MonotonicTime) -> (depth: Int, oldestSeconds: Double?) {
    state.withLock { state in
      guard state.mailbox.depth > 0 else { return (0, nil) }
      return (state.mailbox.depth, state.ages(at: now).age)
    }
  }
}
