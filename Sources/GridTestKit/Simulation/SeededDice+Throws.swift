internal import GridCore

extension SeededDice {
  /// True once in `times` throws, on average.
  package mutating func once(in times: Int) -> Bool { Int.random(in: 0..<max(1, times), using: &self) == 0 }

  /// A duration between two.
  package mutating func duration(_ shortest: Duration, _ longest: Duration) -> Duration {
    .nanoseconds(
      Int64.random(in: shortest.wholeNanoseconds...max(shortest, longest).wholeNanoseconds, using: &self))
  }
}
