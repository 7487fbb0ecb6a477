internal import FoundationEssentials
internal import GridCore

/// A transaction that was sent and whose answer was lost: what can be found out about it from what the store holds now.
///
/// Nothing is guessed. It was carried out when the store holds an entry that only it can have written: under a lease of
/// ours, with its value, younger than anything heard of before it was sent, while no other transaction of ours wrote
/// the same key. It was not when a comparison failed then already. Else the question stays open.
struct LostAnswer: Sendable {
  enum Verdict: Sendable, Equatable {
    case carriedOut(revision: Int64)
    case notCarriedOut
    case open
  }

  let transaction: StoreTransaction
  /// The newest revision heard of before the transaction was sent.
  let revisionBefore: Int64
  /// The leases that this process holds: nobody else writes under them.
  let ownLeases: Set<Int64>
  /// Whether another transaction of this process wrote one of its keys meanwhile.
  let isShared: Bool

  /// Whether sending it again cannot carry it out twice: its own success makes one of its comparisons fail, and its
  /// failure writes nothing.
  var canBeSentAgain: Bool {
    transaction.failure.allSatisfy(\.isRead)
      && transaction.comparisons.contains { comparison in
        transaction.success.contains { $0.breaks(comparison) }
      }
  }

  /// The keys to read for a verdict, each once.
  var witnesses: [String] {
    var seen: Set<Data> = []
    let written = transaction.success.filter { !$0.isRead }.map(\.key)
    return (written + transaction.comparisons.map(\.key)).filter { seen.insert(Data($0.utf8)).inserted }
  }

  /// - Parameter entries: what the witnesses' keys hold now, by their bytes; absent ones are left out.
  func verdict(_ entries: [Data: StoreEntry]) -> Verdict {
    var isOthers = false
    for case .put(let key, let value, let lease) in transaction.success where ownLeases.contains(lease) {
      guard let entry = entries[Data(key.utf8)] else { continue }
      guard entry.lease == lease, entry.value == value, entry.modifyRevision > revisionBefore else {
        isOthers = true
        continue
      }
      return isShared ? .open : .carriedOut(revision: entry.modifyRevision)
    }
    let hadFailed = transaction.comparisons.contains { comparison in
      guard let entry = entries[Data(comparison.key.utf8)] else { return false }
      return entry.modifyRevision <= revisionBefore && !comparison.holds(for: entry)
    }
    // An entry of somebody else where ours would be: we do not own it, whether we ever did or not.
    return hadFailed || isOthers ? .notCarriedOut : .open
  }

  static func error(_ cause: GridError) -> GridError {
    GridError(
      .unavailable, "etcd did not answer: whether the change was made is not known",
      hint: "look at what is there before repeating it", cause: cause.description)
  }
}

extension StoreComparison {
  fileprivate func holds(for entry: StoreEntry) -> Bool {
    switch self {
    case .isAbsent: false
    case .createRevision(_, let revision): entry.createRevision == revision
    case .modifyRevision(_, let revision): entry.modifyRevision == revision
    }
  }
}

extension StoreOperation {
  var key: String {
    switch self {
    case .put(let key, _, _), .delete(let key), .get(let key): key
    }
  }

  var isRead: Bool {
    if case .get = self { return true }
    return false
  }

  /// Whether the comparison fails once the operation was carried out.
  fileprivate func breaks(_ comparison: StoreComparison) -> Bool {
    guard key.utf8.elementsEqual(comparison.key.utf8) else { return false }
    switch (comparison, self) {
    case (.isAbsent, .put), (.modifyRevision, .put), (.modifyRevision, .delete), (.createRevision, .delete):
      return true
    default: return false
    }
  }
}
