internal import Synchronization

/// Wakes one waiting task; pulses that come while nobody waits count as one.
final class Pulse: Sendable {
  private enum State {
    case idle
    case fired
    case waiting(CheckedContinuation<Void, Never>)
  }

  private let state = Mutex(State.idle)

  func fire() {
    let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard case .waiting(let continuation) = state else {
        state = .fired
        return nil
      }
      state = .idle
      return continuation
    }
    continuation?.resume()
  }

  /// Returns after the next pulse, or when the task is cancelled. One waiter at a time.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = state.withLock { state in
          if case .fired = state {
            state = .idle
            return true
          }
          state = .waiting(continuation)
          return false
        }
        if isDone || Task.isCancelled { isDone ? continuation.resume() : fire() }
      }
    } onCancel: {
      fire()
    }
  }
}

/// Opens once and stays open; any number of tasks may wait.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var nextWaiter = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var actions: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())

  var isOpen: Bool { state.withLock { $0.isOpen } }

  func open() {
    let (waiters, actions) = state.withLock { state in
      state.isOpen = true
      defer {
        state.waiters = [:]
        state.actions = []
      }
      return (Array(state.waiters.values), state.actions)
    }
    for waiter in waiters { waiter.resume() }
    for action in actions { action() }
  }

  /// Calls `action` once, when it opens or now; whatever becomes of the calling task.
  func whenOpen(_ action: @escaping @Sendable () -> Void) {
    let isOpen = state.withLock { state in
      if !state.isOpen { state.actions.append(action) }
      return state.isOpen
    }
    if isOpen { action() }
  }

  /// Returns when it is open, or when the task is cancelled.
  func wait() async {
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = state.withLock { state in
          if state.isOpen || Task.isCancelled { return true }
          state.waiters[number] = continuation
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
    }
  }
}
