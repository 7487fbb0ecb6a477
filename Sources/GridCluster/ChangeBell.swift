internal import GridConcurrency
package import GridCore
internal import Synchronization

/// Wakes tasks that wait for a change of one name.
///
/// A task asks for a ``Ring`` first and looks at the state after, so that no change falls between the two.
final class ChangeBell: Sendable {
  private struct State {
    /// By name, in the order in which they came.
    var rings: [String: [Ring]] = [:]
  }

  private let state = Mutex(State())

  /// Begins to listen for changes of `name`.
  func listen(for name: String) -> Ring {
    let ring = Ring(name: name, bell: self)
    state.withLock { $0.rings[name, default: []].append(ring) }
    return ring
  }

  func ring(_ name: String) {
    let waiting = state.withLock { $0.rings.removeValue(forKey: name) } ?? []
    for ring in waiting { ring.signal.raise() }
  }

  /// After a picture was replaced as a whole anything may have changed.
  func ringAll() {
    let waiting = state.withLock { state in
      defer { state.rings = [:] }
      return state.rings.values.flatMap { $0 }
    }
    for ring in waiting { ring.signal.raise() }
  }

  fileprivate func forget(_ ring: Ring) {
    state.withLock { state in
      state.rings[ring.name]?.removeAll { $0 === ring }
      if state.rings[ring.name]?.isEmpty ?? false { state.rings[ring.name] = nil }
    }
  }
}

/// One task's ear for changes of one name; good for one change.
package final class Ring: Sendable {
  let name: String
  fileprivate let signal = Signal<Void>()
  private let bell: ChangeBell

  fileprivate init(name: String, bell: ChangeBell) {
    self.name = name
    self.bell = bell
  }

  /// Returns after the next change, after `limit`, or when the task is cancelled.
  package func wait(atMost limit: Duration, on timers: any Timers) async {
    await signal.wait(atMost: limit, on: timers)
    bell.forget(self)
  }
}
