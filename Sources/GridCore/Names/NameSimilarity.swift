/// Finds names that somebody may have meant.
public enum NameSimilarity {
  /// Up to `limit` of `names` within a third of the name's length in edits, nearest first.
  ///
  /// Looks at 10 000 names at most, so that a hint never costs more than the failure it explains.
  public static func similar(to name: String, in names: some Collection<String>, limit: Int = 3) -> [String] {
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

  /// Levenshtein's distance in two rows (Wagner and Fischer, 1974).
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (index, byte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for (column, other) in right.enumerated() {
        let above = row[column + 1]
        row[column + 1] = min(above + 1, row[column] + 1, diagonal + (byte == other ? 0 : 1))
        diagonal = above
      }
    }
    return row[right.count]
  }
}
