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
    let schedules = state.withLock { state in
      state.entries.append(Entry(ask: ask, deadline: deadline))
      defer { state.sweepIsPending = true }
      return !state.sweepIsPending
    }
    if schedules { eventLoop.scheduleTask(in: Self.interval) { self.sweep() } }
  }

  private func sweep() {
    let now = clock.now()
    let (expired, goesOn) = state.withLock { state in
      let expired = state.entries.filter { $0.deadline <= now }
      state.entries.removeAll { $0.deadline <= now || !$0.ask.isWaiting }
      state.sweepIsPending = !state.entries.isEmpty
      return (expired, state.sweepIsPending)
    }
    for entry in expired { entry.ask.resolve(0, .failure(GridError(.deadline, "no answer in time"))) }
    if goesOn { eventLoop.scheduleTask(in: Self.interval) { self.sweep() } }
  }
}
