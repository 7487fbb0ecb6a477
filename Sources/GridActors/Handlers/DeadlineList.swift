internal import GridConcurrency
package import GridCore
package import NIOCore
internal import Synchronization

/// The deadlines of this process's pending asks, looked at every few milliseconds while there are any.
///
/// A list and a sweep instead of a timer an ask: an ask costs one append, and those that were answered in time, nearly
/// all, are dropped in bulk.
package final class DeadlineList: Sendable {
  private struct Entry {
    let ask: PendingAsk
    let deadline: MonotonicTime
  }

  private struct State {
    var entries: [Entry] = []
    var sweepIsPending = false
    var isClosed = false
  }

  private static let interval = TimeAmount.milliseconds(10)

  private let state = Mutex(State())
  private let eventLoop: any EventLoop
  private let clock: any GridClock

  package init(eventLoop: any EventLoop, clock: any GridClock) {
    self.eventLoop = eventLoop
    self.clock = clock
  }

  func add(_ ask: PendingAsk, deadline: MonotonicTime) {
    guard deadline != .distantFuture else { return }
    let isClosed = state.withLock { state in
      if state.isClosed { return true }
      state.entries.append(Entry(ask: ask, deadline: deadline))
      if !state.sweepIsPending { scheduleSweep() }
      state.sweepIsPending = true
      return false
    }
    if isClosed { ask.resolve(0, .failure(Self.closed)) }
  }

  private static let closed = GridError(.unavailable, "the node has stopped")

  /// Fails what waits and whatever comes from now on; the event loop may end after that.
  package func close() {
    let entries = state.withLock { state in
      state.isClosed = true
      defer { state.entries = [] }
      return state.entries
    }
    for entry in entries { entry.ask.resolve(0, .failure(Self.closed)) }
  }

  /// Called with the lock held, so that no sweep is scheduled once the list is closed.
  private func scheduleSweep() { eventLoop.scheduleTask(in: Self.interval) { self.sweep() } }

  private func sweep() {
    let now = clock.now()
    let expired = state.withLock { state in
      let expired = state.entries.filter { $0.deadline <= now }
      state.entries.removeAll { $0.deadline <= now || !$0.ask.isWaiting }
      state.sweepIsPending = !state.entries.isEmpty
      if state.sweepIsPending { scheduleSweep() }
      return expired
    }
    for entry in expired { entry.ask.resolve(0, .failure(GridError(.deadline, "no answer in time"))) }
  }
}
