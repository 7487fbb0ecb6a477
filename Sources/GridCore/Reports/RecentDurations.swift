/// How long the latest of many things took: counts in buckets whose width grows with the value, each at most a ninth
/// off, from a microsecond to an hour, in half a kilobyte. Pure.
///
/// Nothing is timed to be forgotten: whenever 2 048 were counted all counts are halved, so that what is older weighs
/// less and less.
package struct RecentDurations: Sendable, Equatable {
  /// One bucket for what is shorter than this, in nanoseconds, and then eight for each doubling.
  private static let shortest: Int64 = 1024
  private static let perDoubling = 8
  private static let doublings = 32
  private static let most: UInt32 = 2048

  private var buckets: [UInt16]
  private var count: UInt32 = 0

  package init() { buckets = Array(repeating: 0, count: 1 + Self.perDoubling * Self.doublings) }

  /// Counts `count` things of the same length; a negative length counts as none.
  package mutating func record(_ duration: Duration, count: Int = 1) {
    record(nanoseconds: duration.wholeNanoseconds, count: count)
  }

  /// The same, in whole numbers.
  package mutating func record(nanoseconds: Int64, count: Int) {
    guard count > 0 else { return }
    let weight = UInt32(min(count, Int(Self.most)))
    if self.count + weight > Self.most { age() }
    let bucket = Self.bucket(of: nanoseconds)
    buckets[bucket] = UInt16(min(UInt32(buckets[bucket]) + weight, UInt32(UInt16.max)))
    self.count += weight
  }

  /// The length that the given share, 0 to 1, of the latest does not exceed; nil when nothing was counted.
  package func percentile(_ share: Double) -> Duration? {
    guard count > 0 else { return nil }
    let rank = max(1, (share * Double(count)).rounded(.up))
    var seen = 0.0
    for (index, value) in buckets.enumerated() where value > 0 {
      seen += Double(value)
      if seen >= rank { return .nanoseconds(Self.middle(of: index)) }
    }
    return buckets.lastIndex { $0 > 0 }.map { .nanoseconds(Self.middle(of: $0)) }
  }

  private mutating func age() {
    count = 0
    for index in buckets.indices where buckets[index] > 0 {
      buckets[index] /= 2
      count += UInt32(buckets[index])
    }
  }

  private static func bucket(of nanoseconds: Int64) -> Int {
    guard nanoseconds >= shortest else { return 0 }
    let doubling = 63 - nanoseconds.leadingZeroBitCount - 10
    let part = Int(nanoseconds >> Int64(doubling + 7)) & (perDoubling - 1)
    return min(1 + doubling * perDoubling + part, perDoubling * doublings)
  }

  private static func middle(of bucket: Int) -> Int64 {
    guard bucket > 0 else { return shortest / 2 }
    let (doubling, part) = (bucket - 1).quotientAndRemainder(dividingBy: perDoubling)
    let width = Int64(1) << Int64(doubling + 7)
    return Int64(perDoubling + part) * width + width / 2
  }
}
