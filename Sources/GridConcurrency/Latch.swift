package import GridCore
internal import Synchronization

/// A door that opens once and stays open; any number of tasks may wait for it.
///
/// Safe from any thread. A cancelled task stops waiting; whether the door is open is then for it to look at.
package final class Latch: Sendable {
  private struct State {
    var isOpen = false
    var nextTicket: UInt64 = 0
    /// Those that wait, or are about to: who is not here any more need not wait.
    var waiting: [UInt64: Promise<Void>] = [:]
    var actions: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())

  package init() {}

  package var isOpen: Bool { state.withLock { $0.isOpen } }

  /// Opens the door; a second time changes nothing.
  package func open() {
    let (waiting, actions) = state.withLock { state in
      defer { state = State(isOpen: true, nextTicket: state.nextTicket) }
      return (state.waiting, state.actions)
    }
    // In the order in which they came.
    for (_, promise) in waiting.sorted(by: { $0.key < $1.key }) { promise.fulfil() }
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
    guard let (ticket, promise) = enter() else { return }
    await promise.value(ifCancelled: ())
    leave(ticket)
  }

  /// Returns when the door is open, after `limit`, or when the task is cancelled.
  ///
  /// - Returns: whether the door is open.
  @discardableResult
  package func wait(atMost limit: Duration, on timers: any Timers) async -> Bool {
    guard let (ticket, promise) = enter() else { return true }
    let token = timers.schedule(after: limit) { promise.fulfil() }
    await promise.value(ifCancelled: ())
    timers.cancel(token)
    leave(ticket)
    return isOpen
  }

  /// A promise that is kept when the door opens; nil when it is open.
  private func enter() -> (UInt64, Promise<Void>)? {
    state.withLock { state in
      if state.isOpen { return nil }
      let promise = Promise<Void>()
      state.nextTicket += 1
      state.waiting[state.nextTicket] = promise
      return (state.nextTicket, promise)
    }
  }

  private func leave(_ ticket: UInt64) { state.withLock { _ = $0.waiting.removeValue(forKey: ticket) } }
}
