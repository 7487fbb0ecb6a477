internal import GridCore
internal import Synchronization

/// What has happened, event by event, when somebody wants to know.
package final class SimulationTrace: Sendable {
  private let write: (@Sendable (String) -> Void)?
  /// A fingerprint of all events: two runs of one seed have the same.
  private let digest = Atomic<UInt64>(14_695_981_039_346_656_037)

  package init(_ write: (@Sendable (String) -> Void)? = nil) { self.write = write }

  package var fingerprint: UInt64 { digest.load(ordering: .relaxed) }

  package func note(_ world: SimulatedWorld, _ text: @autoclosure () -> String) {
    let time = world.now.nanoseconds - 1_000_000_000_000
    let line = text()
    var hash = digest.load(ordering: .relaxed)
    for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
    digest.store((hash ^ UInt64(bitPattern: time)) &* 1_099_511_628_211, ordering: .relaxed)
    guard let write else { return }
    let micros = String(time / 1000 % 1_000_000)
    let seconds = String(time / 1_000_000_000)
    write("\(seconds).\(String(repeating: "0", count: 6 - micros.count))\(micros)  \(line)")
  }
}

/// A fault that the simulation plants on demand, to show that its properties find it. All of them are in what the
/// simulation puts around nodes: no shipped code knows of them.
package enum Plant: String, Sendable, CaseIterable {
  /// Releases of names are answered as done, and forgotten.
  case forgetsRelease = "forgets-release"
  /// A node is not told that a name has moved.
  case keepsStaleLocation = "keeps-stale-location"
  /// The resource takes writes with any epoch.
  case acceptsOldEpoch = "accepts-old-epoch"
  /// Messages arrive twice.
  case deliversTwice = "delivers-twice"
  /// What a timer was to call is not called.
  case losesWakeUp = "loses-wake-up"
  /// The store says that a lease is renewed that it has ended.
  case renewsEndedLease = "renews-ended-lease"
  /// Of two claims of one name both are told that they have it.
  case grantsTwice = "grants-twice"
  /// Messages overtake each other on a connection.
  case reorders = "reorders"
  /// Dead letters are acknowledged and not kept.
  case losesDeadLetter = "loses-dead-letter"
  /// The watch leaves changes out.
  case skipsWatchEvent = "skips-watch-event"
  /// The store gives revisions out anew.
  case reusesEpoch = "reuses-epoch"
}
