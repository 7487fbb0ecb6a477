internal import GridCore
internal import Synchronization

/// Says which names are like one that nobody has.
///
/// A hint is for people, and a flood of messages to nobody is read by none: looking for one takes a twentieth of the
/// time at most, however many names there are and however many messages fail.
final class NameHints: Sendable {
  private struct State {
    var budget = HintBudget()
    var recent: [String: (hint: String?, until: MonotonicTime)] = [:]
  }

  /// Names that are compared with one: a sample where there are more.
  static let sample = 10_000
  private static let remembered = 64
  private static let freshness = Duration.seconds(1)

  private let clock: any GridClock
  private let state = Mutex(State())

  init(clock: any GridClock) { self.clock = clock }

  /// What to try instead of `name`, or nil when nothing is like it or there was no time to look.
  ///
  /// - Parameter names: the names there are; asked for only when they are looked at.
  func hint(for name: String, among names: () -> [String]) -> String? {
    let now = clock.now()
    let known = state.withLock { state -> String?? in
      if let recent = state.recent[name], recent.until > now { return .some(recent.hint) }
      return state.budget.admits(at: now) ? nil : .some(nil)
    }
    if let known { return known }
    let similar = NameSimilarity.similar(to: name, in: names())
    let hint = similar.isEmpty ? nil : "similar: \(similar.joined(separator: ", "))"
    let end = clock.now()
    state.withLock { state in
      state.budget.spent(end - now, at: end)
      if state.recent.count >= Self.remembered { state.recent = [:] }
      state.recent[name] = (hint, end + Self.freshness)
    }
    return hint
  }
}

/// How much time may go into what is nice to have. Pure.
struct HintBudget: Sendable {
  /// Of so many parts of the time, one.
  static let share = 20

  private var nextAt: MonotonicTime?
  private var isBusy = false

  /// Whether it may be done now; then ``spent(_:at:)`` must follow. One at a time.
  mutating func admits(at now: MonotonicTime) -> Bool {
    guard !isBusy, nextAt.map({ now >= $0 }) ?? true else { return false }
    isBusy = true
    return true
  }

  /// Notes what it took.
  mutating func spent(_ duration: Duration, at end: MonotonicTime) {
    isBusy = false
    nextAt = end + duration * Self.share
  }
}
