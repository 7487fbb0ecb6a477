internal import GridCore

/// Decides what goes wrong, by dice that fall the same way for the same seed. Pure.
struct StoreMischief: Sendable {
  /// What becomes of a request.
  enum Fate: Sendable, Equatable {
    case carriedOut
    case lost
    case answerLost
    /// Carried out so long after its sender has given up.
    case late(Duration)
  }

  /// What becomes of a delivery to a watch.
  enum Delivery: Sendable, Equatable {
    case told
    /// Told once more, from so many revisions before.
    case repeated(Int64)
    case gap
    case broken
  }

  /// What becomes of a lease when the store comes back.
  enum LeaseFate: Sendable, Equatable {
    case kept, forgotten, prolonged
  }

  var faults: StoreFaults
  private var generator: any RandomNumberGenerator & Sendable

  init(_ faults: StoreFaults, _ generator: any RandomNumberGenerator & Sendable) {
    self.faults = faults
    self.generator = generator
  }

  mutating func fate() -> Fate {
    var dice = roll()
    for (chance, fate) in [(faults.lostRequests, Fate.lost), (faults.lostAnswers, .answerLost)] {
      if dice < chance { return fate }
      dice -= chance
    }
    return dice < faults.lateRequests ? .late(pick(.milliseconds(1) ... .seconds(3))) : .carriedOut
  }

  mutating func journey() -> Duration { pick(faults.journey) }

  mutating func lag() -> Duration { pick(faults.lag) }

  mutating func delivery() -> Delivery {
    var dice = roll()
    for (chance, delivery) in [(faults.brokenWatches, Delivery.broken), (faults.gaps, .gap)] {
      if dice < chance { return delivery }
      dice -= chance
    }
    return dice < faults.repetitions ? .repeated(1 + Int64(roll() * 40)) : .told
  }

  mutating func presence() -> Duration? { faults.presence.map { pick($0) } }

  mutating func absence() -> Duration { pick(faults.absence) }

  mutating func leaseFate() -> LeaseFate {
    let dice = roll()
    if dice < faults.forgottenLeases { return .forgotten }
    return dice - faults.forgottenLeases < faults.prolongedLeases ? .prolonged : .kept
  }

  /// From 0 to less than 1.
  private mutating func roll() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

  private mutating func pick(_ range: ClosedRange<Duration>) -> Duration {
    guard range.lowerBound < range.upperBound else { return range.lowerBound }
    return range.lowerBound + (range.upperBound - range.lowerBound) * roll()
  }
}

/// Dice that fall the same way for the same seed.
package struct SeededDice: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// SplitMix64.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
