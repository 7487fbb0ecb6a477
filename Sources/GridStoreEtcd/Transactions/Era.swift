internal import GridCore

/// The term that the revisions of an etcd are counted in: it is put in front of every revision that leaves the engine,
/// so that fencing tokens, epochs and incarnations grow also where etcd has forgotten everything and counts from 1
/// again, or was put back to an older copy.
///
/// Its base is the time, in microseconds since 1970, at which the first node found the store without one: later than
/// that of every store before, by more than etcd can have counted since, and larger than what that node remembers. It
/// stands in etcd itself (``Key``), and every transaction demands that it stands there still.
struct Era: Sendable, Equatable {
  /// What is added to etcd's revisions.
  let base: Int64
  /// The revision of etcd at which it began.
  let beginning: Int64

  /// Where it is kept. No namespace begins with a point.
  enum Key {
    static let prefix = "/gridctl/.era"
    /// The present base, as text.
    static let present = prefix
    /// There only as long as that base is the present one: what transactions demand.
    static func proof(_ base: Int64) -> String { "\(prefix)/\(base)" }
    static func isOurs(_ key: String) -> Bool { key.utf8.starts(with: prefix.utf8) }
  }

  var proof: String { Key.proof(base) }

  init(base: Int64, beginning: Int64) {
    self.base = base
    self.beginning = beginning
  }

  /// - Parameter entry: what stands under ``Key/present``.
  /// - Returns: nil where that is something else.
  init?(_ entry: StoreEntry) {
    guard let base = Int64(String(decoding: entry.value, as: UTF8.self)), base > 0 else { return nil }
    self.init(base: base, beginning: entry.modifyRevision)
  }

  /// A revision as the port knows it.
  func outer(_ revision: Int64) -> Int64 { base.addingClamped(revision) }

  /// A revision as etcd knows it; one that it never has, for one of another era.
  func inner(_ revision: Int64) -> Int64 {
    revision > base ? revision - base : revision == 0 ? 0 : Self.never
  }

  /// No store comes so far.
  static let never = Int64.max - 1

  // MARK: What crosses the border

  func outer(_ entry: StoreEntry) -> StoreEntry {
    var entry = entry
    entry.createRevision = outer(entry.createRevision)
    entry.modifyRevision = outer(entry.modifyRevision)
    return entry
  }

  func outer(_ outcome: StoreOutcome) -> StoreOutcome {
    StoreOutcome(
      succeeded: outcome.succeeded, revision: outer(outcome.revision), reads: outcome.reads.map { $0.map(outer) })
  }

  /// Without the keys of the era itself.
  func outer(_ page: StorePage) -> StorePage {
    StorePage(
      entries: page.entries.filter { !Key.isOurs($0.key) }.map(outer), revision: outer(page.revision),
      hasMore: page.hasMore)
  }

  func outer(_ changes: [StoreChange]) -> [StoreChange] {
    changes.filter { !Key.isOurs($0.key) }.map { change in
      switch change {
      case .put(let entry): .put(outer(entry))
      case .delete(let key, let revision): .delete(key: key, revision: outer(revision))
      }
    }
  }

  func inner(_ transaction: StoreTransaction) -> StoreTransaction {
    var inner = transaction
    inner.comparisons = transaction.comparisons.map { comparison in
      switch comparison {
      case .isAbsent: comparison
      case .createRevision(let key, let revision): .createRevision(key, equals: self.inner(revision))
      case .modifyRevision(let key, let revision): .modifyRevision(key, equals: self.inner(revision))
      }
    }
    return inner
  }

  /// What etcd is asked to compare so that the era is the present one.
  var demand: StoreComparison { .createRevision(proof, equals: beginning) }

  func isProved(by entry: StoreEntry?) -> Bool { entry?.createRevision == beginning }
}
