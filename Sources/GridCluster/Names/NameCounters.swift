/// How many names with some beginnings there are, by what the watch tells: for whoever measures how long that takes.
/// Pure.
struct NameCounters: Sendable {
  /// Beginnings that are counted; the one that was asked for first makes room for a further one.
  static let capacity = 16

  private struct Counter {
    let prefix: String
    var count: Int
    /// What is told of earlier revisions was in the first count.
    let since: Int64
  }

  private var counts: [Counter] = []

  /// The count of a beginning, nil when it is not counted.
  subscript(prefix: String) -> Int? { counts.first { $0.prefix == prefix }?.count }

  /// Counts a beginning from a revision on, at which there were so many.
  mutating func begin(_ prefix: String, from count: Int, at revision: Int64) {
    if counts.count >= Self.capacity { counts.removeFirst() }
    counts.append(Counter(prefix: prefix, count: count, since: revision))
  }

  mutating func heard(_ name: String, isNew: Bool, at revision: Int64) {
    for place in counts.indices
    where revision > counts[place].since && name.utf8.starts(with: counts[place].prefix.utf8) {
      counts[place].count += isNew ? 1 : -1
    }
  }

  /// Changes were missed: what was counted is wrong.
  mutating func forgetAll() { counts = [] }
}
