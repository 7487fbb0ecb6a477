internal import DequeModule
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// Events on their way from the stream to the receiver. When the receiver is slow the stream waits, and etcd with it:
/// it keeps what a slow watcher has not taken in its own history.
final class WatchFeed: Sendable {
  /// Events that may wait before the stream does.
  static let capacity = 64

  private struct State {
    var events: Deque<WatchEvent> = []
    var isEnded = false
    var failure: GridError?
    var receiver: Promise<Void>?
    var sender: Promise<Void>?
  }

  private let state = Mutex(State())

  /// Whether nothing waits to be received.
  var isEmpty: Bool { state.withLock { $0.events.isEmpty } }

  /// Whether nobody receives any more.
  var isEnded: Bool { state.withLock { $0.isEnded } }

  /// Takes `event`, and returns when there is room for another. Waits for nothing but that and the end.
  func send(_ event: WatchEvent) async {
    let receiver = state.withLock { state in
      if !state.isEnded { state.events.append(event) }
      defer { state.receiver = nil }
      return state.receiver
    }
    receiver?.fulfil()
    await withPromise { promise in
      let hasRoom = state.withLock { state in
        if state.isEnded || state.events.count < Self.capacity { return true }
        state.sender = promise
        return false
      }
      if hasRoom { promise.fulfil() }
    }
  }

  /// The next event; nil at the end and when the task is cancelled.
  ///
  /// - Throws: why the watch cannot go on.
  func next() async throws(GridError) -> WatchEvent? {
    while !Task.isCancelled {
      let (event, isEnded, failure, sender) = state.withLock { state in
        let event = state.isEnded ? nil : state.events.popFirst()
        defer { if event != nil { state.sender = nil } }
        return (event, state.isEnded, state.failure, event == nil ? nil : state.sender)
      }
      sender?.fulfil()
      if let event { return event }
      if let failure { throw failure }
      if isEnded { return nil }
      await waitForEvent()
    }
    return nil
  }

  private func waitForEvent() async {
    await withTaskCancellationHandler {
      await withPromise { promise in
        let isReady = state.withLock { state in
          if state.isEnded || !state.events.isEmpty || Task.isCancelled { return true }
          state.receiver = promise
          return false
        }
        if isReady { promise.fulfil() }
      }
    } onCancel: {
      end(nil)
    }
  }

  /// Nothing more is delivered; what waits is dropped.
  func end(_ failure: GridError?) {
    let (receiver, sender) = state.withLock { state in
      if !state.isEnded { state.failure = failure }
      state.isEnded = true
      state.events = []
      defer {
        state.receiver = nil
        state.sender = nil
      }
      return (state.receiver, state.sender)
    }
    receiver?.fulfil()
    sender?.fulfil()
  }
}
