internal import GridCore
internal import Testing

/// Numbers that somebody else has sent stay on their scale.
@Suite struct CheckedNumbersTests {
  @Test(
    arguments: [
      (1, 2, 3), (.max, 1, .max), (.max, .max, .max), (.min, -1, .min), (.min, .min, .min), (.max, .min, -1),
      (.min, .max, -1), (0, .min, .min),
    ] as [(Int64, Int64, Int64)])
  func `sums are clamped`(_ first: Int64, _ second: Int64, _ sum: Int64) {
    #expect(first.addingClamped(second) == sum)
    #expect(second.addingClamped(first) == sum)
  }

  @Test(
    arguments: [
      (1, 2, -1), (.max, -1, .max), (.min, 1, .min), (.max, .min, .max), (.min, .max, .min), (0, .min, .max),
      (-1, .min, .max), (.min, .min, 0),
    ] as [(Int64, Int64, Int64)])
  func `differences are clamped`(_ first: Int64, _ second: Int64, _ difference: Int64) {
    #expect(first.subtractingClamped(second) == difference)
  }

  @Test func `unsigned numbers stay on theirs`() {
    #expect(UInt8(3).subtractingClamped(5) == 0)
    #expect(UInt8(250).addingClamped(10) == 255)
  }

  @Test func `a sum of many is clamped`() {
    #expect([Int64.max, 1, -1].clampedSum() == .max - 1)
    #expect([Int64]().clampedSum() == 0)
    #expect([Int64.max, .max, .max].clampedSum() == .max)
  }

  @Test(
    arguments: [
      (0, .zero), (1.5, .milliseconds(1500)), (-1, .seconds(-1)), (1e-12, .zero),
      (3_155_759_999, .seconds(3_155_759_999)),
      (3_155_760_000, nil), (-3_155_760_000, nil), (1e300, nil), (-1e300, nil), (.infinity, nil), (.nan, nil),
      (.leastNonzeroMagnitude, .zero),
    ] as [(Double, Duration?)])
  func `seconds become a duration where they can`(_ seconds: Double, _ expected: Duration?) {
    #expect(Duration(seconds: seconds) == expected)
  }

  @Test func `times at the two ends of the scale differ by all of it`() {
    let (first, last) = (MonotonicTime(nanoseconds: .min), MonotonicTime.distantFuture)
    #expect(last - first == .nanoseconds(Int64.max))
    #expect(first - last == .nanoseconds(Int64.min))
  }

  @Test(arguments: [Int64.min, -1, .max])
  func `a date has a text wherever it lies`(_ milliseconds: Int64) {
    #expect(CalendarTime(millisecondsSince1970: milliseconds).rfc3339.hasSuffix("Z"))
  }
}
