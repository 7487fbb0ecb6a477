internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import NIOCore

/// The thread of one event loop, the one that serves a connection: tasks run and wait there instead of in the
/// cooperative pool, which may be busy or blocked.
final class LoopThread: Sendable {
  let executor: LoopExecutor
  private let timers: LoopTimers

  init(_ loop: any EventLoop) {
    executor = LoopExecutor(loop)
    timers = LoopTimers(loop)
  }

  /// Returns after `duration`, or at once when the task is cancelled.
  func sleep(_ duration: Duration) async { await timers.sleep(for: duration) }

  /// What `body` returns, or nil when it has not returned after `duration`: then it is cancelled, and waited for.
  ///
  /// - Throws: what `body` throws.
  func withDeadline<Value: Sendable, Failure: Error>(
    _ duration: Duration, _ body: @escaping @Sendable () async throws(Failure) -> Value
  ) async throws(Failure) -> Value? {
    try await timers.withLimit(duration, body)
  }
}
