internal import FoundationEssentials
internal import GridCore
internal import Synchronization

/// One lease that this process holds: when it was last certainly alive, and what it owns.
final class HeldLease: Sendable {
  private struct State {
    var renewedAt: MonotonicTime
    /// What was put under it and not taken away again since, with the revision of the put.
    var keys: [Data: Int64] = [:]
    var isEnded = false
    var task: Task<Void, Never>?
  }

  let lease: StoreLease
  private let observer: any LeaseObserver
  private let state: Mutex<State>

  init(_ lease: StoreLease, observer: any LeaseObserver, grantSentAt: MonotonicTime) {
    self.lease = lease
    self.observer = observer
    state = Mutex(State(renewedAt: grantSentAt))
  }

  var isEnded: Bool { state.withLock { $0.isEnded } }

  /// Until when it certainly lives: etcd counts from a later time than we.
  var validUntil: MonotonicTime { state.withLock { $0.renewedAt } + lease.timeToLive }

  func isKept(by task: Task<Void, Never>) { state.withLock { $0.task = task } }

  /// A keep-alive that was sent then was confirmed.
  func renewed(sentAt: MonotonicTime) {
    let isAlive = state.withLock { state in
      state.renewedAt = max(state.renewedAt, sentAt)
      return !state.isEnded
    }
    if isAlive { observer.leaseRenewed(sentAt: sentAt) }
  }

  /// Tells the observer, once; never when it was ended on purpose before.
  func lose(_ reason: GridError) {
    let isNews = state.withLock { state in
      defer { state.isEnded = true }
      return !state.isEnded
    }
    if isNews { observer.leaseLost(reason) }
  }

  /// Ends it on purpose; its keeper stops.
  func end() {
    let task = state.withLock { state in
      state.isEnded = true
      defer { state.task = nil }
      return state.task
    }
    task?.cancel()
  }

  // MARK: What it owns

  /// Takes note of a transaction that was carried out. `operations` have the keys as etcd knows them.
  func carriedOut(_ operations: [(key: Data, lease: Int64)], at revision: Int64) {
    state.withLock { state in
      for operation in operations {
        if operation.lease == lease.identifier {
          state.keys[operation.key] = max(revision, state.keys[operation.key] ?? 0)
        } else if let known = state.keys[operation.key], known <= revision {
          state.keys[operation.key] = nil
        }
      }
    }
  }

  /// One of its keys, to see whether it is still there; nil when it owns nothing.
  var witness: (key: Data, revision: Int64)? { state.withLock { $0.keys.first.map { ($0.key, $0.value) } } }

  /// Somebody took the key away, by `revision`.
  func forget(_ key: Data, upTo revision: Int64) {
    state.withLock { state in
      if let known = state.keys[key], known <= revision { state.keys[key] = nil }
    }
  }
}
