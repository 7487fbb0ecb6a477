/// Sums and differences of numbers that somebody else has sent: past the end of the scale they stay at its end.
///
/// `+` and `-` end the process there. Of a number from a peer, a client, a program, a file or the store nothing is
/// known, so what is reckoned with it goes through these.
extension FixedWidthInteger {
  /// The sum, or the end of the scale that it would pass.
  package func addingClamped(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    guard overflow else { return sum }
    return other < 0 ? .min : .max
  }

  /// The difference, or the end of the scale that it would pass.
  package func subtractingClamped(_ other: Self) -> Self {
    let (difference, overflow) = subtractingReportingOverflow(other)
    guard overflow else { return difference }
    return other < 0 ? .max : .min
  }
}

extension Sequence where Element: FixedWidthInteger {
  /// The sum of all, clamped to what the type holds at each step.
  package func clampedSum() -> Element { reduce(0) { $0.addingClamped($1) } }
}

extension Duration {
  /// A length of time from a number of seconds that somebody else has sent; nil for what is no number, and beyond 100
  /// years in either direction.
  package init?(seconds: Double) {
    // Also false for what is no number.
    guard abs(seconds) < Self.longestSeconds else { return nil }
    self = .nanoseconds(Int64((seconds * 1e9).rounded()))
  }

  /// 100 years, in seconds: more than anybody waits, and less than 64 bits hold of nanoseconds.
  static let longestSeconds = 3_155_760_000.0
}
