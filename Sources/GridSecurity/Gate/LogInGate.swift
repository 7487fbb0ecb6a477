package import GridConcurrency
package import GridCore
package import GridLink
internal import Synchronization

/// Keeps out who has failed too often, and passes on what failed.
///
/// Called on event loops: nothing here waits. What becomes of a failure is done by whoever reads ``heard``.
package final class LogInGate: LinkGate {
  private let limit = Mutex(AttemptLimit())
  private let clock: any GridClock
  /// The attempts that were refused. Overflow: the newest are counted only.
  package let heard = BoundedQueue<LinkAttempt>(capacity: 1024, overflow: .dropNewest)

  package init(clock: any GridClock) { self.clock = clock }

  package func objection(to host: String) -> GridError? {
    let now = clock.now()
    guard let remaining = limit.withLock({ $0.remaining(HostGroup(host), at: now) }) else { return nil }
    let seconds = max(1, Int(remaining.inSeconds.rounded(.up)))
    return GridError(
      .retryLater, "too many log-ins from \(host) have failed", hint: "nobody from there is let in for \(seconds)s more"
    )
  }

  package func refused(_ attempt: LinkAttempt) {
    if attempt.isFailedProof {
      let now = clock.now()
      limit.withLock { $0.failed(HostGroup(attempt.host), at: now) }
    }
    if attempt.isWorthTelling { _ = heard.push(attempt) }
  }
}

extension LinkAttempt {
  /// Somebody who is not known here: not one of ours who comes at a bad time, nor another version.
  fileprivate var isFailedProof: Bool { error.code == .refused && !isProven && user == nil }

  /// Whoever was refused, and is to be told of; connections that break or say nothing are none.
  fileprivate var isWorthTelling: Bool { [.refused, .retryLater].contains(error.code) && !isProven }
}
