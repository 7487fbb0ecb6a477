internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import Synchronization

/// The tasks that outlive a call of the store: connections and the keepers of leases.
///
/// The port has no `run()` in whose task group they could be children. They are children of the store all the same:
/// ``end()`` cancels each and returns when the last has ended.
final class EngineTasks: Sendable {
  private struct State {
    var next = 0
    var tasks: [Int: Task<Void, Never>] = [:]
    var isEnding = false
  }

  private let state = Mutex(State())

  /// Starts `body` on `executor`; after ``end()`` it is cancelled from its beginning.
  @discardableResult
  func start(on executor: LoopExecutor, _ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    state.withLock { state in
      let number = state.next
      state.next += 1
      let task = Task(executorPreference: executor) {
        await body()
        self.forget(number)
      }
      if state.isEnding { task.cancel() }
      state.tasks[number] = task
      return task
    }
  }

  private func forget(_ number: Int) { state.withLock { _ = $0.tasks.removeValue(forKey: number) } }

  /// Cancels all tasks and waits for them.
  func end() async {
    while true {
      let tasks = state.withLock { state in
        state.isEnding = true
        return Array(state.tasks.values)
      }
      if tasks.isEmpty { return }
      for task in tasks { task.cancel() }
      for task in tasks { await task.value }
    }
  }
}

/// Counts the calls in progress, so that the store can close behind the last of them.
final class CallGate: Sendable {
  private struct State {
    var calls = 0
    var isClosed = false
    var waiting: Promise<Void>?
  }

  private let state = Mutex(State())

  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// - Throws: ``GridError/Code/unavailable`` when the store is closed.
  func enter() throws(GridError) {
    let isOpen = state.withLock { state in
      if !state.isClosed { state.calls += 1 }
      return !state.isClosed
    }
    guard isOpen else { throw Self.closed }
  }

  func leave() {
    let waiting = state.withLock { state -> Promise<Void>? in
      state.calls -= 1
      guard state.calls == 0 else { return nil }
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.fulfil()
  }

  /// Lets nobody in any more; false when that was so before.
  func close() -> Bool {
    state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
  }

  /// Returns when the last call has left. To be called once, after ``close()``.
  func waitForCalls() async {
    await withPromise { promise in
      let isIdle = state.withLock { state in
        if state.calls > 0 { state.waiting = promise }
        return state.calls == 0
      }
      if isIdle { promise.fulfil() }
    }
  }

  static var closed: GridError { GridError(.unavailable, "the coordination store is closed") }
}
