internal import GridConcurrency
package import GridCore
internal import Synchronization

/// This node's membership: its lease and record in the store, and the other nodes as the store has them.
///
/// ``run()`` joins, keeps the picture of the peers current, and joins again whenever the lease was lost, until it is
/// cancelled; ``leave()`` gives the lease back.
package final class Membership: Sendable {
  /// Told of what changes; called from the task of ``run()``.
  package protocol Observer: AnyObject, Sendable {
    /// This node is a member now.
    func joined(_ record: NodeRecord)
    /// The lease ended without us wanting it: nothing this node owned is its own any more.
    func lostMembership(_ reason: GridError) async
    /// It could not join again, and tries further.
    func rejoinFailed(_ error: GridError)
    /// What the store tells of `what` (nodes, names, leaders) does not arrive; it is tried again.
    func watchFailed(_ what: String, _ error: GridError)
    /// It arrives, perhaps again.
    func watchWorks(_ what: String)
    /// A peer's record appeared or was replaced by a newer incarnation.
    func peerJoined(_ peer: NodeRecord)
    /// A peer's record is gone.
    func peerLeft(_ peer: NodeRecord)
    /// A leadership was won, given up or lost, by whomever.
    func leaderChanged(_ change: LeaderChange)
  }

  private struct State {
    var record: NodeRecord?
    var lease: StoreLease?
    var validity: LeaseValidity?
    var peers: [String: NodeRecord] = [:]
    var isLeaving = false
    /// How often it was tried to join; the number of the attempt that the present membership came from.
    var attempts = 0
    var membership = 0
    /// Leases that could not be given back: their engine keeps them alive, with what they may own.
    var unreturned: [StoreLease] = []
    /// Kept while the node is between two memberships.
    var ownName = ""
  }

  /// The end of the lease of one attempt to join.
  private struct Loss: Sendable {
    var attempt: Int
    var reason: GridError
  }

  private let store: any CoordinationStore
  private let keys: StoreKeys
  private let timeToLive: Duration
  package let directory: NameDirectory
  package let leaders: LeaderDirectory
  private let leaderChanges = LeaderObserver()
  private let state = Mutex(State())
  private let loss = Signal<Loss>()
  private let ownership: Ownership

  /// - Parameter ownershipMoved: told until when this node owns what its lease names whenever that is extended, and nil
  ///   when it has ended; on the store engine's thread, so it must not block.
  package init(
    store: any CoordinationStore, keys: StoreKeys, timeToLive: Duration = .seconds(5),
    ownershipMoved: @escaping @Sendable (MonotonicTime?) -> Void = { _ in }
  ) {
    ownership = Ownership(moved: ownershipMoved)
    self.store = store
    self.keys = keys
    self.timeToLive = timeToLive
    directory = NameDirectory(store: store, keys: keys)
    leaders = LeaderDirectory(store: store, keys: keys) { [leaderChanges] in leaderChanges.tell($0) }
  }

  /// The other nodes as last heard of.
  package var peers: [NodeRecord] { state.withLock { $0.peers.values.sorted { $0.name < $1.name } } }

  package func peer(_ name: String) -> NodeRecord? { state.withLock { $0.peers[name] } }

  /// The nodes as a store has them now, sorted by name.
  package static func nodes(in store: any CoordinationStore, keys: StoreKeys) async throws(GridError) -> [NodeRecord] {
    try await store.range(prefix: keys.nodes).entries.compactMap { NodeRecord($0, under: keys.nodes) }
  }

  /// The record of a node as the store has it now, or nil.
  package func lookUp(_ name: String) async throws(GridError) -> NodeRecord? {
    try await store.get(keys.node(name)).flatMap(record)
  }

  /// This node's record, nil while it is no member.
  package var record: NodeRecord? { state.withLock { $0.record } }

  /// Whether what this node owns is certainly still its own at that time.
  package func isValid(at now: MonotonicTime) -> Bool {
    ownership.isValid(at: now)
  }

  /// How long what this node owns is certainly still its own, counted from `now`; zero or less when it is not.
  package func remainingValidity(at now: MonotonicTime) -> Duration { ownership.remaining(at: now) }

  /// The lease that owns this node's entries.
  ///
  /// - Throws: ``GridError/Code/notServing`` while the node is no member.
  package func currentLease() throws(GridError) -> StoreLease {
    guard let lease = state.withLock({ $0.lease }) else {
      throw GridError(
        .notServing, "this node is not a member of the cluster at the moment: nothing was done",
        hint: "try again soon, or ask another node; gridctl check says why")
    }
    return lease
  }

  /// Joins for the first time.
  ///
  /// - Parameters:
  ///   - names: the names to try in order; the first that is free is taken.
  ///   - record: makes the record for a name.
  /// - Throws: ``GridError/Code/nameTaken`` when none is free.
  package func join(names: [String], record: @Sendable (String) -> NodeRecord) async throws(GridError) -> NodeRecord {
    await returnLeases()
    let attempt = state.withLock { state in
      state.attempts += 1
      return state.attempts
    }
    let validity = LeaseValidity(ownership, timeToLive: timeToLive) { [loss] in
      loss.raise(Loss(attempt: attempt, reason: $0))
    }
    let lease = try await store.grantLease(timeToLive: timeToLive, observer: validity)
    do throws(GridError) {
      let joined = try await register(names, lease, record)
      try begin(joined, lease, validity, attempt)
      return joined
    } catch {
      // Also when the answer alone was lost: the record may be there, and must not outlive the attempt.
      validity.invalidate()
      await giveBack(lease)
      throw error
    }
  }

  private func register(
    _ names: [String], _ lease: StoreLease, _ makeRecord: @Sendable (String) -> NodeRecord
  ) async throws(GridError) -> NodeRecord {
    for name in names {
      var record = makeRecord(name)
      let key = keys.node(name)
      let outcome: StoreOutcome
      do throws(GridError) {
        outcome = try await store.commit(
          StoreTransaction(
            when: [.isAbsent(key)],
            then: [.put(key: key, value: record.json.serialized(), lease: lease.identifier)]))
      } catch {
        // A lease that nobody uses would be renewed for as long as the process lives.
        try? await store.revoke(lease)
        throw error
      }
      guard outcome.succeeded else { continue }
      record.incarnation = outcome.revision
      return record
    }
    throw GridError(
      .nameTaken, "a node named \(names.last ?? "") is a member of the namespace already",
      hint: "choose another --name, or see: gridctl peers")
  }

  private func begin(
    _ record: NodeRecord, _ lease: StoreLease, _ validity: LeaseValidity, _ attempt: Int
  ) throws(GridError) {
    let isLeaving = state.withLock { state in
      guard !state.isLeaving else { return true }
      state.record = record
      state.ownName = record.name
      state.lease = lease
      state.validity = validity
      state.membership = attempt
      return false
    }
    if isLeaving { throw GridError(.cancelled, "the node is leaving the cluster") }
    // Lost before there was a membership to end: whoever waits for losses has passed that one by.
    if validity.hasEnded { loss.raise(Loss(attempt: attempt, reason: GridError(.leaseLost, "the lease has ended"))) }
  }

  /// Ends a lease; one whose end cannot be told to the store now is tried again before the next attempt to join.
  private func giveBack(_ lease: StoreLease) async {
    do throws(GridError) { try await store.revoke(lease) } catch { state.withLock { $0.unreturned.append(lease) } }
  }

  private func returnLeases() async {
    let leases = state.withLock { state in
      defer { state.unreturned = [] }
      return state.unreturned
    }
    for lease in leases { await giveBack(lease) }
  }

  /// Gives the lease back: the node's names are free at once.
  package func leave() async {
    let lease = state.withLock { state in
      state.isLeaving = true
      state.validity?.invalidate()
      defer { state.lease = nil }
      return state.lease
    }
    // A store that cannot be reached ends the lease by itself, later.
    if let lease { try? await store.revoke(lease) }
  }

  /// Keeps the pictures of peers and names current and rejoins after a lost lease, until cancelled.
  package func run(_ observer: any Observer, rejoinRecord: @escaping @Sendable (String) -> NodeRecord) async {
    leaderChanges.set(observer)
    await withDiscardingTaskGroup { group in
      group.addTask { await self.repeatedly("nodes", observer) { try await self.watchPeers(observer, $0) } }
      group.addTask { await self.repeatedly("leaders", observer) { try await self.leaders.watch($0) } }
      group.addTask { await self.repeatedly("names", observer) { try await self.directory.watch($0) } }
      while let loss = await loss.wait() {
        if state.withLock({ $0.isLeaving }) { break }
        guard let (name, lease) = endMembership(loss.attempt) else { continue }
        await observer.lostMembership(loss.reason)
        // Whatever the old lease still owns must not stand in the way of the new one.
        if let lease { await giveBack(lease) }
        await rejoin(name, observer, rejoinRecord)
      }
      group.cancelAll()
    }
  }

  /// Forgets the membership that came from an attempt; nil when it is not the present one.
  private func endMembership(_ attempt: Int) -> (name: String, lease: StoreLease?)? {
    state.withLock { state in
      guard state.membership == attempt else { return nil }
      defer {
        state.membership = 0
        state.lease = nil
        state.record = nil
      }
      return (state.ownName, state.lease)
    }
  }

  private func rejoin(
    _ name: String, _ observer: any Observer, _ record: @escaping @Sendable (String) -> NodeRecord
  ) async {
    let backoff = Backoff(first: .milliseconds(50), limit: .seconds(2))
    for attempt in 0... {
      if Task.isCancelled || state.withLock({ $0.isLeaving }) { return }
      do throws(GridError) {
        return observer.joined(try await join(names: [name], record: record))
      } catch {
        observer.rejoinFailed(error)
      }
      try? await Task.sleep(for: backoff.pause(before: attempt))
    }
  }

  /// How often a watch may fail in a row before it is told: one that breaks is begun again, and nobody misses anything.
  private static let quietFailures = 3

  /// - Parameter body: follows until it fails; calls what it is given once it follows.
  private func repeatedly(
    _ what: String, _ observer: any Observer, _ body: (_ follows: () -> Void) async throws -> Void
  ) async {
    let backoff = Backoff(first: .milliseconds(50), limit: .seconds(2))
    var attempt = 0
    while !Task.isCancelled {
      let began = ContinuousClock.now
      do { try await body { observer.watchWorks(what) } } catch {
        let failure = GridError.wrapping(error, as: .unavailable, "what the store tells of \(what) cannot be followed")
        if attempt >= Self.quietFailures { observer.watchFailed(what, failure) }
      }
      attempt = ContinuousClock.now - began > .seconds(10) ? 0 : attempt + 1
      try? await Task.sleep(for: backoff.pause(before: attempt))
    }
  }

  private func watchPeers(_ observer: any Observer, _ follows: () -> Void) async throws {
    let snapshot = try await store.range(prefix: keys.nodes)
    resynchronise(snapshot, observer)
    follows()
    try await store.watch(prefix: keys.nodes, after: snapshot.revision) { [self] event in
      switch event {
      case .resynchronised(let snapshot): resynchronise(snapshot, observer)
      case .changes(let changes, _):
        for change in changes {
          switch change {
          case .put(let entry): if let peer = record(entry) { appeared(peer, observer) }
          case .delete(let key, let revision):
            let name = keys.name(key, under: keys.nodes)
            checkOwnRecord(deletedAt: revision, name: name)
            disappeared(name, observer)
          }
        }
      }
    }
  }

  private func resynchronise(_ snapshot: StoreSnapshot, _ observer: any Observer) {
    let records = snapshot.entries.compactMap { self.record($0) }
    let known = state.withLock { Array($0.peers.keys) }
    for name in known where !records.contains(where: { $0.name == name }) { disappeared(name, observer) }
    if let own = record?.name, !records.contains(where: { $0.name == own }) {
      checkOwnRecord(deletedAt: snapshot.revision, name: own)
    }
    for record in records { appeared(record, observer) }
  }

  private func appeared(_ peer: NodeRecord, _ observer: any Observer) {
    let isNew = state.withLock { state in
      guard peer.name != state.ownName else { return false }
      return state.peers.updateValue(peer, forKey: peer.name)?.incarnation != peer.incarnation
    }
    if isNew { observer.peerJoined(peer) }
  }

  /// A node whose own record is gone has lost its lease, whatever its keep-alives say.
  private func checkOwnRecord(deletedAt revision: Int64, name: String) {
    let isLost = state.withLock { state in
      guard !state.isLeaving, let record = state.record, record.name == name else { return false }
      return record.incarnation < revision
    }
    if isLost { loseLease(GridError(.leaseLost, "the record of this node is gone from the store")) }
  }

  private func loseLease(_ reason: GridError) {
    let validity = state.withLock { $0.validity }
    validity?.leaseLost(reason)
  }

  private func disappeared(_ name: String, _ observer: any Observer) {
    if let gone = state.withLock({ $0.peers.removeValue(forKey: name) }) { observer.peerLeft(gone) }
  }

  private func record(_ entry: StoreEntry) -> NodeRecord? {
    var record = NodeRecord(entry, under: keys.nodes)
    record?.incarnation = entry.createRevision
    return record
  }
}

/// Passes what the leaders' watch brings to the observer of the membership.
private final class LeaderObserver: Sendable {
  private let observer = Mutex<(any Membership.Observer)?>(nil)

  func set(_ observer: any Membership.Observer) { self.observer.withLock { $0 = observer } }

  func tell(_ change: LeaderChange) { observer.withLock { $0 }?.leaderChanged(change) }
}
