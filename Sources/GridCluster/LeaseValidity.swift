package import GridCore
internal import Synchronization

/// Until when this node certainly owns what its lease names, readable from any thread in a nanosecond.
///
/// Counted from the *send* time of the last acknowledged renewal, less a margin: whoever grants the lease started its
/// clock later than we sent, so we stop acting as owner before anybody else may start.
final class Ownership: Sendable {
  private let validUntil = Atomic<Int64>(.min)
  private let moved: @Sendable (MonotonicTime?) -> Void

  /// - Parameter moved: told whenever the ownership was extended, and with nil when it ended; never two at a time for
  ///   one lease.
  init(moved: @escaping @Sendable (MonotonicTime?) -> Void = { _ in }) { self.moved = moved }

  func isValid(at now: MonotonicTime) -> Bool { now.nanoseconds < validUntil.load(ordering: .relaxed) }

  func remaining(at now: MonotonicTime) -> Duration {
    let until = validUntil.load(ordering: .relaxed)
    return until > now.nanoseconds ? .nanoseconds(until - now.nanoseconds) : .zero
  }

  /// Validity only grows until it is ended: renewals may be acknowledged out of order.
  func extend(until time: MonotonicTime) {
    var current = validUntil.load(ordering: .relaxed)
    while current < time.nanoseconds {
      let (exchanged, original) = validUntil.compareExchange(
        expected: current, desired: time.nanoseconds, ordering: .relaxed)
      if exchanged { return moved(time) }
      current = original
    }
  }

  func end() {
    validUntil.store(.min, ordering: .relaxed)
    moved(nil)
  }
}

/// Follows one lease of the node and moves its ownership; of a lease that was lost nothing is heard any more.
package final class LeaseValidity: LeaseObserver {
  private let ownership: Ownership
  private let timeToLive: Duration
  private let isEnded = Mutex(false)
  private let lost: @Sendable (GridError) -> Void

  /// - Parameter lost: called at most once, on the store engine's thread.
  init(_ ownership: Ownership, timeToLive: Duration, lost: @escaping @Sendable (GridError) -> Void) {
    self.ownership = ownership
    self.timeToLive = timeToLive
    self.lost = lost
  }

  package func leaseRenewed(sentAt: MonotonicTime) {
    // One step with the look at the end: a renewal that overtakes an end must not bring the ownership back.
    isEnded.withLock { isEnded in
      if !isEnded { ownership.extend(until: sentAt + timeToLive * 0.9) }
    }
  }

  package func leaseLost(_ reason: GridError) {
    if invalidate() { lost(reason) }
  }

  /// Whether the lease was lost or given back.
  var hasEnded: Bool { isEnded.withLock { $0 } }

  /// - Returns: whether it was valid until now.
  @discardableResult
  func invalidate() -> Bool {
    isEnded.withLock { isEnded in
      defer { isEnded = true }
      if !isEnded { ownership.end() }
      return !isEnded
    }
  }
}
