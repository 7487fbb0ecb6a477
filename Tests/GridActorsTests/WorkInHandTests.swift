import GridCore
import Testing

@testable import GridActors

@Suite struct WorkInHandTests {
  private static func time(_ milliseconds: Int64) -> MonotonicTime {
    MonotonicTime(nanoseconds: milliseconds * 1_000_000)
  }

  @Test func `what is quick and never suspends is not measured`() {
    var work = WorkInHand()
    work.began(1000, at: Self.time(0))
    work.ended(at: Self.time(1), isMeasured: false, taken: 0)
    #expect(work.percentiles == nil)
    work.began(1, at: Self.time(2))
    work.ended(at: Self.time(2), isMeasured: true, taken: 0)
    #expect(work.percentiles != nil)
  }

  @Test func `the first slow one stands beside the quick ones before it`() throws {
    var work = WorkInHand()
    work.began(1, at: Self.time(0))
    work.ended(at: Self.time(400), isMeasured: false, taken: 1_000_000)
    let (half, most) = try #require(work.percentiles)
    #expect(half < .milliseconds(1) && most < .milliseconds(1))
    for _ in 0..<50 {
      work.began(1, at: Self.time(0))
      work.ended(at: Self.time(400), isMeasured: false, taken: 0)
    }
    #expect(try #require(work.percentiles).most.inSeconds > 0.3)
  }

  @Test func `each message of a batch is as long as their average`() throws {
    var work = WorkInHand()
    work.began(10, at: Self.time(0))
    work.putBack(5)
    work.ended(at: Self.time(500), isMeasured: false, taken: 0)
    #expect((0.08...0.12).contains(try #require(work.percentiles).half.inSeconds))
    // Nothing in hand is nothing to measure, and a clock that steps back is no harm.
    work.ended(at: Self.time(9999), isMeasured: true, taken: 0)
    work.began(1, at: Self.time(100))
    work.putBack(.max)
    work.ended(at: Self.time(0), isMeasured: true, taken: 0)
    #expect((0.08...0.12).contains(try #require(work.percentiles).most.inSeconds))
  }
}
