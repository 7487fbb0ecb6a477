package import GridCore
internal import Synchronization

extension ActorCell {
  /// The cell as `actors` and `inspect` show it.
  package func report(at now: MonotonicTime, withDetails: Bool) -> ActorReport {
    let (report, behavior) = state.withLock { state in
      (
        ActorReport(
          name: name, kind: kind.name, node: host.nodeName, status: state.status, mailbox: state.mailbox.depth,
          processed: state.processed - state.mailbox.lent, failures: state.failures, restarts: state.restarts,
          uptimeSeconds: (now - state.startedAt).inSeconds, epoch: epoch,
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

  /// The kind it was made from.
  package var kindName: String { kind.name }

  /// Messages waiting or being handled.
  package var depth: Int { state.withLock { $0.mailbox.depth } }
}
