internal import DequeModule
internal import Synchronization

/// A queue from any thread to one consuming task. When it is full, ``push(_:)`` refuses: the producer says so to
/// whoever it acts for.
package final class BoundedQueue<Element: Sendable>: Sendable {
  private struct State {
    var elements: Deque<Element> = []
    var waiting: CheckedContinuation<Element?, Never>?
    var isClosed = false
  }

  private let capacity: Int
  private let state = Mutex(State())

  package init(capacity: Int) { self.capacity = capacity }

  /// Appends an element; false when the queue is full or closed.
  package func push(_ element: Element) -> Bool {
    let (accepted, continuation) = state.withLock { state -> (Bool, CheckedContinuation<Element?, Never>?) in
      guard !state.isClosed, state.elements.count < capacity else { return (false, nil) }
      if let waiting = state.waiting {
        state.waiting = nil
        return (true, waiting)
      }
      state.elements.append(element)
      return (true, nil)
    }
    continuation?.resume(returning: element)
    return accepted
  }

  /// The next element, or nil once the queue is closed and empty, or the task is cancelled.
  package func next() async -> Element? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state -> Element?? in
          if let element = state.elements.popFirst() { return .some(element) }
          if state.isClosed || Task.isCancelled { return .some(nil) }
          state.waiting = continuation
          return .none
        }
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      wakeEmptyHanded()
    }
  }

  /// Refuses further elements; what is queued is still handed out.
  package func close() {
    state.withLock { $0.isClosed = true }
    wakeEmptyHanded()
  }

  private func wakeEmptyHanded() {
    let continuation = state.withLock { state in
      defer { state.waiting = nil }
      return state.waiting
    }
    continuation?.resume(returning: nil)
  }
}
