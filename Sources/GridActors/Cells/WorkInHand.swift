internal import GridCore

/// What an actor has in hand, since when, and how long the latest of its messages took. Pure; a part of ``CellState``.
///
/// It costs no clock of its own: a drain says what time it is whenever it looks for its next piece of work. A batch is
/// measured as a whole, each of its messages as long as their average. An actor that is quick and never suspends keeps
/// no measurements; they begin with the first batch that is not.
struct WorkInHand {
  private(set) var since = MonotonicTime(nanoseconds: 0)
  private var durations: RecentDurations?
  // Behind the measurements, where it takes no room of its own.
  private var count: Int32 = 0

  /// On average a message of a batch takes less, where nothing is measured.
  private static let quickNanoseconds: Int64 = 1_000_000
  /// How many quick messages, that were not measured, stand for all of them.
  private static let quickOnes = 1000

  /// So many messages were taken.
  mutating func began(_ count: Int, at now: MonotonicTime) {
    since = now
    self.count = Int32(clamping: count)
  }

  /// Not all of them were handled.
  mutating func putBack(_ count: Int) { self.count -= min(Int32(clamping: count), self.count) }

  /// What was in hand is done.
  ///
  /// - Parameters:
  ///   - isMeasured: whether each message is measured, however quick.
  ///   - taken: how many were taken so far, those included.
  mutating func ended(at now: MonotonicTime, isMeasured: Bool, taken: Int) {
    guard count > 0 else { return }
    // Whole numbers: this is done for every batch of every actor.
    let (count, total) = (Int64(count), max(0, now.nanoseconds &- since.nanoseconds))
    self.count = 0
    if durations == nil {
      guard isMeasured || total >= Self.quickNanoseconds * count else { return }
      var fresh = RecentDurations()
      if !isMeasured { fresh.record(nanoseconds: 0, count: min(Self.quickOnes, taken - Int(count))) }
      durations = fresh
    }
    durations?.record(nanoseconds: total / count, count: Int(count))
  }

  /// What half, and all but a hundredth, of the latest messages took at most; nil where nothing was measured.
  var percentiles: (half: Duration, most: Duration)? {
    guard let half = durations?.percentile(0.5), let most = durations?.percentile(0.99) else { return nil }
    return (half, most)
  }
}
