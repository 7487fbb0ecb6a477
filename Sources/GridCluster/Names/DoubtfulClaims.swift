/// Claims of which this node does not know that it has them: the answer was lost, or the watch tells of one that nobody
/// here has made. Pure.
///
/// Whoever made one was told that it failed, so nothing stands behind it. One whose answer was lost is looked for until
/// it is certain that it will not come any more.
struct DoubtfulClaims: Sendable {
  /// Names that are looked for one by one; with more, everything is read.
  static let capacity = 1024
  /// How often each is looked for: a request may be carried out a while after its sender has given up.
  static let looks = 15

  /// How often each is still looked for whose answer was lost.
  private var unanswered: [String: Int] = [:]
  /// Those that the watch told of.
  private var seen: Set<String> = []
  /// Whether there were too many: all names are to be looked through.
  private var isOverfull = false

  var isEmpty: Bool { unanswered.isEmpty && seen.isEmpty && !isOverfull }

  /// The answer to a claim was lost.
  mutating func lost(_ name: String) {
    if unanswered.count < Self.capacity || unanswered[name] != nil {
      unanswered[name] = Self.looks
    } else {
      isOverfull = true
    }
  }

  /// The watch tells of a claim of ours that is not known here, or not yet.
  mutating func saw(_ name: String) {
    if seen.count < Self.capacity { seen.insert(name) } else if !seen.contains(name) { isOverfull = true }
  }

  /// The watch tells of its end.
  mutating func sawEnd(_ name: String) { seen.remove(name) }

  /// It is known that this node has the claim.
  mutating func settled(_ name: String) {
    seen.remove(name)
    unanswered[name] = nil
  }

  /// What came before the watch began was not seen: all names are to be looked through.
  mutating func missed() { isOverfull = true }

  /// Changes were missed.
  mutating func forgetSeen() { seen = [] }

  /// What to look for now; each time counts.
  mutating func take() -> (names: [String], everything: Bool) {
    defer {
      unanswered = unanswered.compactMapValues { $0 > 1 ? $0 - 1 : nil }
      isOverfull = false
    }
    return (seen.union(unanswered.keys).sorted(), isOverfull)
  }
}
