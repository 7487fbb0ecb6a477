internal import GridCore
internal import Synchronization

/// One task that waits for a window to open. Resumed exactly once: by a wake-up or by cancellation.
final class WindowWaiter: Sendable {
  private enum State {
    case idle
    case waiting(CheckedContinuation<Void, Never>)
    case woken
  }

  private let state = Mutex(State.idle)

  func wake() {
    let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
      defer { state = .woken }
      if case .waiting(let continuation) = state { return continuation }
      return nil
    }
    continuation?.resume()
  }

  /// - Throws: ``GridError/Code/cancelled`` when the task was cancelled.
  func wait() async throws(GridError) {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isWoken = state.withLock { state in
          if case .woken = state { return true }
          state = .waiting(continuation)
          return false
        }
        if isWoken { continuation.resume() }
      }
    } onCancel: {
      wake()
    }
    if Task.isCancelled { throw GridError(.cancelled, "cancelled while waiting for room") }
  }
}
