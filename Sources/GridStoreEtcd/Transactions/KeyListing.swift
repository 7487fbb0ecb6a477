internal import FoundationEssentials

/// The keys of a range and the revision of the last change of each.
struct KeyListing: Sendable, Equatable {
  var revisions: [Data: Int64]
  var revision: Int64

  /// Takes in a page of them.
  ///
  /// - Parameter start: the key that the page was asked from.
  /// - Returns: the key to ask from for the next page; nil when there is none.
  mutating func take(_ page: Etcdserverpb_RangeResponse, from start: Data) -> Data? {
    for value in page.kvs { revisions[value.key] = value.modRevision }
    guard page.more, let last = page.kvs.last else { return nil }
    // Who gives the same keys again and again would be asked for ever.
    return last.key.lexicographicallyPrecedes(start) ? nil : last.key + [0]
  }
}
