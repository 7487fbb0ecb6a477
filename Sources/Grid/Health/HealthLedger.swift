internal import GridCore
internal import Synchronization

/// What goes wrong on this node, kept for `gridctl check`: what failed lately, and what is not mended yet.
///
/// Bounded by names: beyond the capacity the name that was least lately heard of is forgotten.
final class HealthLedger: Sendable {
  /// What fails and is tried again until it works.
  enum Standing: Hashable, Sendable {
    /// The node is outside of the cluster.
    case membership
    /// What the store tells of peers, names or leaders does not arrive.
    case watch(String)
    /// The actor that should run once in the namespace cannot be started here, or does not stay up.
    case singleton(String)
  }

  /// A trouble that stands.
  struct Trouble: Sendable {
    var error: GridError
    var since: CalendarTime
  }

  /// The failures of one actor.
  struct Failures: Sendable {
    /// The latest, oldest first; of more than ``HealthLedger/keptTimes`` the older ones are forgotten.
    var times: [CalendarTime] = []
    /// The end that its failures led to, when they did.
    var endedAt: CalendarTime?
    var last: GridError
  }

  private struct State {
    var standing: [Standing: Trouble] = [:]
    var actors: [String: Failures] = [:]
    /// When the membership was lost.
    var losses: [CalendarTime] = []
  }

  /// Names of actors whose failures are kept.
  static let capacity = 1000
  /// Failures of one actor that are kept, and losses of the membership.
  static let keptTimes = 100

  private let state = Mutex(State())

  /// Notes a trouble that stands until ``mended(_:)``.
  ///
  /// - Returns: whether it is new, or its reason is another one: then it is worth a line in the log.
  func stands(_ standing: Standing, _ error: GridError, at now: CalendarTime) -> Bool {
    state.withLock { state in
      let known = state.standing[standing]
      state.standing[standing] = Trouble(error: error, since: known?.since ?? now)
      return known?.error.description != error.description
    }
  }

  /// - Returns: whether it had been standing.
  func mended(_ standing: Standing) -> Bool {
    state.withLock { $0.standing.removeValue(forKey: standing) != nil }
  }

  func trouble(_ standing: Standing) -> Trouble? { state.withLock { $0.standing[standing] } }

  /// What stands now.
  var standing: [(Standing, Trouble)] { state.withLock { state in state.standing.map { ($0.key, $0.value) } } }

  func lostMembership(at now: CalendarTime) {
    state.withLock { state in
      if state.losses.count >= Self.keptTimes { state.losses.removeFirst() }
      state.losses.append(now)
    }
  }

  /// How often the membership was lost since then.
  func losses(since: CalendarTime) -> Int { state.withLock { $0.losses.count { $0 >= since } } }

  /// Notes that an actor failed.
  ///
  /// - Parameter ends: whether it has ended by that.
  func failed(_ name: String, _ error: GridError, ends: Bool, at now: CalendarTime) {
    state.withLock { state in
      if state.actors[name] == nil, state.actors.count >= Self.capacity {
        let oldest = state.actors.min { ($0.value.times.last ?? now) < ($1.value.times.last ?? now) }
        if let oldest { state.actors[oldest.key] = nil }
      }
      var failures = state.actors[name] ?? Failures(last: error)
      if failures.times.count >= Self.keptTimes { failures.times.removeFirst() }
      failures.times.append(now)
      failures.last = error
      if ends { failures.endedAt = now }
      state.actors[name] = failures
    }
  }

  /// The actors that failed since then, with only those failures, by name.
  func failures(since: CalendarTime) -> [(name: String, failures: Failures)] {
    state.withLock { $0.actors }.compactMap { name, failures in
      var recent = failures
      recent.times.removeAll { $0 < since }
      if let ended = recent.endedAt, ended < since { recent.endedAt = nil }
      return recent.times.isEmpty ? nil : (name, recent)
    }.sorted { $0.name < $1.name }
  }
}
