internal import GridConcurrency
package import GridCore
internal import GridSystem
internal import NIOCore

/// The timers of a process that is no node: the thread of its connections drives them.
package enum ProcessTimers {
  package static let shared: any Timers = LoopTimers(NodeConnection.sharedGroup.next(), clock: SystemClock())
}

extension Timers {
  /// Returns after `duration`.
  ///
  /// - Throws: `CancellationError` when the task is cancelled before.
  package func pause(for duration: Duration) async throws(CancellationError) {
    guard await self.sleep(for: duration) else { throw CancellationError() }
  }
}
