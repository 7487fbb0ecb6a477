internal import Synchronization

/// A door that opens once and stays open; any number of tasks may wait for it.
///
/// Safe from any thread. A cancelled task stops waiting; whether the door is open is then for it to look at.
package final class Latch: Sendable {
  private struct State {
    var isOpen = false
    var nextTicket: UInt64 = 0
    var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var actions: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())

  package init() {}

  package var isOpen: Bool { state.withLock { $0.isOpen } }

  /// Opens the door; a second time changes nothing.
  package func open() {
    let (waiting, actions) = state.withLock { state in
      defer { state = State(isOpen: true, nextTicket: state.nextTicket) }
      return (state.waiting.values, state.actions)
    }
    for continuation in waiting { continuation.resume() }
    for action in actions { action() }
  }

  /// Calls `action` once: on the thread that opens the door, or at once when it is open.
  package func whenOpen(_ action: @escaping @Sendable () -> Void) {
    let isOpen = state.withLock { state in
      if !state.isOpen { state.actions.append(action) }
      return state.isOpen
    }
    if isOpen { action() }
  }

  /// Returns when the door is open or the task is cancelled.
  package func wait() async {
    let ticket = state.withLock { state in
      state.nextTicket += 1
      return state.nextTicket
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if state.isOpen || Task.isCancelled { return true }
          state.waiting[ticket] = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
    }
  }

  /// Waits at most `limit`; whether the door is open.
  package func wait(atMost limit: Duration) async -> Bool {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.wait() }
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
    return isOpen
  }
}
