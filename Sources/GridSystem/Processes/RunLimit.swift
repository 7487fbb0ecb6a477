internal import CProcessGuard
package import GridCore

/// Until when programs may run, in memory that their keepers share: moving it costs two stores, and it is kept although
/// this process hangs or is stopped.
///
/// A program that was started under a limit gets SIGTERM a while before it, and is killed at it, with all that descends
/// from it. A limit that was ended comes never again: what is started later is under the next one. Safe to use from any
/// thread.
package final class RunLimit: Sendable {
  /// Tells one limit from those before and after it.
  package struct Number: Sendable, Equatable {
    let raw: UInt32
  }

  nonisolated(unsafe) let page: OpaquePointer?  // atomics only, and valid as long as this object

  /// Without memory there is no limit, and ``number`` is nil.
  package init() { page = grid_run_limit_make() }

  deinit { page.map(grid_run_limit_free) }

  /// The present limit, for programs that start now; nil where none can be kept.
  package var number: Number? { page.map { Number(raw: grid_run_limit_number($0)) } }

  /// Moves the limit. A new one has passed already until it is moved for the first time.
  ///
  /// - Parameters:
  ///   - time: by `CLOCK_BOOTTIME`.
  ///   - notice: how long before it programs are asked to end.
  package func extend(until time: MonotonicTime, notice: Duration) {
    guard let page else { return }
    grid_run_limit_extend(page, time.nanoseconds, max(0, notice.wholeNanoseconds))
  }

  /// Ends the limit. Keepers look at it by themselves when it would have passed; whoever wants them to look at once
  /// tells them.
  package func end() { page.map(grid_run_limit_end) }
}
