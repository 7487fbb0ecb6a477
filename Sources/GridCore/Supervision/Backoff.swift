/// Exponential back-off with jitter: each pause is the last one times two, up to a limit, less a random part.
///
/// “Full jitter” halves thundering herds (Brooker, “Exponential Backoff And Jitter”, AWS 2015); here the random part is
/// at most `jitter` of the pause, so that a first retry stays predictable for people.
public struct Backoff: Sendable, Equatable {
  public var first: Duration
  public var limit: Duration
  /// The share of a pause that may be taken off at random, 0 to 1.
  public var jitter: Double

  public init(first: Duration, limit: Duration, jitter: Double = 0) {
    self.first = first
    self.limit = limit
    self.jitter = jitter
  }

  /// The pause before attempt number `attempt` (0 is the first retry).
  public func pause(
    before attempt: Int, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    let whole = pause(before: attempt)
    guard jitter > 0 else { return whole }
    return whole * (1 - Double.random(in: 0...min(1, jitter), using: &generator))
  }

  /// The pause before attempt number `attempt`, without jitter.
  public func pause(before attempt: Int) -> Duration {
    var pause = first
    for _ in 0..<max(0, min(attempt, 62)) {
      if pause >= limit { break }
      pause *= 2
    }
    return min(pause, limit)
  }
}
