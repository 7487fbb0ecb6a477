internal import FoundationEssentials
internal import GridCore

/// What a watch has delivered: the revision it has come to, and which keys are there by its account.
struct WatchMirror: Sendable {
  /// Everything up to here was delivered.
  private(set) var revision: Int64
  private var revisions: [Data: Int64] = [:]
  /// Deletes since the beginning of the comparison in progress, by key; nil outside of one.
  private var deletes: [Data: Int64]?

  /// Keys that are kept account of.
  static let capacity = 10_000
  /// Whether it has account of all keys; there may be too many.
  private(set) var isComparable = true

  init(revision: Int64) { self.revision = revision }

  /// Starts over at a revision.
  ///
  /// - Parameter listing: all keys at the revision; nil when there are too many.
  mutating func reset(_ listing: KeyListing?, at revision: Int64) {
    self.revision = revision
    revisions = listing?.revisions ?? [:]
    isComparable = listing != nil
    deletes = nil
  }

  /// The events that are news; etcd 3.4 repeats some after a rewind. They count as delivered.
  mutating func take(_ events: [Etcdserverpb_Event]) -> [Etcdserverpb_Event] {
    let before = revision
    let news = events.filter { $0.kv.modRevision > before }
    for event in news {
      revision = max(revision, event.kv.modRevision)
      guard isComparable else { continue }
      if event.type == .delete {
        revisions[event.kv.key] = nil
        deletes?[event.kv.key] = event.kv.modRevision
      } else {
        revisions[event.kv.key] = event.kv.modRevision
      }
    }
    if revisions.count > Self.capacity {
      isComparable = false
      revisions = [:]
    }
    return news
  }

  /// To be called before the reading that ``misses(_:)`` compares with.
  mutating func beginComparison() { deletes = [:] }

  mutating func endComparison() { deletes = nil }

  /// Whether the reading shows a change that was not delivered, though changes as old or older should have been.
  func misses(_ listing: KeyListing) -> Bool {
    for (key, changed) in listing.revisions {
      guard (revisions[key] ?? deletes?[key] ?? 0) >= changed else { return true }
    }
    return revisions.contains { key, changed in
      changed <= listing.revision && listing.revisions[key] == nil
    }
  }
}
