internal import GridCore

/// Keeps a flood of events readable: shows the first of each second, and folds the rest into one line a kind. Pure;
/// times come in.
struct EventFolder: Sendable {
  /// How many events of a second are shown one by one.
  static let shownPerSecond = 50
  /// How many names of a kind are counted in a second; more names are not told apart.
  static let countedNames = 1000

  private struct Count {
    var events = 0
    var names: [String: Int] = [:]
  }

  private var windowBegan: MonotonicTime?
  private var shown = 0
  private var folded: [String: Count] = [:]

  /// Takes an event; true when it is to be shown by itself.
  mutating func admits(kind: String, name: String, now: MonotonicTime) -> Bool {
    if windowBegan == nil { windowBegan = now }
    if shown < Self.shownPerSecond {
      shown += 1
      return true
    }
    folded[kind, default: Count()].events += 1
    let isKnown = folded[kind]?.names[name] != nil
    if isKnown || (folded[kind]?.names.count ?? 0) < Self.countedNames {
      folded[kind]?.names[name, default: 0] += 1
    }
    return false
  }

  /// When the present second ends, nil while nothing is counted.
  var windowEnds: MonotonicTime? { windowBegan.map { $0 + .seconds(1) } }

  /// Ends the second that has passed; the lines that stand for what was folded in it.
  mutating func flush(now: MonotonicTime) -> [String] {
    guard let ends = windowEnds, now >= ends else { return [] }
    let lines = folded.sorted { $0.key < $1.key }.map { kind, count in Self.line(kind, count) }
    windowBegan = nil
    shown = 0
    folded = [:]
    return lines
  }

  private static func line(_ kind: String, _ count: Count) -> String {
    let most = count.names.max { ($0.value, $1.key) < ($1.value, $0.key) }
    var mostly = ""
    if let most, most.value * 2 > count.events, !most.key.isEmpty {
      mostly = ", mostly \(kind == "dead-letter" ? "to" : "of") \(most.key)"
    }
    let noun = CountText.noun(count.events, kind == "dead-letter" ? "dead letter" : "\(kind) event")
    return "\(CountText.grouped(count.events)) more \(noun) in 1s\(mostly) (:events \(kind) to see)"
  }
}
