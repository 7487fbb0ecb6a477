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
  /// Dead letters are acknowledged before they are written, and lost with the process.
  case skipsSync = "skips-sync"
  /// What fell due while a process was stopped is done twice when it goes on.
  case resumesTwice = "resumes-twice"
  /// Who watches the store does not read anew where changes were lost.
  case ignoresGap = "ignores-gap"
  /// The watch leaves changes out.
  case skipsWatchEvent = "skips-watch-event"
  /// The store gives revisions out anew.
  case reusesEpoch = "reuses-epoch"
}
