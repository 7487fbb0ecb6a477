internal import Synchronization

/// One value handed from any thread to the one task that waits for it. A value that was not yet taken is replaced by
/// the next: the latest is what matters. One waiter at a time.
package final class Signal<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var waiting: CheckedContinuation<Value?, Never>?
  }

  private let state = Mutex(State())

  package init() {}

  package func raise(_ value: Value) {
    let continuation = state.withLock { state -> CheckedContinuation<Value?, Never>? in
      defer { state.waiting = nil }
      if state.waiting == nil { state.value = value }
      return state.waiting
    }
    continuation?.resume(returning: value)
  }

  /// The next value, or nil when the task is cancelled.
  @discardableResult
  package func wait() async -> Value? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state -> Value?? in
          if let value = state.value {
            state.value = nil
            return .some(value)
          }
          if Task.isCancelled { return .some(nil) }
          state.waiting = continuation
          return .none
        }
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      let continuation = state.withLock { state in
        defer { state.waiting = nil }
        return state.waiting
      }
      continuation?.resume(returning: nil)
    }
  }
}

extension Signal<Void> {
  package func raise() { raise(()) }
}
