package import GridCore
internal import Synchronization

/// Until when a lease is certainly ours, readable from any thread in nanoseconds.
///
/// Counted from the *send* time of the last acknowledged renewal, less a margin: whoever grants the lease started its
/// clock later than we sent, so we stop acting as owner before anybody else may start.
package final class LeaseValidity: LeaseObserver {
  private let validUntil = Atomic<Int64>(.min)
  private let timeToLive: Duration
  private let lost: @Sendable (GridError) -> Void

  /// - Parameter lost: called at most once, on the store engine's thread.
  init(timeToLive: Duration, lost: @escaping @Sendable (GridError) -> Void) {
    self.timeToLive = timeToLive
    self.lost = lost
  }

  func isValid(at now: MonotonicTime) -> Bool { now.nanoseconds < validUntil.load(ordering: .relaxed) }

  package func leaseRenewed(sentAt: MonotonicTime) {
    let until = sentAt + timeToLive * 0.9
    // Renewals may be acknowledged out of order; validity only grows, and never again after the end.
    var current = validUntil.load(ordering: .relaxed)
    while current != .max - 1, current < until.nanoseconds {
      let (exchanged, original) = validUntil.compareExchange(
        expected: current, desired: until.nanoseconds, ordering: .relaxed)
      if exchanged { return }
      current = original
    }
  }

  package func leaseLost(_ reason: GridError) {
    invalidate()
    lost(reason)
  }

  func invalidate() { validUntil.store(.min, ordering: .relaxed) }
}
