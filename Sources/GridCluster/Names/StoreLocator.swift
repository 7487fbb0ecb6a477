internal import GridConcurrency
package import GridCore
internal import Synchronization

/// Where the named actors are: the claims of the store's actor entries.
///
/// A node remembers only what it used. A watch of all names corrects that, and wakes who waits for one; it is not kept.
package final class StoreLocator: Locator {
  private struct State {
    var cache = LocationCache()
    var counters = NameCounters()
    var doubts = DoubtfulClaims()
    /// The claims under one lease that were made here and not released: their epochs by name.
    var own: [String: Int64] = [:]
    var lease: Int64 = 0
    /// Some of the names there are.
    var sample: (near: String, names: [String], readAt: MonotonicTime)?
  }

  private let store: any CoordinationStore
  private let keys: StoreKeys
  private let clock: any GridClock
  private let state = Mutex(State())
  private let bell = ChangeBell()
  private let turns = ClaimTurns()

  package init(store: any CoordinationStore, keys: StoreKeys, clock: any GridClock) {
    self.store = store
    self.keys = keys
    self.clock = clock
  }

  // MARK: Finding

  package func cached(_ name: String) -> Location? { state.withLock { $0.cache.find(name) } }

  package func locate(_ name: String) async throws(GridError) -> Location? {
    let now = clock.now()
    let (known, isMissing) = state.withLock { ($0.cache.find(name), $0.cache.isMissing(name, at: now)) }
    if known != nil || isMissing { return known }
    return try await lookUp(name)
  }

  /// Whether nobody has the name by what was found out a moment ago.
  package func isMissing(_ name: String) -> Bool {
    let now = clock.now()
    return state.withLock { $0.cache.isMissing(name, at: now) }
  }

  package func lookUp(_ name: String) async throws(GridError) -> Location? {
    state.withLock { $0.cache.asks(name) }
    let found: Location?
    do throws(GridError) {
      found = try await store.get(keys.actor(name)).flatMap { Self.location($0, keys) }
    } catch {
      state.withLock { $0.cache.failed(name) }
      throw error
    }
    let now = clock.now()
    state.withLock { $0.cache.answered(name, found, at: now) }
    return found
  }

  /// Listens for the next change of a name; ask for it before looking.
  package func listen(for name: String) -> Ring { bell.listen(for: name) }

  /// A node says that a name is no longer with it, and where it heard of it last.
  package func moved(_ name: String, from node: String, to location: Location?) {
    state.withLock { $0.cache.moved(name, from: node, to: location) }
  }

  // MARK: Claiming

  package func claim(_ record: ActorRecord, lease: Int64) async throws(GridError) -> Int64 {
    try await turns.take(record.name) { () throws(GridError) in try await claimInTurn(record, lease: lease) }
  }

  private func claimInTurn(_ record: ActorRecord, lease: Int64) async throws(GridError) -> Int64 {
    let key = keys.actor(record.name)
    let transaction = StoreTransaction(
      when: [.isAbsent(key)], then: [.put(key: key, value: record.json.serialized(), lease: lease)],
      otherwise: [.get(key: key)])
    let former = state.withLock { state in
      if state.lease != lease { (state.own, state.lease) = ([:], lease) }
      return state.own[record.name]
    }
    let outcome: StoreOutcome
    do throws(GridError) {
      outcome = try await store.commit(transaction)
    } catch {
      guard error.code == .unavailable || error.code == .cancelled else { throw error }
      // The transaction may have been carried out all the same: what stands there now decides.
      if let entry = try? await store.get(key), entry.lease == lease, entry.createRevision != former,
        ActorRecord(entry, under: keys.actors) == record
      {
        return claimed(record.name, entry.createRevision, lease)
      }
      // Or it will be.
      state.withLock { $0.doubts.lost(record.name) }
      throw error
    }
    if outcome.succeeded { return claimed(record.name, outcome.revision, lease) }
    throw Self.taken(record.name, by: outcome.reads.first.flatMap { $0 }.flatMap { Self.location($0, keys) })
  }

  private func claimed(_ name: String, _ epoch: Int64, _ lease: Int64) -> Int64 {
    state.withLock { state in
      state.cache.claimed(name)
      state.doubts.settled(name)
      if state.lease == lease { state.own[name] = epoch }
    }
    return epoch
  }

  package func release(_ name: String, epoch: Int64) async throws(GridError) {
    let key = keys.actor(name)
    _ = try await store.commit(
      StoreTransaction(when: [.createRevision(key, equals: epoch)], then: [.delete(key: key)]))
    state.withLock { state in
      state.cache.released(name, epoch: epoch)
      if state.own[name] == epoch { state.own[name] = nil }
    }
  }

  /// The claims under a lease of which it was not known whether they were made, and that were, by name.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the store cannot be asked; then it is asked next time.
  package func doubtfulClaims(lease: Int64) async throws(GridError) -> [String: Int64] {
    let (names, everything) = state.withLock { $0.doubts.isEmpty ? ([], false) : $0.doubts.take() }
    var found: [String: Int64] = [:]
    for name in names {
      if let entry = try await store.get(keys.actor(name)), entry.lease == lease { found[name] = entry.createRevision }
    }
    guard everything else { return found }
    try await store.pages(of: StoreRange(prefix: keys.actors)) { page in
      for entry in page.entries where entry.lease == lease {
        found[StoreKeys.name(entry.key, under: keys.actors)] = entry.createRevision
      }
    }
    let all = found
    return state.withLock { state in
      let unknown = all.filter { state.own[$0.key] != $0.value }
      // Whoever acts on them looks a second time.
      for name in unknown.keys { state.doubts.saw(name) }
      return unknown
    }
  }

  // MARK: Names for people

  /// How long a sample will do, how often another one may be read, and how many names each half of one has.
  private static let sampleTime = Duration.seconds(1)
  private static let samplePause = Duration.milliseconds(100)
  private static let sampleSize = 256

  /// So many of the names that were heard of, in no order: of those that begin like the last one that was sampled for,
  /// of others, and of those that were used.
  package func names(atMost count: Int) -> [String] {
    state.withLock { state in
      let sample = state.sample?.names ?? []
      return Array(Set(sample + state.cache.names(atMost: max(0, count - sample.count))).prefix(count))
    }
  }

  /// Reads some names, for what is told of one that nobody has. What cannot be read now is not needed.
  package func sampleNames(near name: String) async {
    let beginning = String(name.prefix(2))
    let now = clock.now()
    let willDo = state.withLock { state in
      guard let sample = state.sample else { return false }
      return now - sample.readAt < (sample.near == beginning ? Self.sampleTime : Self.samplePause)
    }
    if willDo { return }
    var names: [String] = []
    for prefix in [keys.actors + beginning, keys.actors] {
      guard let page = try? await store.range(StoreRange(prefix: prefix, limit: Self.sampleSize)) else { return }
      names += page.entries.map { StoreKeys.name($0.key, under: keys.actors) }
    }
    let sample = (near: beginning, names: names, readAt: now)
    state.withLock { $0.sample = sample }
  }

  /// How many names with that beginning were heard of: counted in the store the first time, and by what the watch tells
  /// from then on.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the store cannot be asked.
  package func count(withPrefix prefix: String) async throws(GridError) -> Int {
    if let count = state.withLock({ $0.counters[prefix] }) { return count }
    var (count, start) = (0, Int64?.none)
    try await store.pages(of: StoreRange(prefix: keys.actors + prefix)) { page in
      let revision = start ?? page.revision
      start = revision
      // What came while it was read is told by the watch.
      count += page.entries.count { $0.createRevision <= revision }
    }
    let (first, revision) = (count, start ?? 0)
    return state.withLock { state in
      if let count = state.counters[prefix] { return count }
      state.counters.begin(prefix, from: first, at: revision)
      return first
    }
  }

  // MARK: Following

  /// Corrects what is remembered until the task is cancelled. Runs again after every fault the engine could not hide.
  ///
  /// - Parameter follows: called once it does.
  func follow(_ follows: () -> Void = {}) async throws {
    let revision = try await store.range(StoreRange(prefix: keys.actors, limit: 1)).revision
    forget()
    // What this node has claimed before is not told again.
    state.withLock { if $0.lease != 0 { $0.doubts.missed() } }
    follows()
    try await store.watch(prefix: keys.actors, after: revision) { [self] event in
      switch event {
      case .changes(let changes, _): take(changes)
      case .gap: forget()
      }
    }
  }

  private func forget() {
    state.withLock { state in
      state.cache.forgetAll()
      state.counters.forgetAll()
      state.doubts.forgetSeen()
    }
    bell.ringAll()
  }

  private func take(_ changes: [StoreChange]) {
    let named = changes.map { ($0, StoreKeys.name($0.key, under: keys.actors)) }
    state.withLock { state in
      for (change, name) in named {
        switch change {
        case .put(let entry):
          // Of names that nobody here has asked for not even the record is read.
          if state.cache.remembers(name) { state.cache.heard(name, Self.location(entry, keys)) }
          if entry.lease != 0, entry.lease == state.lease, state.own[name] != entry.createRevision {
            state.doubts.saw(name)
          }
          if entry.createRevision == entry.modifyRevision {
            state.counters.heard(name, isNew: true, at: entry.modifyRevision)
          }
        case .delete(_, let revision):
          state.cache.heardEnd(name, at: revision)
          state.doubts.sawEnd(name)
          state.counters.heard(name, isNew: false, at: revision)
        }
      }
    }
    for (_, name) in named { bell.ring(name) }
  }

  private static func location(_ entry: StoreEntry, _ keys: StoreKeys) -> Location? {
    ActorRecord(entry, under: keys.actors).map {
      Location(node: $0.node, incarnation: $0.incarnation, epoch: entry.createRevision, kind: $0.kind)
    }
  }

  private static func taken(_ name: String, by holder: Location?) -> GridError {
    let place = holder.map { ": it runs on \($0.node) as kind \($0.kind)" } ?? ""
    return GridError(
      .nameTaken, "the name \(name) is taken\(place)", hint: "choose another name, or pass --if-absent to accept it")
  }
}
