/// How a cell gives way where its column is narrower than its text.
enum ColumnFit: Sendable, Equatable {
  /// It is shown whole or not at all: numbers, times, states.
  case whole
  /// Its middle gives way, down to so many terminal cells: names and identifiers, whose ends tell them apart.
  case middle(Int)
  /// Its end gives way, down to so many terminal cells: prose and bodies.
  case end(Int)

  /// The text in so many terminal cells.
  func fitted(_ text: String, to width: Int) -> String {
    switch self {
    case .whole: text
    case .middle: TerminalText.shortened(text, to: width)
    case .end: TerminalText.truncated(text, to: width)
    }
  }
}

/// Which columns a line of so many terminal cells has, and how wide they are. Pure.
///
/// Names and prose are shortened first, each to what it needs to be recognised. Where that is not enough whole columns
/// go: those that say the same in every row, then the least important, of two alike the one at the right.
struct ColumnPlan: Equatable {
  /// What a column asks for.
  struct Demand: Equatable {
    /// Terminal cells of its widest text.
    var width: Int
    /// Terminal cells without which it is worth nothing.
    var minimum: Int
    /// Larger ones stay longer.
    var priority: Int
    /// Whether every row says the same in it.
    var saysOneThing = false
  }

  /// A column that is shown.
  struct Choice: Equatable {
    var index: Int
    var width: Int
  }

  let choices: [Choice]

  /// - Parameters:
  ///   - limit: terminal cells of a line; nil for no limit.
  ///   - gap: terminal cells between two columns.
  ///   - keepsAll: whether no column may go: somebody has named them.
  init(_ demands: [Demand], limit: Int?, gap: Int, keepsAll: Bool = false) {
    var kept = Array(demands.indices)
    func total(_ width: (Demand) -> Int) -> Int {
      kept.reduce(0) { $0 + width(demands[$1]) } + gap * max(0, kept.count - 1)
    }
    guard let limit, total(\.width) > limit else {
      choices = kept.map { Choice(index: $0, width: demands[$0].width) }
      return
    }
    while !keepsAll, kept.count > 1, total(\.minimum) > limit {
      guard let least = kept.indices.min(by: { Self.goesBefore(kept[$0], kept[$1], demands) }) else { break }
      kept.remove(at: least)
    }
    var widths = kept.map { demands[$0].minimum }
    var room = limit - total(\.minimum)
    // The narrowest grows first, so that none is wide while another is unreadable.
    while room > 0 {
      let growing = kept.indices.filter { widths[$0] < demands[kept[$0]].width }
      guard let narrowest = growing.min(by: { widths[$0] < widths[$1] }) else { break }
      widths[narrowest] += 1
      room -= 1
    }
    choices = zip(kept, widths).map { Choice(index: $0, width: $1) }
  }

  private static func goesBefore(_ left: Int, _ right: Int, _ demands: [Demand]) -> Bool {
    func rank(_ demand: Demand) -> (Int, Int) {
      (demand.saysOneThing && demand.priority < ColumnPriority.name ? 0 : 1, demand.priority)
    }
    let (first, second) = (rank(demands[left]), rank(demands[right]))
    return first == second ? left > right : first < second
  }
}

/// How long a column stays where a line becomes too narrow.
enum ColumnPriority {
  /// What most can do without.
  static let detail = 2
  static let usual = 4
  /// What the list is looked at for.
  static let important = 6
  /// What the row is called.
  static let name = 8
}
