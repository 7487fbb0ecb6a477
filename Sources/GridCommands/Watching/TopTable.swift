internal import GridCore

/// What `gridctl top` shows: actors with how many messages each handles a second. Pure; fed with lists of actors.
struct TopTable: Sendable {
  enum Order: String, CaseIterable, Sendable {
    case mailbox, rate, failures, restarts, name

    /// The key that chooses it on the terminal.
    var key: Character { rawValue.first == "r" && self == .restarts ? "s" : rawValue.first ?? " " }
  }

  /// One actor at one time.
  private struct Sample {
    var time: MonotonicTime
    var processed: Int64
  }

  private let window: Duration
  private var samples: [String: [Sample]] = [:]
  private var rows: [JSONValue] = []

  /// Samples of an actor that its line of rates shows.
  static let sparkLength = 12

  /// - Parameter window: rates are averages over so long.
  init(window: Duration) { self.window = window }

  /// Takes a new list of actors, with names and counts as `gridctl actors` has them.
  mutating func take(_ actors: [JSONValue], at time: MonotonicTime) {
    var next: [String: [Sample]] = [:]
    rows = actors.map { actor in
      // An actor that was made anew under the same name begins to count anew.
      let key = "\(Column.text(actor["name"]))/\(Column.text(actor["epoch"]))"
      let processed = actor["processed"]?.integerValue ?? 0
      var history = samples[key] ?? []
      history.append(Sample(time: time, processed: processed))
      let keep = max(Self.sparkLength + 1, history.count { time - $0.time <= window } + 1)
      history = Array(history.suffix(keep))
      next[key] = history
      let rates = Self.rates(history)
      return actor.with("perSecond", .number(rate(history, at: time)))
        .with("rates", .array(rates.suffix(Self.sparkLength).map { .number($0) }))
    }
    samples = next
  }

  /// The actors in the chosen order, at most `limit`.
  func rows(by order: Order, limit: Int) -> [JSONValue] {
    let sorted = rows.sorted { left, right in
      let (first, second) = (Self.weight(left, order), Self.weight(right, order))
      return first == second ? Column.text(left["name"]) < Column.text(right["name"]) : first > second
    }
    return Array(sorted.prefix(max(0, limit)))
  }

  /// Actors, waiting messages and messages a second in all.
  var totals: (actors: Int, mailbox: Int64, perSecond: Double) {
    (
      rows.count, rows.compactMap { $0["mailbox"]?.integerValue }.clampedSum(),
      rows.reduce(0) { $0 + ($1["perSecond"]?.doubleValue ?? 0) }
    )
  }

  private static func weight(_ row: JSONValue, _ order: Order) -> Double {
    switch order {
    case .mailbox: row["mailbox"]?.doubleValue ?? 0
    case .rate: row["perSecond"]?.doubleValue ?? 0
    case .failures: row["failures"]?.doubleValue ?? 0
    case .restarts: row["restarts"]?.doubleValue ?? 0
    case .name: 0
    }
  }

  private func rate(_ history: [Sample], at time: MonotonicTime) -> Double {
    guard let last = history.last, let first = history.first(where: { time - $0.time <= window }) else { return 0 }
    let seconds = (last.time - first.time).inSeconds
    return seconds > 0 ? max(0, Double(last.processed.subtractingClamped(first.processed)) / seconds) : 0
  }

  private static func rates(_ history: [Sample]) -> [Double] {
    zip(history, history.dropFirst()).map { before, after in
      let seconds = (after.time - before.time).inSeconds
      return seconds > 0 ? max(0, Double(after.processed.subtractingClamped(before.processed)) / seconds) : 0
    }
  }

  /// Rates as a line of blocks; the highest of them is a full one.
  static func spark(_ rates: [Double]) -> String {
    let blocks = Array("▁▂▃▄▅▆▇█")
    guard let highest = rates.max(), highest > 0 else { return String(repeating: "▁", count: rates.count) }
    return String(rates.map { blocks[min(blocks.count - 1, Int($0 / highest * Double(blocks.count - 1) + 0.5))] })
  }

  static let description = ListDescription(
    kind: "TopList", noun: "actor",
    columns: [
      Column("NAME", field: "name"), Column("KIND", field: "kind"), Column("NODE", field: "node"),
      Column("STATUS", style: TextStyle.status, field: "status"),
      Column("MAILBOX", alignment: .trailing, field: "mailbox"),
      Column("RATE", alignment: .trailing) { HumanText.rate($0["perSecond"]?.doubleValue ?? 0) },
      Column("RATES") { TopTable.spark(($0["rates"]?.arrayValue ?? []).compactMap(\.doubleValue)) },
      Column("PROCESSED", alignment: .trailing, field: "processed"),
      Column("FAILURES", alignment: .trailing, field: "failures"),
      Column("RESTARTS", alignment: .trailing, field: "restarts"),
    ])
}
