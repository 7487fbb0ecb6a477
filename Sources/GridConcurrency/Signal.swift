package import GridCore
internal import Synchronization

/// One value handed from any thread to the one task that waits for it. A value that was not yet taken is replaced by
/// the next: the latest is what matters. One waiter at a time.
package final class Signal<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var waiting: Promise<Value?>?
  }

  private let state = Mutex(State())

  package init() {}

  package func raise(_ value: Value) {
    let promise = state.withLock { state in
      defer { state.waiting = nil }
      if state.waiting == nil { state.value = value }
      return state.waiting
    }
    // Who was there has been cancelled, or has waited long enough, at this very moment: it is for the next.
    if let promise, !promise.fulfil(value) { raise(value) }
  }

  /// The next value, or nil when the task is cancelled.
  @discardableResult
  package func wait() async -> Value? {
    guard let promise = listen() else { return take() }
    return await promise.value(ifCancelled: nil)
  }

  /// The next value, or nil after `limit` and when the task is cancelled.
  @discardableResult
  package func wait(atMost limit: Duration, on timers: any Timers) async -> Value? {
    guard let promise = listen() else { return take() }
    let token = timers.schedule(after: limit) { promise.fulfil(nil) }
    defer { timers.cancel(token) }
    return await promise.value(ifCancelled: nil)
  }

  /// A promise of the next value; nil when there is one.
  private func listen() -> Promise<Value?>? {
    state.withLock { state in
      guard state.value == nil else { return nil }
      let promise = Promise<Value?>()
      state.waiting = promise
      return promise
    }
  }

  private func take() -> Value? {
    state.withLock { state in
      defer { state.value = nil }
      return state.value
    }
  }
}

extension Signal<Void> {
  package func raise() { raise(()) }
}
