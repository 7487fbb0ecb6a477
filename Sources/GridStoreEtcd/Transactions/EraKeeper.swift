internal import GridCore
internal import Synchronization

/// Knows the era of the store, begins one where there is none, and sees to it that nothing is done in a wrong one.
final class EraKeeper: Sendable {
  private struct State {
    var era: Era?
    /// The newest revision that left the engine, in whatever era.
    var seen: Int64 = 0
    var changed: (@Sendable () -> Void)?
  }

  private let runner: TransactionRunner
  private let mark: RevisionMark
  private let clock: any GridClock
  private let place: String
  private let state = Mutex(State())

  /// How often something is tried again in another era.
  private static let attempts = 4

  init(runner: TransactionRunner, mark: RevisionMark, clock: any GridClock, place: String) {
    self.runner = runner
    self.mark = mark
    self.clock = clock
    self.place = place
  }

  /// - Parameter changed: called when the store turned out to be in another era than before.
  func onChange(_ changed: @escaping @Sendable () -> Void) { state.withLock { $0.changed = changed } }

  /// The era as last heard of, or as etcd has it now.
  func present() async throws(GridError) -> Era {
    if let era = state.withLock({ $0.era }) { return era }
    return try await read()
  }

  /// Whether nothing newer was heard of than that era.
  func isPresent(_ era: Era) -> Bool { state.withLock { $0.era == era } }

  /// The era as etcd has it now.
  func confirmed() async throws(GridError) -> Era {
    let era = try await present()
    let outcome = try await runner.run(StoreTransaction(then: [.get(key: era.proof)]))
    if era.isProved(by: outcome.reads.first.flatMap { $0 }) { return era }
    forget(era)
    return try await read()
  }

  // MARK: Work within an era

  /// Runs a transaction in the present era.
  func run(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome {
    // Where the second list writes, it must not be carried out for the mere reason that the era is over.
    let canDemand = transaction.failure.allSatisfy(\.isRead)
    let done = try await within { (era: Era) async throws(GridError) -> (StoreOutcome, Int64)? in
      var inner = era.inner(transaction)
      if canDemand {
        inner.comparisons.append(era.demand)
        inner.failure.append(.get(key: era.proof))
      } else if try await self.confirmed() != era {
        return nil
      }
      var outcome = try await self.runner.run(inner)
      if canDemand, !outcome.succeeded, !era.isProved(by: outcome.reads.popLast().flatMap { $0 }) { return nil }
      return (outcome, outcome.revision)
    }
    return done.era.outer(done.value)
  }

  /// Reads an entry in the present era.
  func entry(_ key: String) async throws(GridError) -> StoreEntry? {
    let found = try await within { (era: Era) async throws(GridError) -> (StoreEntry?, Int64)? in
      let outcome = try await self.runner.run(StoreTransaction(then: [.get(key: era.proof), .get(key: key)]))
      guard era.isProved(by: outcome.reads.first.flatMap { $0 }) else { return nil }
      return (outcome.reads.last.flatMap { $0 }, outcome.revision)
    }
    return found.value.map(found.era.outer)
  }

  /// Reads a page of a range in the present era.
  ///
  /// - Parameter read: reads it; the revision of the range is etcd's own.
  func page(
    _ range: StoreRange, _ read: @escaping @Sendable (StoreRange) async throws(GridError) -> StorePage
  ) async throws(GridError) -> StorePage {
    let done = try await within { (era: Era) async throws(GridError) -> (StorePage, Int64)? in
      var inner = range
      // A revision of another era says nothing: the page is one of the present.
      inner.revision = range.revision.map(era.inner).flatMap { (1..<Era.never).contains($0) ? $0 : nil }
      var page = try await read(inner)
      // A page of nothing but the keys of the era would look like the end.
      while page.hasMore, page.entries.allSatisfy({ Era.Key.isOurs($0.key) }), !page.entries.isEmpty {
        page = try await read(inner.following(page))
      }
      guard try await self.confirmed() == era else { return nil }
      return (page, page.revision)
    }
    return done.era.outer(done.value)
  }

  /// What was done, and in which era.
  private struct Done<Value: Sendable>: Sendable {
    var value: Value
    var era: Era
  }

  /// Runs `body` until the era was the present one while it ran.
  ///
  /// - Parameter body: nil when the era is over; else a value and the revision of etcd that it is of.
  private func within<Value: Sendable>(
    _ body: (Era) async throws(GridError) -> (Value, Int64)?
  ) async throws(GridError) -> Done<Value> {
    for _ in 0..<Self.attempts {
      let era = try await present()
      let seen = state.withLock { $0.seen }
      guard let (value, revision) = try await body(era) else {
        forget(era)
        continue
      }
      if era.outer(revision) < seen {
        // Put back to an older copy, it counts again what it has counted.
        try await replace(era)
        continue
      }
      note(era.outer(revision))
      return Done(value: value, era: era)
    }
    throw GridError(
      .unavailable, "etcd at \(place) was begun anew several times in a row: nothing can be told of it",
      hint: "is somebody restoring it? try again when that is done")
  }

  private func note(_ revision: Int64) { state.withLock { $0.seen = max($0.seen, revision) } }

  private func forget(_ era: Era) {
    let changed = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.era == era else { return nil }
      state.era = nil
      return state.changed
    }
    // What was heard of before says nothing about the store as it is now.
    mark.reset()
    changed?()
  }

  // MARK: Beginning one

  private func read() async throws(GridError) -> Era {
    for _ in 0..<Self.attempts {
      let outcome = try await runner.run(StoreTransaction(then: [.get(key: Era.Key.present)]))
      guard let entry = outcome.reads.first.flatMap({ $0 }) else {
        try await begin(.isAbsent(Era.Key.present), instead: nil)
        continue
      }
      guard let era = Era(entry) else {
        throw GridError(
          .unavailable, "etcd at \(place) has something else under \(Era.Key.present)",
          hint: "remove it: etcdctl del \(Era.Key.present)")
      }
      return try adopt(era, revision: outcome.revision)
    }
    throw GridError(.unavailable, "etcd at \(place) does not keep what is written to it", hint: EtcdFailure.hint)
  }

  private func adopt(_ era: Era, revision: Int64) throws(GridError) -> Era {
    let seen = state.withLock { state in
      if era.outer(revision) >= state.seen { state.era = era }
      return state.seen
    }
    guard era.outer(revision) < seen else { return era }
    // Begun by a node that knew less than we, and whose clock is behind: its tokens would be smaller than some in use.
    throw GridError(
      .unavailable, "etcd at \(place) was begun anew and counts behind what it counted before: its tokens would fall",
      hint: "set the clocks of the nodes right, then: etcdctl del --prefix \(Era.Key.prefix)")
  }

  /// Replaces an era in which etcd has gone back.
  private func replace(_ era: Era) async throws(GridError) {
    try await begin(era.demand, instead: era)
    forget(era)
  }

  /// Begins an era, unless somebody else has done so meanwhile.
  private func begin(_ condition: StoreComparison, instead former: Era?) async throws(GridError) {
    let (now, _) = clock.date().millisecondsSince1970.multipliedReportingOverflow(by: 1000)
    let base = max(1, now, state.withLock { $0.seen })
    var writes: [StoreOperation] = [
      .put(key: Era.Key.present, value: Array("\(base)".utf8), lease: 0),
      .put(key: Era.Key.proof(base), value: [], lease: 0),
    ]
    if let former, former.base != base { writes.append(.delete(key: former.proof)) }
    _ = try await runner.run(StoreTransaction(when: [condition], then: writes))
  }
}
