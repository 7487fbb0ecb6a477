/// Counts of latencies in buckets whose width grows with the value: at most 0.8 % off, whatever the range, in a few
/// kilobytes. A value type; merge those of several tasks at the end.
package struct LatencyHistogram: Sendable, Equatable {
  // Values below 256 have a bucket each; then 128 buckets for each doubling.
  private static let exact = 256
  private static let perDoubling = 128

  private var buckets: [UInt32] = []
  package private(set) var count: Int = 0
  /// The largest value, exactly.
  package private(set) var maximum: Int64 = 0

  package init() {}

  /// Counts one value, in nanoseconds; a negative one counts as 0.
  package mutating func record(_ nanoseconds: Int64) {
    let value = max(0, nanoseconds)
    let bucket = Self.bucket(of: value)
    if bucket >= buckets.count {
      buckets.append(contentsOf: repeatElement(0, count: bucket + 1 - buckets.count))
    }
    buckets[bucket] = buckets[bucket] == .max ? .max : buckets[bucket] + 1
    count += 1
    maximum = max(maximum, value)
  }

  package mutating func merge(_ other: LatencyHistogram) {
    if other.buckets.count > buckets.count {
      buckets.append(contentsOf: repeatElement(0, count: other.buckets.count - buckets.count))
    }
    for (index, value) in other.buckets.enumerated() {
      let (sum, overflow) = buckets[index].addingReportingOverflow(value)
      buckets[index] = overflow ? .max : sum
    }
    count += other.count
    maximum = max(maximum, other.maximum)
  }

  /// The value, in nanoseconds, that the given share of all values does not exceed; nil when nothing was counted.
  ///
  /// - Parameter share: 0 to 1.
  package func percentile(_ share: Double) -> Int64? {
    guard count > 0 else { return nil }
    let rank = max(1, min(Double(count), (share * Double(count)).rounded(.up)))
    var seen = 0.0
    for (index, value) in buckets.enumerated() where value > 0 {
      seen += Double(value)
      if seen >= rank { return min(maximum, Self.upperEnd(of: index)) }
    }
    return maximum
  }

  private static func bucket(of value: Int64) -> Int {
    guard value >= exact else { return Int(value) }
    let shift = 63 - value.leadingZeroBitCount - 7
    return exact + (shift - 1) * perDoubling + Int(value >> Int64(shift)) - perDoubling
  }

  private static func upperEnd(of bucket: Int) -> Int64 {
    guard bucket >= exact else { return Int64(bucket) }
    let shift = (bucket - exact) / perDoubling + 1
    let lead = Int64((bucket - exact) % perDoubling + perDoubling)
    return (lead << Int64(shift)) | ((1 << Int64(shift)) - 1)
  }
}
