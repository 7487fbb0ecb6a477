internal import GridConcurrency
package import GridCore
internal import GridRequests

/// The tokens of the namespace: the entries of the store, and this node's picture of them.
///
/// The picture answers at once, so that whoever connects is known; what is changed is decided by the store's
/// transactions alone.
package final class StoreTokens: Sendable {
  private struct Held: Sendable {
    var record: TokenRecord
    /// The revision of its last change.
    var revision: Int64
  }

  /// Of changes at once each takes one; with so many something is wrong.
  private static let mostAttempts = 16

  private let store: any CoordinationStore
  private let keys: StoreKeys
  private let mirror: StoreMirror<Held>
  private let read = Latch()
  private let changes = Signal<Void>()

  package init(store: any CoordinationStore, keys: StoreKeys) {
    self.store = store
    self.keys = keys
    mirror = StoreMirror(store: store, prefix: keys.tokens) { entry in
      TokenRecord(entry, under: keys.tokens).map { Held(record: $0, revision: entry.modifyRevision) }
    }
  }

  // MARK: The picture

  package subscript(identifier: String) -> TokenRecord? { mirror[identifier]?.record }

  /// Every token that was heard of, by identifier.
  package var all: [TokenRecord] { mirror.all.map(\.record) }

  /// Returns once everything was read for the first time, or after `limit`.
  package func waitUntilRead(atMost limit: Duration, on timers: any Timers) async {
    await read.wait(atMost: limit, on: timers)
  }

  /// Returns when the picture may have changed, after `limit`, or when the task is cancelled. One task waits at a time.
  package func waitForChange(atMost limit: Duration?, on timers: any Timers) async {
    if let limit { await changes.wait(atMost: limit, on: timers) } else { await changes.wait() }
  }

  /// Returns when a change has been heard of here.
  ///
  /// - Returns: false when that has not come within `limit`.
  package func hears(
    of identifier: String, revision: Int64, atMost limit: Duration, on timers: any Timers
  ) async -> Bool {
    let end = timers.now() + limit
    while true {
      let ring = mirror.listen(for: identifier)
      if let held = mirror[identifier], held.revision >= revision { return true }
      let left = end - timers.now()
      guard left > .zero, !Task.isCancelled else { return false }
      await ring.wait(atMost: left, on: timers)
    }
  }

  /// Keeps the picture current until the task is cancelled.
  func follow(_ whole: () -> Void = {}) async throws {
    try await mirror.follow({ [changes] _ in changes.raise() }) {
      read.open()
      whole()
    }
  }

  // MARK: The store

  /// Every token as the store has them now, by identifier.
  package func lookUpAll() async throws(GridError) -> [TokenRecord] {
    try await store.range(prefix: keys.tokens).entries.compactMap { TokenRecord($0, under: keys.tokens) }
  }

  /// Keeps what is to be known of a new token.
  ///
  /// - Returns: the revision at which it is known. Asked again for the same one, it is the same.
  /// - Throws: ``GridError/Code/nameTaken`` when there is another one of that identifier.
  package func create(_ record: TokenRecord) async throws(GridError) -> Int64 {
    let key = keys.token(record.name)
    let outcome = try await store.commit(
      StoreTransaction(
        when: [.isAbsent(key)], then: [.put(key: key, value: record.json.serialized(), lease: 0)],
        otherwise: [.get(key: key)]))
    guard !outcome.succeeded else { return outcome.revision }
    guard let entry = outcome.reads.first.flatMap({ $0 }), let there = TokenRecord(entry, under: keys.tokens),
      there.storedKey == record.storedKey, there.serverKey == record.serverKey
    else { throw GridError(.nameTaken, "there is another token \(record.name)", hint: "make one anew") }
    return entry.modifyRevision
  }

  /// Changes what is kept of a token, unless somebody else does at that very moment: then it is looked at again.
  ///
  /// - Parameter change: false when there is nothing to change; what it throws is thrown.
  /// - Returns: what is kept, and the revision at which that is known.
  /// - Throws: ``GridError/Code/notFound`` when nothing is kept of such a token.
  package func change(
    _ identifier: String, _ change: (inout TokenRecord) throws(GridError) -> Bool
  ) async throws(GridError) -> (record: TokenRecord, revision: Int64) {
    let key = keys.token(identifier)
    for _ in 0..<Self.mostAttempts {
      guard let entry = try await store.get(key), var record = TokenRecord(entry, under: keys.tokens) else {
        throw GridError(.notFound, "no token \(NameRules.quoted(identifier))", hint: "see: gridctl token list")
      }
      guard try change(&record) else { return (record, entry.modifyRevision) }
      let outcome = try await store.commit(
        StoreTransaction(
          when: [.modifyRevision(key, equals: entry.modifyRevision)],
          then: [.put(key: key, value: record.json.serialized(), lease: 0)]))
      if outcome.succeeded { return (record, outcome.revision) }
    }
    throw GridError(.retryLater, "token \(identifier) is being changed by others", hint: "try again")
  }

  /// Uses up a token that is good for one connection: of several at once one does.
  ///
  /// - Throws: ``GridError/Code/refused`` when it is good for nothing any more.
  package func use(_ identifier: String, at now: CalendarTime) async throws(GridError) {
    _ = try await change(identifier) { record throws(GridError) in
      if let objection = record.objection(at: now) { throw objection }
      record.usedAt = now
      return true
    }
  }

  /// Marks a token as revoked; of one that is, the time stays.
  package func revoke(
    _ identifier: String, at now: CalendarTime
  ) async throws(GridError) -> (record: TokenRecord, revision: Int64) {
    try await change(identifier) { record throws(GridError) in
      guard record.revokedAt == nil else { return false }
      record.revokedAt = now
      return true
    }
  }

  /// Forgets the tokens that nobody needs to be told of any more.
  package func forgetEnded(at now: CalendarTime) async throws(GridError) {
    for held in mirror.all where held.record.forgottenAt <= now {
      let key = keys.token(held.record.name)
      _ = try await store.commit(
        StoreTransaction(when: [.modifyRevision(key, equals: held.revision)], then: [.delete(key: key)]))
    }
  }
}
