/// Finds names that somebody may have meant.
package enum NameSimilarity {
  /// Up to `limit` of `names` within a third of the name's length in edits, nearest first.
  ///
  /// Looks at 10 000 names at most, so that a hint never costs more than the failure it explains.
  package static func similar(to name: String, in names: some Collection<String>, limit: Int = 3) -> [String] {
    let wanted = Array(name.utf8)
    let most = max(1, wanted.count / 3)
    return names.prefix(10_000)
      .compactMap { candidate -> (String, Int)? in
        let bytes = Array(candidate.utf8)
        guard abs(bytes.count - wanted.count) <= most else { return nil }
        let distance = distance(wanted, bytes)
        return distance <= most ? (candidate, distance) : nil
      }
      .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
      .prefix(limit).map(\.0)
  }

  /// Edits between two names, where swapping neighbours is one: the optimal string alignment distance
  /// (Damerau, “A technique for computer detection and correction of spelling errors”, 1964).
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var before: [Int] = []
    var last = Array(0...right.count)
    for (index, byte) in left.enumerated() {
      var row = [index + 1]
      for (column, other) in right.enumerated() {
        var cost = min(last[column + 1] + 1, row[column] + 1, last[column] + (byte == other ? 0 : 1))
        if index > 0, column > 0, byte == right[column - 1], left[index - 1] == other {
          cost = min(cost, before[column - 1] + 1)
        }
        row.append(cost)
      }
      before = last
      last = row
    }
    return last[right.count]
  }
}
