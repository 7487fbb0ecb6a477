internal import GridCore
internal import Testing

@Suite struct LatencyHistogramTests {
  @Test func `an empty one has no percentile`() {
    #expect(LatencyHistogram().percentile(0.5) == nil && LatencyHistogram().count == 0)
  }

  @Test func `percentiles are at most one percent off`() throws {
    var histogram = LatencyHistogram()
    for value in stride(from: Int64(1000), through: 1_000_000, by: 1000) { histogram.record(value) }
    for share in [0.01, 0.5, 0.9, 0.99, 0.999, 1] {
      let exact = Double(1_000_000) * share
      let found = Double(try #require(histogram.percentile(share)))
      #expect(abs(found - exact) <= exact * 0.01, "\(share): \(found)")
    }
    #expect(histogram.percentile(1) == 1_000_000 && histogram.maximum == 1_000_000)
    #expect(histogram.percentile(0) == histogram.percentile(0.001))
  }

  @Test(arguments: [0, 1, 255, 256, 257, 511, 512, 1 << 20, (1 << 40) + 12_345, Int64.max - 1, Int64.max] as [Int64])
  func `one value is its own percentile`(_ value: Int64) {
    var histogram = LatencyHistogram()
    histogram.record(value)
    #expect(histogram.percentile(0.5) == value && histogram.maximum == value)
  }

  @Test func `merging is counting together`() {
    var left = LatencyHistogram()
    var right = LatencyHistogram()
    var both = LatencyHistogram()
    for value: Int64 in [5, 300, 70_000] {
      left.record(value)
      both.record(value)
    }
    for value: Int64 in [-4, 9_000_000_000] {
      right.record(value)
      both.record(value)
    }
    left.merge(right)
    #expect(left == both && left.count == 5)
  }
}
