internal import GridCore
internal import GridRequests

/// What `gridctl top` shows: actors with how many messages each handles a second. Pure; fed with the busiest actors and
/// with the peers.
struct TopTable: Sendable {
  /// How many actors are asked for where nobody says.
  static let mostRows = 1000

  /// One count at one time.
  private struct Sample {
    var time: MonotonicTime
    var count: Int64
  }

  private let window: Duration
  private var samples: [String: [Sample]] = [:]
  private var letters: [String: [Sample]] = [:]
  private var rows: [JSONValue] = []
  /// The actors of which ``rows`` are the first, and what all of them do.
  private var whole: ActorTop?
  /// Messages a second of all actors, at the latest looks.
  private var rates: [(time: MonotonicTime, perSecond: Double)] = []
  /// The nodes, as `gridctl peers` has them.
  private(set) var peers: [PeerReport] = []
  /// Dead letters a second on all nodes; nil before there were two looks.
  private(set) var deadLettersPerSecond: Double?

  /// Samples of an actor that its line of rates shows.
  static let sparkLength = 12

  /// - Parameter window: rates are averages over so long.
  init(window: Duration) { self.window = window }

  /// Takes the actors that the nodes have chosen, and the totals of all.
  mutating func take(_ top: ActorTop, at time: MonotonicTime) {
    take(top.rows, at: time)
    whole = top
    guard let perSecond = top.perSecond else { return }
    rates.append((time, perSecond))
    rates.removeAll { time - $0.time >= window && $0.time != time }
  }

  /// Takes a new list of actors, with names and counts as `gridctl actors` has them.
  mutating func take(_ actors: [JSONValue], at time: MonotonicTime) {
    var next: [String: [Sample]] = [:]
    rows = actors.map { actor in
      // An actor that was made anew under the same name begins to count anew.
      let key = "\(Column.text(actor, "name"))/\(Column.text(actor, "epoch"))"
      let history = history(samples[key], Sample(time: time, count: Column.whole(actor, "processed")))
      next[key] = history
      // One that was not among the first before has the rate that its node has watched.
      let watched = Column.number(actor, "perSecond").map { [$0] } ?? []
      let rates = history.count > 1 ? Self.rates(history).suffix(Self.sparkLength).map { $0 } : watched
      return actor.with("perSecond", .number(rate(history) ?? watched.first ?? 0))
        .with("rates", .array(rates.map { .number($0) }))
    }
    samples = next
  }

  /// Takes a new list of peers, with what each has counted of dead letters.
  mutating func take(peers: [PeerReport], at time: MonotonicTime) {
    self.peers = peers
    var next: [String: [Sample]] = [:]
    for peer in peers {
      guard let count = peer.deadLetters else { continue }
      let key = "\(peer.name)/\(peer.incarnation)"
      next[key] = history(letters[key], Sample(time: time, count: Int64(count)))
    }
    letters = next
    let rates = next.values.compactMap { rate($0) }
    deadLettersPerSecond = rates.isEmpty ? nil : rates.reduce(0, +)
  }

  /// What is kept of a count: the samples of the window, the one before it, and enough for the line of rates.
  private func history(_ before: [Sample]?, _ sample: Sample) -> [Sample] {
    let history = (before ?? []) + [sample]
    let keep = max(Self.sparkLength + 1, history.count { sample.time - $0.time < window } + 1)
    return Array(history.suffix(keep))
  }

  /// The actors in the chosen order, at most `limit`.
  ///
  /// - Parameter filter: a part of a name, kind or node, or a pattern with `*` for one of these; empty for all.
  func rows(by order: ActorOrder, limit: Int, matching text: String = "") -> [JSONValue] {
    let filter = ActorFilter(text)
    var top = ActorTop()
    top.rows = rows.filter { filter.matches($0) }
    top.sort(by: order, limit: limit)
    return top.rows
  }

  /// Actors, waiting messages and messages a second in all.
  var totals: (actors: Int, mailbox: Int64, perSecond: Double) {
    if let whole {
      let sum = rates.reduce(0) { $0 + $1.perSecond }
      return (whole.actors, whole.mailbox, rates.isEmpty ? 0 : sum / Double(rates.count))
    }
    return (
      rows.count, rows.map { Column.whole($0, "mailbox") }.clampedSum(),
      rows.reduce(0) { $0 + (Column.number($1, "perSecond") ?? 0) }
    )
  }

  /// The average since the newest sample that is as old as the window, or since the oldest there is: looks never come
  /// exactly when they are due, and the first two are apart as far as the window is long.
  private func rate(_ history: [Sample]) -> Double? {
    guard history.count > 1, let last = history.last else { return nil }
    let first = history.last { last.time - $0.time >= window } ?? history[0]
    return Self.rate(from: first, to: last)
  }

  private static func rates(_ history: [Sample]) -> [Double] { zip(history, history.dropFirst()).map(rate(from:to:)) }

  private static func rate(from first: Sample, to last: Sample) -> Double {
    let seconds = (last.time - first.time).inSeconds
    return seconds > 0 ? max(0, Double(last.count.subtractingClamped(first.count)) / seconds) : 0
  }

  /// Rates as a line of blocks; the highest of them is a full one.
  static func spark(_ rates: [Double]) -> String {
    let blocks = Array("▁▂▃▄▅▆▇█")
    guard let highest = rates.max(), highest > 0 else { return String(repeating: "▁", count: rates.count) }
    return String(rates.map { blocks[min(blocks.count - 1, Int($0 / highest * Double(blocks.count - 1) + 0.5))] })
  }

  static let description = description(status: .actorStatus)

  /// The same for a display that is left open, where colour stands for what is wrong alone.
  static let liveDescription = description(
    status: Column(
      "STATUS", fit: .whole, priority: ColumnPriority.important,
      style: { TextStyle.status($0) == .good ? .plain : TextStyle.status($0) }, field: "status"))

  /// A message that is handled for so many seconds is looked at twice.
  private static let long = 10.0

  private static func description(status: Column<JSONValue>) -> ListDescription<JSONValue> {
    ListDescription(
      kind: "TopList", noun: "actor",
      columns: [
        .actorName, Column("KIND", priority: ColumnPriority.detail, field: "kind"),
        Column("NODE", fit: .middle(8), field: "node"), status,
        .number("MAILBOX", priority: ColumnPriority.name, field: "mailbox"),
        Column("RATE", alignment: .trailing, priority: ColumnPriority.name) {
          HumanText.rate(Column.number($0, "perSecond") ?? 0)
        },
        Column("RATES", fit: .whole, priority: ColumnPriority.detail - 1) {
          TopTable.spark(Column.numbers($0, "rates"))
        },
        .duration(
          "IN-HAND", priority: ColumnPriority.important,
          style: { Column.number($0, "inHandSeconds") ?? 0 >= long ? .caution : .plain }, seconds: "inHandSeconds"),
        .duration("P99", priority: ColumnPriority.important, seconds: "handlerP99Seconds"),
        .number("PROCESSED", priority: ColumnPriority.detail, field: "processed"),
        .number("FAILURES", field: "failures"),
        .number("RESTARTS", priority: ColumnPriority.detail, field: "restarts"),
        .duration("P50", wideOnly: true, seconds: "handlerP50Seconds"),
        .duration("OLDEST", wideOnly: true, seconds: "oldestSeconds"),
      ])
  }
}

extension ActorOrder {
  /// The key that chooses it on the terminal.
  var key: Character { self == .restarts ? "s" : rawValue.first ?? " " }
}
