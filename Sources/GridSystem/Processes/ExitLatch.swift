internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// Set once with how a child ended; any number of tasks wait for it.
final class ExitLatch: Sendable {
  private struct State {
    var status: ProcessExitStatus?
    var nextWaiter: UInt64 = 0
    var waiters: [UInt64: Promise<ProcessExitStatus?>] = [:]
    var cancelled: Set<UInt64> = []
    var observers: [@Sendable (ProcessExitStatus) -> Void] = []
  }

  private let state = Mutex(State())

  var status: ProcessExitStatus? { state.withLock { $0.status } }

  /// Sets the status; later calls change nothing.
  func complete(_ status: ProcessExitStatus) {
    let ended = state.withLock { state -> State? in
      guard state.status == nil else { return nil }
      let before = state
      state = State(status: status, nextWaiter: state.nextWaiter)
      return before
    }
    guard let ended else { return }
    for waiter in ended.waiters.values { waiter.fulfil(status) }
    for observer in ended.observers { observer(status) }
  }

  /// Calls `observer` once: on the thread that completes the latch, or at once when it is complete.
  func onCompletion(_ observer: @escaping @Sendable (ProcessExitStatus) -> Void) {
    let known = state.withLock { state in
      if state.status == nil { state.observers.append(observer) }
      return state.status
    }
    if let known { observer(known) }
  }

  /// Waits for the status; a cancelled task stops waiting.
  ///
  /// - Throws: ``GridError/Code/cancelled``.
  func wait() async throws(GridError) -> ProcessExitStatus {
    let waiter = makeWaiter()
    let status = await withTaskCancellationHandler {
      await wait(as: waiter)
    } onCancel: {
      cancel(waiter)
    }
    guard let status else { throw GridError(.cancelled, "no longer waiting for a child process to end") }
    return status
  }

  /// A number for ``wait(as:)`` and ``cancel(_:)``.
  func makeWaiter() -> UInt64 {
    state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
  }

  /// Waits for the status whatever happens to the task; `nil` after ``cancel(_:)``, also an earlier one.
  func wait(as waiter: UInt64) async -> ProcessExitStatus? {
    await withPromise { promise in
      let answer = state.withLock { state -> ProcessExitStatus?? in
        if let status = state.status { return .some(status) }
        if state.cancelled.remove(waiter) != nil { return .some(nil) }
        state.waiters[waiter] = promise
        return .none
      }
      if let answer { promise.fulfil(answer) }
    }
  }

  /// Ends the wait of `waiter`.
  func cancel(_ waiter: UInt64) {
    let promise = state.withLock { state in
      let promise = state.waiters.removeValue(forKey: waiter)
      if promise == nil, state.status == nil { state.cancelled.insert(waiter) }
      return promise
    }
    promise?.fulfil(nil)
  }
}
