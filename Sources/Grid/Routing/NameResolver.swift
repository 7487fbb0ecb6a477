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
    /// The actor is here meanwhile.
    case appeared
  }

  /// - Parameter hasAppeared: whether the actor is here: it appears with ``settle(_:deliver:appear:)`` alone.
  func add(_ envelope: Envelope, unless hasAppeared: () -> Bool = { false }) -> Admission {
    state.withLock { state in
      if hasAppeared() { return .appeared }
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

  /// Hands an actor what waits for its name, then has it appear: whatever comes later is behind that.
  ///
  /// - Parameter appear: called with nothing waiting; says whether it could.
  func settle(_ name: String, deliver: (Envelope) -> Void, appear: () -> Bool) -> Bool {
    while true {
      let (waiting, hasAppeared) = state.withLock { state -> ([Envelope], Bool) in
        guard let waiting = state.waiting[name], !waiting.isEmpty else { return ([], appear()) }
        state.waiting[name] = []
        state.count -= waiting.count
        return (waiting, false)
      }
      if waiting.isEmpty { return hasAppeared }
      for envelope in waiting { deliver(envelope) }
    }
  }

  /// The latest time at which somebody still wants an answer for the name.
  func lastDeadline(_ name: String) -> MonotonicTime? {
    state.withLock { $0.waiting[name]?.map(\.deadline).max() }
  }
}
