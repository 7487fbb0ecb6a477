internal import Synchronization

/// A value that comes once, from any thread, to the one task that waits for it. The first that is given counts; what
/// comes later is dropped.
package final class Promise<Value: Sendable>: Sendable {
  private enum State {
    // Unsafe only in that nobody counts the resumptions; the state does.
    case waiting(UnsafeContinuation<Value, Never>?)
    case fulfilled(Value)
    case taken
  }

  private let state = Mutex(State.waiting(nil))

  package init() {}

  /// - Returns: whether it is the first.
  @discardableResult
  package func fulfil(_ value: Value) -> Bool {
    let (isFirst, continuation) = state.withLock { state -> (Bool, UnsafeContinuation<Value, Never>?) in
      guard case .waiting(let continuation) = state else { return (false, nil) }
      state = continuation == nil ? .fulfilled(value) : .taken
      return (true, continuation)
    }
    continuation?.resume(returning: value)
    return isFirst
  }

  /// Whether nothing has come yet.
  package var isOpen: Bool {
    state.withLock { state in
      if case .waiting = state { return true }
      return false
    }
  }

  /// The value when it is there already, without waiting; once.
  package func takeFulfilled() -> Value? {
    state.withLock { state in
      guard case .fulfilled(let value) = state else { return nil }
      state = .taken
      return value
    }
  }

  /// The value, to be waited for once. Cancelling the task changes nothing: who promised keeps it.
  package func value() async -> Value {
    await withUnsafeContinuation { continuation in
      let value = state.withLock { state -> Value? in
        if case .fulfilled(let value) = state {
          state = .taken
          return value
        }
        state = .waiting(continuation)
        return nil
      }
      if let value { continuation.resume(returning: value) }
    }
  }

  /// The value, or `other` when the task is cancelled before it has come.
  package func value(ifCancelled other: @autoclosure @escaping @Sendable () -> Value) async -> Value {
    await withTaskCancellationHandler {
      await value()
    } onCancel: {
      fulfil(other())
    }
  }
}

extension Promise<Void> {
  package func fulfil() { fulfil(()) }
}

/// Hands a promise to `body`, which sees to it that it is kept, and returns what was promised.
///
/// For calls that answer through a callback: the one place where a task waits for one.
package func withPromise<Value: Sendable>(_ body: (Promise<Value>) -> Void) async -> Value {
  let promise = Promise<Value>()
  body(promise)
  return await promise.value()
}
