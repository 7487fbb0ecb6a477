internal import Grid
internal import GridCore
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
    try await Task.sleep(for: idle - quiet)
    return true
  }
}

/// A time in the past, as `--since` gives it.
enum Since {
  /// Milliseconds since 1970 of now less the duration.
  static func milliseconds(_ text: String) throws -> Int64 {
    let duration = try Duration.argument(text)
    return SystemClock().date().millisecondsSince1970 - duration.wholeNanoseconds / 1_000_000
  }
}
