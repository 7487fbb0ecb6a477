/// How many names with some beginnings there are, by what the watch tells: for whoever measures how long that takes.
/// Pure.
struct NameCounters: Sendable {
  /// Beginnings that are counted; the one that was asked for first makes room for a further one.
  static let capacity = 16

  private var counts: [(prefix: String, count: Int)] = []

  /// The count of a beginning, nil when it is not counted.
  subscript(prefix: String) -> Int? { counts.first { $0.prefix == prefix }?.count }

  /// Counts a beginning from now on.
  mutating func begin(_ prefix: String, from count: Int) {
    if counts.count >= Self.capacity { counts.removeFirst() }
    counts.append((prefix, count))
  }

  mutating func heard(_ name: String, isNew: Bool) {
    guard !counts.isEmpty else { return }
    for place in counts.indices where name.utf8.starts(with: counts[place].prefix.utf8) {
      counts[place].count += isNew ? 1 : -1
    }
  }

  /// Changes were missed: what was counted is wrong.
  mutating func forgetAll() { counts = [] }
}
