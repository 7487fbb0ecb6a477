internal import GridCore
internal import NIOCore
internal import Synchronization

/// Runs tasks on the thread of one event loop, the one that serves their connection, instead of the cooperative pool:
/// a pool that is busy or blocked costs them nothing. Its timers are the loop's: those of `Task.sleep` need the pool.
final class LoopExecutor: TaskExecutor {
  let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }

  /// Returns after `duration`, or at once when the task is cancelled.
  func sleep(_ duration: Duration) async {
    let timer = LoopTimer()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        timer.start(continuation, on: loop, after: duration)
      }
    } onCancel: {
      timer.fire()
    }
  }

  /// What `body` returns, or nil when it has not returned after `duration`: then it is cancelled, and waited for.
  ///
  /// - Throws: what `body` throws.
  func withDeadline<Value: Sendable, Failure: Error>(
    _ duration: Duration, _ body: @escaping @Sendable () async throws(Failure) -> Value
  ) async throws(Failure) -> Value? {
    let result = await withTaskGroup(of: Result<Value, Failure>?.self) { group in
      group.addTask {
        do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
      }
      group.addTask {
        await self.sleep(duration)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
    return try result?.get()
  }
}

/// One wait for one time, ended by whichever comes first of the time and a cancellation.
private final class LoopTimer: Sendable {
  private struct State {
    var continuation: CheckedContinuation<Void, Never>?
    var scheduled: Scheduled<Void>?
    var isOver = false
  }

  private let state = Mutex(State())

  func start(_ continuation: CheckedContinuation<Void, Never>, on loop: any EventLoop, after duration: Duration) {
    let isOver = state.withLock { state in
      if !state.isOver { state.continuation = continuation }
      return state.isOver
    }
    if isOver { return continuation.resume() }
    let scheduled = loop.scheduleTask(in: .nanoseconds(max(0, duration.wholeNanoseconds))) { self.fire() }
    let isLate = state.withLock { state in
      if !state.isOver { state.scheduled = scheduled }
      return state.isOver
    }
    if isLate { scheduled.cancel() }
  }

  func fire() {
    let (continuation, scheduled) = state.withLock { state in
      state.isOver = true
      defer {
        state.continuation = nil
        state.scheduled = nil
      }
      return (state.continuation, state.scheduled)
    }
    scheduled?.cancel()
    continuation?.resume()
  }
}
