internal import DequeModule
internal import Synchronization

/// A queue from any thread to one consuming task: at most `capacity` elements wait, and what happens beyond is named.
package final class BoundedQueue<Element: Sendable>: Sendable {
  /// What happens to an element for which there is no room.
  package enum Overflow: Sendable {
    /// It is refused: the producer says so to whoever it acts for.
    case refuse
    /// It is taken, and the oldest that waits is dropped and counted, see ``BoundedQueue/takeDropped()``.
    case dropOldest
    /// It is dropped and counted.
    case dropNewest
  }

  private struct State {
    var elements: Deque<Element> = []
    var waiting: Promise<Element?>?
    var dropped = 0
    var isClosed = false
  }

  private let capacity: Int
  private let overflow: Overflow
  private let state = Mutex(State())

  package init(capacity: Int, overflow: Overflow = .refuse) {
    self.capacity = max(1, capacity)
    self.overflow = overflow
  }

  /// Appends an element.
  ///
  /// - Returns: false when it is not taken: the queue is full and refuses, or is closed.
  package func push(_ element: Element) -> Bool {
    let (isTaken, promise) = state.withLock { state -> (Bool, Promise<Element?>?) in
      if state.isClosed { return (false, nil) }
      if let waiting = state.waiting {
        state.waiting = nil
        return (true, waiting)
      }
      return (append(element, to: &state), nil)
    }
    // The consumer was cancelled at this very moment: it is for the next.
    if let promise, !promise.fulfil(element) { return push(element) }
    return isTaken
  }

  private func append(_ element: Element, to state: inout State) -> Bool {
    if state.elements.count >= capacity {
      switch overflow {
      case .refuse: return false
      case .dropOldest: state.elements.removeFirst()
      case .dropNewest: break
      }
      state.dropped += 1
      if case .dropNewest = overflow { return true }
    }
    state.elements.append(element)
    return true
  }

  /// How many were dropped since this was asked last.
  package func takeDropped() -> Int {
    state.withLock { state in
      defer { state.dropped = 0 }
      return state.dropped
    }
  }

  /// How many wait.
  package var count: Int { state.withLock { $0.elements.count } }

  /// The next element, or nil once the queue is closed and empty, or the task is cancelled.
  package func next() async -> Element? {
    let (element, promise) = state.withLock { state -> (Element?, Promise<Element?>?) in
      if let element = state.elements.popFirst() { return (element, nil) }
      if state.isClosed { return (nil, nil) }
      let promise = Promise<Element?>()
      state.waiting = promise
      return (nil, promise)
    }
    return if let promise { await promise.value(ifCancelled: nil) } else { element }
  }

  /// Refuses further elements; what is queued is still handed out.
  package func close() {
    let promise = state.withLock { state in
      state.isClosed = true
      defer { state.waiting = nil }
      return state.waiting
    }
    promise?.fulfil(nil)
  }
}
