internal import Dispatch
internal import Grid
public import GridCore
internal import GridSystem
internal import Synchronization

/// The store behind one or several ``InMemoryCoordinationStore`` clients: what an etcd server is to its clients, with
/// handles to make go wrong what goes wrong with stores.
///
/// With a ``ManualClock``, leases are renewed and end when the clock is moved; with a real one, by a timer of the
/// server's own. Every method may be called from any task at once.
public final class InMemoryStoreServer: Sendable {
  struct Shared {
    var store = InMemoryStoreState()
    /// Clients whose renewals do not arrive.
    var silent: Set<ObjectIdentifier> = []
    /// Clients that cannot be reached and cannot reach us.
    var unreachable: Set<ObjectIdentifier> = []
    var losesNextAnswer = false
    var watchesArePaused = false
    /// Raised each time running watches are to break, or to start afresh.
    var breaks = 0
    var restarts = 0
    var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var nextTicket: UInt64 = 0

    mutating func takeWaiting() -> [CheckedContinuation<Void, Never>] {
      defer { waiting = [:] }
      return Array(waiting.values)
    }
  }

  let clock: any GridClock
  private let shared = Mutex(Shared())
  /// - Parameter clock: what leases are measured with; the machine's own when none is given.
  public init(clock: (any GridClock)? = nil) {
    self.clock = clock ?? SystemClock()
    if let manual = clock as? ManualClock {
      manual.onAdvance { [weak self] in self?.tick() }
    } else {
      Self.tickAgain(self)
    }
  }

  /// Looks after the leases every 20 ms for as long as somebody holds the server.
  private static func tickAgain(_ server: InMemoryStoreServer) {
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { [weak server] in
      guard let server else { return }
      server.tick()
      tickAgain(server)
    }
  }

  // MARK: What can go wrong

  /// Ends a lease as an administrator would: its entries go, its holder is told.
  public func endLease(_ identifier: Int64) {
    let ended = change { $0.store.endLease(identifier) }
    ended?.observer.leaseLost(GridError(.leaseLost, "lease \(identifier) was ended"))
  }

  /// Ends every lease.
  public func endAllLeases() {
    for identifier in withShared({ $0.store.leases.keys.sorted() }) { endLease(identifier) }
  }

  /// The leases that live, by identifier.
  public var leases: [StoreLease] {
    withShared { $0.store.leases.values.map(\.lease) }.sorted { $0.identifier < $1.identifier }
  }

  /// Stops a client's renewals, as a stopped or starved process does: its leases end when their time is up. Its other
  /// calls go on.
  public func pauseRenewals(of client: InMemoryCoordinationStore, isPaused: Bool = true) {
    withShared { shared in
      if isPaused { shared.silent.insert(client.identity) } else { shared.silent.remove(client.identity) }
    }
  }

  /// Cuts a client off: every call throws ``GridError/Code/unavailable``, renewals stop, watches hear nothing.
  public func setReachable(_ isReachable: Bool, for client: InMemoryCoordinationStore) {
    change { shared in
      if isReachable { shared.unreachable.remove(client.identity) } else { shared.unreachable.insert(client.identity) }
    }
  }

  /// Carries out the next transaction of any client, but lets its client believe that it failed.
  public func loseNextAnswer() { withShared { $0.losesNextAnswer = true } }

  /// Ends every running watch with ``GridError/Code/unavailable``.
  public func breakWatches() { change { $0.breaks += 1 } }

  /// Has every running watch start afresh from the complete state, as after a compaction.
  public func restartWatches() { change { $0.restarts += 1 } }

  /// Forgets all old revisions: watches that start from one before the present start from the complete state.
  public func compact() { change { $0.store.compact() } }

  /// Holds back what watches deliver, until it is called with false.
  public func pauseWatches(isPaused: Bool = true) { change { $0.watchesArePaused = isPaused } }

  // MARK: What clients use

  func withShared<Value>(_ body: (inout Shared) throws -> Value) rethrows -> Value {
    try shared.withLock { shared throws in try body(&shared) }
  }

  /// Changes what is shared and wakes the watches.
  @discardableResult
  func change<Value, Failure: Error>(_ body: (inout Shared) throws(Failure) -> Value) throws(Failure) -> Value {
    let (result, waiting) = shared.withLock { shared -> (Result<Value, Failure>, [CheckedContinuation<Void, Never>]) in
      do throws(Failure) {
        let value = try body(&shared)
        return (.success(value), shared.takeWaiting())
      } catch {
        return (.failure(error), shared.takeWaiting())
      }
    }
    for continuation in waiting { continuation.resume() }
    return try result.get()
  }

  /// Waits until something changed that `isDue` finds worth waking for, or the task is cancelled.
  func wait(until isDue: @Sendable (Shared) -> Bool) async {
    let ticket = withShared { shared in
      shared.nextTicket += 1
      return shared.nextTicket
    }
    while !Task.isCancelled, !withShared({ isDue($0) }) {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let isReady = withShared { shared in
            if Task.isCancelled || isDue(shared) { return true }
            shared.waiting[ticket] = continuation
            return false
          }
          if isReady { continuation.resume() }
        }
      } onCancel: {
        withShared { $0.waiting.removeValue(forKey: ticket) }?.resume()
      }
    }
  }

  /// Renews the leases of the clients that can, and ends those whose time is up.
  private func tick() {
    let now = clock.now()
    var renewed: [any LeaseObserver] = []
    var ended: [InMemoryStoreState.Lease] = []
    change { shared in
      for (identifier, held) in shared.store.leases.sorted(by: { $0.key < $1.key }) {
        if !shared.silent.contains(held.client), !shared.unreachable.contains(held.client) {
          guard now - held.renewedAt >= held.lease.timeToLive / 3 else { continue }
          shared.store.leases[identifier]?.renewedAt = now
          renewed.append(held.observer)
        } else if now - held.renewedAt >= held.lease.timeToLive, let lease = shared.store.endLease(identifier) {
          ended.append(lease)
        }
      }
    }
    for observer in renewed { observer.leaseRenewed(sentAt: now) }
    for lease in ended {
      lease.observer.leaseLost(GridError(.leaseLost, "lease \(lease.lease.identifier) was not renewed in time"))
    }
  }
}
