internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import Synchronization

/// Knows how long nothing has come.
final class IdleClock: Sendable {
  private let clock = SystemClock()
  private let touched: Atomic<Int64>

  init() { touched = Atomic(clock.now().nanoseconds) }

  func touch() { touched.store(clock.now().nanoseconds, ordering: .relaxed) }

  /// Sleeps until nothing has come for `idle`, as things stand; false when that is so already.
  func sleepIfActive(_ idle: Duration) async throws -> Bool {
    let quiet = clock.now() - MonotonicTime(nanoseconds: touched.load(ordering: .relaxed))
    guard quiet < idle else { return false }
    try await ProcessTimers.shared.pause(for: idle - quiet)
    return true
  }
}
