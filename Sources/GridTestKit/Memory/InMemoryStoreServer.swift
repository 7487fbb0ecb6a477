internal import GridConcurrency
package import GridCore
internal import GridSystem
internal import Synchronization

/// The store behind one or several ``InMemoryCoordinationStore`` clients: what an etcd server is to its clients, with
/// handles to make go wrong what goes wrong with stores, and with ``StoreFaults`` that dice decide on.
///
/// It has no threads and no tasks: leases are renewed and end by the timers it is given. With a ``ManualClock`` that is
/// when the clock is moved. Every method may be called from any task at once.
package final class InMemoryStoreServer: Sendable {
  /// A lease as its holder sees it.
  struct Held {
    let lease: StoreLease
    let observer: any LeaseObserver
    /// The client that keeps it alive.
    let client: ObjectIdentifier
    var renewedAt: MonotonicTime

    var renewsAt: MonotonicTime { renewedAt + lease.timeToLive / 3 }
    var endsAt: MonotonicTime { renewedAt + lease.timeToLive }
  }

  struct Shared {
    var store = InMemoryStoreState()
    var held: [Int64: Held] = [:]
    /// Clients whose renewals do not arrive.
    var silent: Set<ObjectIdentifier> = []
    /// Clients that cannot be reached and cannot reach us.
    var unreachable: Set<ObjectIdentifier> = []
    var losesNextAnswer = false
    var watchesArePaused = false
    var isAway = false
    /// Raised each time running watches are to break, or to start afresh.
    var breaks = 0
    var restarts = 0
    var changed = Latch()
    var mischief: StoreMischief
    var alarm: (token: TimerToken, time: MonotonicTime)?

    /// The renewals of a client arrive.
    func hears(_ client: ObjectIdentifier) -> Bool {
      !isAway && !silent.contains(client) && !unreachable.contains(client)
    }
  }

  /// What leases are measured with.
  package let timers: any Timers
  private let shared: Mutex<Shared>

  /// - Parameters:
  ///   - timers: what time passes with; the machine's own when none are given.
  ///   - faults: what goes wrong.
  ///   - generator: decides when.
  package init(
    timers: (any Timers)? = nil, faults: StoreFaults = StoreFaults(),
    generator: any RandomNumberGenerator & Sendable = SeededDice(seed: 0)
  ) {
    self.timers = timers ?? MachineTimers()
    shared = Mutex(Shared(mischief: StoreMischief(faults, generator)))
    stays()
  }

  // MARK: What can go wrong

  /// Changes what goes wrong from now on. Absences go on as they were begun.
  package func setFaults(_ faults: StoreFaults) { withShared { $0.mischief.faults = faults } }

  /// Ends a lease as an administrator would: its entries go, its holder is told.
  package func endLease(_ identifier: Int64) {
    let held = change { shared in
      shared.store.endLease(identifier)
      return shared.held.removeValue(forKey: identifier)
    }
    held?.observer.leaseLost(GridError(.leaseLost, "lease \(identifier) was ended"))
  }

  /// Forgets a lease, as one did whose leader had been held up: its entries go, and its holder hears of it when it
  /// renews it.
  package func forgetLease(_ identifier: Int64) {
    change { $0.store.endLease(identifier) }
    tick()
  }

  /// Ends every lease.
  package func endAllLeases() {
    for identifier in withShared({ $0.store.leases.keys.sorted() }) { endLease(identifier) }
  }

  /// The leases that live, by identifier.
  package var leases: [StoreLease] {
    withShared { $0.store.leases }.map { StoreLease(identifier: $0.key, timeToLive: $0.value.timeToLive) }
      .sorted { $0.identifier < $1.identifier }
  }

  /// Stops a client's renewals, as a stopped or starved process does: its leases end when their time is up. Its other
  /// calls go on.
  package func pauseRenewals(of client: InMemoryCoordinationStore, isPaused: Bool = true) {
    withShared { shared in
      if isPaused { shared.silent.insert(client.identity) } else { shared.silent.remove(client.identity) }
    }
    tick()
  }

  /// Cuts a client off: every call throws ``GridError/Code/unavailable``, renewals stop, watches hear nothing.
  package func setReachable(_ isReachable: Bool, for client: InMemoryCoordinationStore) {
    change { shared in
      if isReachable { shared.unreachable.remove(client.identity) } else { shared.unreachable.insert(client.identity) }
    }
    tick()
  }

  /// Takes the store away from all its clients, or brings it back: leases end only after that.
  package func setAway(_ isAway: Bool) {
    let now = timers.now()
    change { shared in
      guard shared.isAway != isAway else { return }
      shared.isAway = isAway
      guard !isAway else { return }
      // Another leader has its own idea of the leases.
      for identifier in shared.store.leases.keys.sorted() {
        switch shared.mischief.leaseFate() {
        case .kept: break
        case .forgotten: shared.store.endLease(identifier)
        case .prolonged: shared.store.leases[identifier]?.renewedAt = now
        }
      }
    }
    tick()
  }

  /// Carries out the next transaction of any client, but lets its client believe that it failed.
  package func loseNextAnswer() { withShared { $0.losesNextAnswer = true } }

  /// Ends every running watch with ``GridError/Code/unavailable``.
  package func breakWatches() { change { $0.breaks += 1 } }

  /// Has every running watch miss what it has not told yet, as after a compaction.
  package func restartWatches() { change { $0.restarts += 1 } }

  /// Forgets all old revisions: watches that start from one before the present have a gap.
  package func compact() { change { $0.store.compact() } }

  /// Holds back what watches deliver, until it is called with false.
  package func pauseWatches(isPaused: Bool = true) { change { $0.watchesArePaused = isPaused } }

  /// Everything that is in the store, past all that goes wrong.
  package var entries: [StoreEntry] { withShared { $0.store.all } }

  /// Tells of every change when it happens, whatever watches hear of it; must not come back to the store.
  package func observe(_ observer: @escaping @Sendable ([StoreChange]) -> Void) {
    withShared { $0.store.observer = observer }
  }

  // MARK: What clients use

  func withShared<Value>(_ body: (inout Shared) throws -> Value) rethrows -> Value {
    try shared.withLock { shared throws in try body(&shared) }
  }

  /// Changes what is shared and wakes the watches.
  @discardableResult
  func change<Value, Failure: Error>(_ body: (inout Shared) throws(Failure) -> Value) throws(Failure) -> Value {
    let (result, changed) = shared.withLock { shared -> (Result<Value, Failure>, Latch) in
      defer { shared.changed = Latch() }
      do throws(Failure) { return (.success(try body(&shared)), shared.changed) } catch {
        return (.failure(error), shared.changed)
      }
    }
    changed.open()
    return try result.get()
  }

  /// Waits until something changed that `isDue` finds worth waking for, or the task is cancelled.
  func wait(until isDue: @Sendable (Shared) -> Bool) async {
    while !Task.isCancelled {
      guard let changed = withShared({ isDue($0) ? nil : $0.changed }) else { return }
      await changed.wait()
    }
  }

  /// Keeps a lease alive for its client.
  func hold(_ lease: StoreLease, _ observer: any LeaseObserver, client: ObjectIdentifier, sentAt: MonotonicTime) {
    withShared { shared in
      shared.held[lease.identifier] = Held(lease: lease, observer: observer, client: client, renewedAt: sentAt)
      setAlarm(&shared)
    }
  }

  // MARK: Time

  /// Renews the leases of the clients that can, and ends those whose time is up.
  private func tick() {
    let now = timers.now()
    var (renewed, lost): ([any LeaseObserver], [Held]) = ([], [])
    change { shared in
      for (identifier, held) in shared.held.sorted(by: { $0.key < $1.key }) {
        if shared.hears(held.client), now >= held.renewsAt {
          if shared.store.leases[identifier] == nil {
            lost.append(held)
            continue
          }
          shared.held[identifier]?.renewedAt = now
          shared.store.leases[identifier]?.renewedAt = now
          renewed.append(held.observer)
        } else if now >= held.endsAt {
          lost.append(held)
        }
      }
      for held in lost { shared.held[held.lease.identifier] = nil }
      if !shared.isAway {
        for (identifier, lease) in shared.store.leases.sorted(by: { $0.key < $1.key }) where now >= lease.endsAt {
          shared.store.endLease(identifier)
        }
      }
      setAlarm(&shared)
    }
    for observer in renewed { observer.leaseRenewed(sentAt: now) }
    for held in lost {
      held.observer.leaseLost(GridError(.leaseLost, "lease \(held.lease.identifier) was not renewed in time"))
    }
  }

  /// Sees to it that ``tick()`` runs when something is due.
  private func setAlarm(_ shared: inout Shared) {
    let ends = shared.isAway ? [] : shared.store.leases.values.map(\.endsAt)
    let renewals = shared.held.values.map { shared.hears($0.client) ? $0.renewsAt : $0.endsAt }
    guard let next = (ends + renewals).min(), next != shared.alarm?.time else { return }
    if let alarm = shared.alarm { timers.cancel(alarm.token) }
    let token = timers.schedule(at: next) { [weak self] in
      self?.withShared { if $0.alarm?.time == next { $0.alarm = nil } }
      self?.tick()
    }
    shared.alarm = (token, next)
  }

  /// Is there for a while, then away for a while, and so on.
  private func stays() {
    guard let presence = withShared({ $0.mischief.presence() }) else { return }
    timers.schedule(after: presence) { [weak self] in self?.leaves() }
  }

  private func leaves() {
    setAway(true)
    timers.schedule(after: withShared { $0.mischief.absence() }) { [weak self] in
      self?.setAway(false)
      self?.stays()
    }
  }
}
