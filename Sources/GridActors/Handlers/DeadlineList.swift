internal import GridConcurrency
package import GridCore
internal import Synchronization

/// The deadlines of this process's pending asks.
///
/// An ask costs one append: those that were answered within a few milliseconds, nearly all, are dropped in bulk, and
/// only the deadlines of the others come into the wheel, where nobody looks at them before their time.
package final class DeadlineList: Sendable {
  private struct Entry {
    let ask: PendingAsk
    let deadline: MonotonicTime
  }

  private struct State {
    /// What came since the last look.
    var fresh: [Entry] = []
    var wheel = TimerWheel<PendingAsk>(shift: 24)
    var wheelLimit = DeadlineList.leastLimit
    /// Whether the fresh ones are looked at soon.
    var sweepIsPending = false
    /// When it is looked, soon or when the first deadline is due.
    var sweepToken: TimerToken?
    var isClosed = false
  }

  private static let interval = Duration.milliseconds(10)
  /// Deadlines in the wheel beyond which those of asks that were answered are left out.
  private static let leastLimit = 1024

  package let timers: any Timers
  private let state = Mutex(State())

  package init(timers: any Timers) { self.timers = timers }

  func add(_ ask: PendingAsk, deadline: MonotonicTime) {
    guard deadline != .distantFuture else { return }
    let isClosed = state.withLock { state in
      if state.isClosed { return true }
      state.fresh.append(Entry(ask: ask, deadline: deadline))
      if !state.sweepIsPending {
        state.sweepIsPending = true
        setSweep(at: timers.now() + Self.interval, &state)
      }
      return false
    }
    if isClosed { ask.resolve(0, .failure(Self.closed)) }
  }

  /// How many asks wait for an answer; counted for a price that grows with them.
  package var waiting: Int {
    state.withLock { state in
      state.wheel.removeAll { !$0.isWaiting }
      return state.wheel.count + state.fresh.count { $0.ask.isWaiting }
    }
  }

  private static let closed = GridError(.unavailable, "the node has stopped")

  /// Fails what waits and whatever comes from now on.
  package func close() {
    let asks = state.withLock { state in
      state.isClosed = true
      if let token = state.sweepToken { timers.cancel(token) }
      state.sweepToken = nil
      defer { state.fresh = [] }
      return state.wheel.removeAll() + state.fresh.map(\.ask)
    }
    for ask in asks { ask.resolve(0, .failure(Self.closed)) }
  }

  /// Called with the lock held, so that no sweep is scheduled once the list is closed.
  private func setSweep(at time: MonotonicTime, _ state: inout State) {
    if let token = state.sweepToken { timers.cancel(token) }
    state.sweepToken = timers.schedule(at: time) { self.sweep() }
  }

  private func sweep() {
    let now = timers.now()
    let expired = state.withLock { state -> [PendingAsk] in
      if state.isClosed { return [] }
      for entry in state.fresh where entry.ask.isWaiting { state.wheel.insert(entry.ask, at: entry.deadline) }
      state.fresh.removeAll(keepingCapacity: state.fresh.count <= 4096)
      let expired = state.wheel.advance(to: now)
      if state.wheel.count > state.wheelLimit {
        state.wheel.removeAll { !$0.isWaiting }
        state.wheelLimit = max(Self.leastLimit, 2 * state.wheel.count)
      }
      state.sweepIsPending = false
      state.sweepToken = nil
      if let next = state.wheel.next { setSweep(at: next, &state) }
      return expired
    }
    for ask in expired { ask.resolve(0, .failure(GridError(.deadline, "no answer in time"))) }
  }
}
