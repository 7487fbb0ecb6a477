internal import GridConcurrency
package import GridCore
internal import Synchronization

/// This node's membership: its lease and record in the store, and the other nodes as the store has them.
///
/// ``run()`` joins, keeps the picture of the peers current, and joins again whenever the lease was lost, until it is
/// cancelled; ``leave()`` gives the lease back.
package final class Membership: MemberView {
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
    func leaderChanged(_ change: ClaimChange<LeaderRecord>)
  }

  private struct State {
    var record: NodeRecord?
    var lease: StoreLease?
    var validity: LeaseValidity?
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
  private let timers: any Timers
  private let timeToLive: Duration
  /// Where the named actors are.
  package let locator: StoreLocator
  package let leaders: StoreClaims
  package let tokens: StoreTokens
  private let nodes: StoreMirror<NodeRecord>
  private let state = Mutex(State())
  private let loss = Signal<Loss>()
  private let ownership: Ownership

  /// - Parameter ownershipMoved: told until when this node owns what its lease names whenever that is extended, and nil
  ///   when it has ended; on the store engine's thread, so it must not block.
  package init(
    store: any CoordinationStore, namespace: String, timers: any Timers, timeToLive: Duration = .seconds(5),
    ownershipMoved: @escaping @Sendable (MonotonicTime?) -> Void = { _ in }
  ) {
    ownership = Ownership(moved: ownershipMoved)
    let keys = StoreKeys(namespace: namespace)
    self.store = store
    self.keys = keys
    self.timers = timers
    self.timeToLive = timeToLive
    locator = StoreLocator(store: store, keys: keys, clock: timers)
    leaders = StoreClaims(store: store, keys: keys)
    tokens = StoreTokens(store: store, keys: keys)
    nodes = StoreMirror(store: store, prefix: keys.nodes) { Self.record($0, keys) }
  }

  package var peers: [NodeRecord] {
    let own = state.withLock { $0.ownName }
    return nodes.all.filter { $0.name != own }
  }

  /// Raised whenever ``peers`` may have changed.
  package var peersVersion: Int { nodes.version }

  package func peer(_ name: String) -> NodeRecord? {
    name == state.withLock { $0.ownName } ? nil : nodes[name]
  }

  /// The nodes as a store has them now, sorted by name.
  package static func nodes(
    in store: any CoordinationStore, namespace: String
  ) async throws(GridError) -> [NodeRecord] {
    let keys = StoreKeys(namespace: namespace)
    return try await store.range(prefix: keys.nodes).entries.compactMap { record($0, keys) }
  }

  /// The nodes as the store has them now, with this one, sorted by name.
  package func lookUpAll() async throws(GridError) -> [NodeRecord] {
    try await store.range(prefix: keys.nodes).entries.compactMap { Self.record($0, keys) }
  }

  package func lookUp(_ name: String) async throws(GridError) -> NodeRecord? {
    try await store.get(keys.node(name)).flatMap { Self.record($0, keys) }
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
    await withDiscardingTaskGroup { group in
      group.addTask {
        await self.repeatedly("nodes", observer) { whole in
          try await self.nodes.follow({ self.take($0, observer) }, whole: whole)
        }
      }
      group.addTask {
        await self.repeatedly("leaders", observer) { whole in
          try await self.leaders.follow({ observer.leaderChanged($0) }, whole: whole)
        }
      }
      group.addTask { await self.repeatedly("names", observer) { try await self.locator.follow($0) } }
      group.addTask { await self.repeatedly("tokens", observer) { try await self.tokens.follow($0) } }
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
      await timers.sleep(for: backoff.pause(before: attempt))
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
      let began = timers.now()
      do { try await body { observer.watchWorks(what) } } catch {
        let failure = GridError.wrapping(error, as: .unavailable, "what the store tells of \(what) cannot be followed")
        if attempt >= Self.quietFailures { observer.watchFailed(what, failure) }
      }
      attempt = timers.now() - began > .seconds(10) ? 0 : attempt + 1
      await timers.sleep(for: backoff.pause(before: attempt))
    }
  }

  /// What the watch of the nodes brings.
  private func take(_ event: StoreMirror<NodeRecord>.Event, _ observer: any Observer) {
    switch event {
    case .read(let revision):
      // What was read may be from before we joined; then the record is on its way.
      if let own = record?.name, nodes[own] == nil { checkOwnRecord(deletedAt: revision, name: own) }
    case .news(let news):
      guard news.name != state.withLock({ $0.ownName }) else {
        if news.value == nil { checkOwnRecord(deletedAt: news.revision, name: news.name) }
        return
      }
      if let peer = news.value {
        if news.before?.incarnation != peer.incarnation { observer.peerJoined(peer) }
      } else if let gone = news.before {
        observer.peerLeft(gone)
      }
    }
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

  private static func record(_ entry: StoreEntry, _ keys: StoreKeys) -> NodeRecord? {
    var record = NodeRecord(entry, under: keys.nodes)
    record?.incarnation = entry.createRevision
    return record
  }
}
