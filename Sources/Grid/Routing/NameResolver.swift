internal import GridCore
internal import Synchronization

/// Messages whose target is not known yet, by name and in order, while the name is being looked up.
final class NameResolver: Sendable {
  /// Messages that may wait for look-ups; more are refused with `retry-later`.
  static let capacity = 50_000

  private struct State {
    var waiting: [String: [Envelope]] = [:]
    var count = 0
  }

  private let state = Mutex(State())

  enum Admission {
    /// The caller must see to the look-up.
    case first
    case waits
    case full
  }

  func add(_ envelope: Envelope) -> Admission {
    state.withLock { state in
      guard state.count < Self.capacity else { return .full }
      state.count += 1
      let isFirst = state.waiting[envelope.target] == nil
      state.waiting[envelope.target, default: []].append(envelope)
      return isFirst ? .first : .waits
    }
  }

  /// Whether messages for the name must queue up behind others.
  func isResolving(_ name: String) -> Bool { state.withLock { $0.waiting[name] != nil } }

  /// The messages that wait for the name. When there are none the look-up is over and new ones start another.
  func take(_ name: String) -> [Envelope] {
    state.withLock { state in
      guard let waiting = state.waiting[name] else { return [] }
      state.waiting[name] = waiting.isEmpty ? nil : []
      state.count -= waiting.count
      return waiting
    }
  }

  /// The latest time at which somebody still wants an answer for the name.
  func lastDeadline(_ name: String) -> MonotonicTime? {
    state.withLock { $0.waiting[name]?.map(\.deadline).max() }
  }
}
