/// What is known of the entries under a prefix of the store. Pure.
///
/// A reading goes page by page, and the pages may be of different revisions; what changed after the first page is told
/// by the watch. So a change counts only where it is newer than what is known of its key, and where it was not told
/// before: told late, or again, it is no news.
struct MirrorState<Value: Sendable>: Sendable {
  /// An entry that is kept.
  struct Held: Sendable {
    var value: Value
    /// The revision of its last change.
    var modified: Int64
  }

  /// A change of one entry.
  struct News: Sendable {
    var name: String
    /// What was there before.
    var before: Value?
    /// What is there now; nil when it is gone.
    var value: Value?
    /// The revision at which that is so.
    var revision: Int64
  }

  /// A change as the watch tells it.
  enum Change: Sendable {
    case put(String, Held)
    case delete(String, revision: Int64)
    /// Written over by what is not kept.
    case dropped(String, revision: Int64)

    var revision: Int64 {
      switch self {
      case .put(_, let held): held.modified
      case .delete(_, let revision), .dropped(_, let revision): revision
      }
    }
  }

  private(set) var entries: [String: Held] = [:]
  /// The revision up to which everything is told.
  private(set) var revision: Int64 = 0
  /// Raised whenever the entries may have changed.
  private(set) var version = 0
  /// What a reading has brought so far; nil outside of one.
  private var fresh: [String: Held]?
  private var freshRevision: Int64?

  // MARK: Reading

  mutating func beginReading() {
    fresh = [:]
    freshRevision = nil
  }

  /// Takes a page of the reading in progress.
  mutating func take(page: [(name: String, held: Held)], revision: Int64) {
    for (name, held) in page { fresh?[name] = held }
    freshRevision = freshRevision ?? revision
  }

  /// Replaces what is known by what was read.
  ///
  /// - Returns: how they differ, by name.
  mutating func endReading() -> [News] {
    guard let fresh, let freshRevision else { return [] }
    let former = entries
    entries = fresh
    version += 1
    revision = freshRevision
    self.fresh = nil
    return Set(former.keys).union(fresh.keys).sorted().compactMap { name in
      let (before, now) = (former[name], fresh[name])
      guard before?.modified != now?.modified else { return nil }
      return News(name: name, before: before?.value, value: now?.value, revision: now?.modified ?? freshRevision)
    }
  }

  // MARK: Following

  /// Takes changes in order.
  ///
  /// - Parameter revision: up to which everything is told with them.
  /// - Returns: those that were news.
  mutating func take(_ changes: [Change], upTo revision: Int64) -> [News] {
    let known = self.revision
    self.revision = max(known, revision)
    version += 1
    return changes.compactMap { change in
      // Nothing is kept of what is gone: its beginning, told again, would look like another one.
      if change.revision <= known { return nil }
      switch change {
      case .put(let name, let held):
        let before = entries[name]
        guard before?.modified ?? .min < held.modified else { return nil }
        entries[name] = held
        return News(name: name, before: before?.value, value: held.value, revision: held.modified)
      case .delete(let name, let revision), .dropped(let name, let revision):
        guard let before = entries[name], before.modified < revision else { return nil }
        entries[name] = nil
        return News(name: name, before: before.value, value: nil, revision: revision)
      }
    }
  }
}
