import GridCore
import Testing

@Suite struct RecentDurationsTests {
  @Test func `nothing has no percentiles`() {
    var durations = RecentDurations()
    #expect(durations.percentile(0.5) == nil)
    durations.record(.seconds(1), count: 0)
    #expect(durations.percentile(0.99) == nil)
  }

  @Test(arguments: [
    Duration.microseconds(2), .microseconds(50), .microseconds(999), .milliseconds(7), .milliseconds(250), .seconds(3),
    .seconds(600), .seconds(3000),
  ])
  func `a length is at most a ninth off`(_ length: Duration) throws {
    var durations = RecentDurations()
    durations.record(length, count: 10)
    for share in [0, 0.5, 0.99, 1] {
      let found = try #require(durations.percentile(share)).inSeconds
      #expect(abs(found - length.inSeconds) <= length.inSeconds / 9, "\(found)")
    }
  }

  @Test func `half and all but a hundredth`() throws {
    var durations = RecentDurations()
    for number in 1...1000 { durations.record(.milliseconds(number)) }
    let (half, most) = (try #require(durations.percentile(0.5)), try #require(durations.percentile(0.99)))
    #expect((0.45...0.56).contains(half.inSeconds) && (0.88...1.1).contains(most.inSeconds), "\(half) \(most)")
  }

  @Test func `what is older weighs less and less`() throws {
    var durations = RecentDurations()
    for _ in 0..<100_000 { durations.record(.milliseconds(1)) }
    for _ in 0..<3000 { durations.record(.seconds(1)) }
    #expect(try #require(durations.percentile(0.5)).inSeconds > 0.8)
    durations.record(.milliseconds(1), count: .max)
    #expect(try #require(durations.percentile(0.5)).inSeconds < 0.01)
  }

  @Test func `absurd lengths are counted at the ends`() throws {
    var durations = RecentDurations()
    durations.record(.seconds(-5))
    durations.record(.zero)
    #expect(try #require(durations.percentile(1)).inSeconds < 1e-6)
    durations.record(.seconds(Int64.max))
    #expect(try #require(durations.percentile(1)).inSeconds > 3600)
    #expect(durations.percentile(.nan) != nil && durations.percentile(-1) != nil && durations.percentile(7) != nil)
  }
}
