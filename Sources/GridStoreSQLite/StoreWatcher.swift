internal import DequeModule
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// One watch: events from the store's thread to the task that follows. When the task is too slow, what waits is thrown
/// away and the task reads the complete state instead.
final class StoreWatcher: Sendable {
  /// Changes that may wait.
  static let capacity = 10_000

  enum Item: Sendable {
    case changes([StoreChange], revision: Int64)
    /// Changes are missing: read everything.
    case overrun
    case ended
  }

  fileprivate struct State {
    var seen: Int64
    var items: Deque<Item> = []
    var waitingChanges = 0
    var isOverrun = false
    var isEnded = false
    var waiting: Promise<Item>?
  }

  let prefix: String
  fileprivate let state: Mutex<State>

  init(prefix: String, after revision: Int64) {
    self.prefix = prefix
    state = Mutex(State(seen: revision))
  }

  /// The last revision that was handed over; nil when it will start afresh anyway.
  var seen: Int64? { state.withLock { $0.isOverrun ? nil : $0.seen } }

  /// Takes over what changed after ``seen``; `nil` says that some of it is no longer known.
  func offer(_ changes: [(revision: Int64, change: StoreChange)]?, upTo revision: Int64) {
    let resumed = state.withLock { state -> (Promise<Item>, Item)? in
      guard !state.isOverrun, !state.isEnded else { return nil }
      guard let changes else {
        state.overrun()
        return state.takeForWaiting()
      }
      let fresh = changes.filter { $0.revision > state.seen && $0.change.key.utf8.starts(with: prefix.utf8) }
      state.seen = max(state.seen, revision)
      guard !fresh.isEmpty else { return nil }
      state.waitingChanges += fresh.count
      if state.waitingChanges > Self.capacity {
        state.overrun()
      } else {
        state.items.append(.changes(fresh.map(\.change), revision: revision))
      }
      return state.takeForWaiting()
    }
    if let (promise, item) = resumed { promise.fulfil(item) }
  }

  /// Goes on after an overrun from a state that was read at `revision`.
  func restart(at revision: Int64) {
    state.withLock { state in
      state.seen = revision
      state.isOverrun = false
    }
  }

  func end() {
    let waiting = state.withLock { state in
      state.isEnded = true
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.fulfil(.ended)
  }

  func next() async -> Item {
    await withTaskCancellationHandler {
      await withPromise { promise in
        let ready = state.withLock { state -> Item? in
          if let item = state.take() { return item }
          state.waiting = promise
          return nil
        }
        if let ready { promise.fulfil(ready) }
      }
    } onCancel: {
      end()
    }
  }
}

extension StoreWatcher.State {
  fileprivate mutating func overrun() {
    items = [.overrun]
    waitingChanges = 0
    isOverrun = true
  }

  fileprivate mutating func take() -> StoreWatcher.Item? {
    if isEnded { return .ended }
    guard let item = items.popFirst() else { return nil }
    if case .changes(let changes, _) = item { waitingChanges -= changes.count }
    return item
  }

  fileprivate mutating func takeForWaiting() -> (Promise<StoreWatcher.Item>, StoreWatcher.Item)? {
    guard let promise = waiting, let item = take() else { return nil }
    waiting = nil
    return (promise, item)
  }
}
