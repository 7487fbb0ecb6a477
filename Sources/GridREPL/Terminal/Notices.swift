internal import GridCore
internal import Synchronization

/// Lines that wait to be shown above the prompt: events, output of jobs, news of the connection.
///
/// Bounded: what comes while it is full is counted and dropped, and the count is shown in its place.
final class Notices: Sendable {
  /// How many lines wait at most; with ``interval`` this bounds how much is written in a second.
  static let capacity = 200
  /// The screen is repainted so often at most.
  static let interval = Duration.milliseconds(50)

  private struct State {
    var lines: [String] = []
    var dropped = 0
    var prompt: String?
    var isHeld = false
    var shownAt = MonotonicTime(nanoseconds: .min)
  }

  private let state = Mutex(State())

  /// - Returns: whether somebody should be woken to show it.
  func add(_ line: String) -> Bool {
    state.withLock { state in
      guard state.lines.count < Self.capacity else {
        state.dropped += 1
        return false
      }
      state.lines.append(line)
      return state.lines.count == 1 && !state.isHeld
    }
  }

  /// Has the prompt changed with the next repaint.
  ///
  /// - Returns: whether somebody should be woken to show it.
  func offer(prompt: String) -> Bool {
    state.withLock { state in
      state.prompt = prompt
      return !state.isHeld
    }
  }

  /// The prompt that waits, once.
  func takePrompt() -> String? {
    state.withLock { state in
      defer { state.prompt = nil }
      return state.prompt
    }
  }

  /// Keeps the lines until released, as while a command has the whole screen.
  func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

  /// When they may be shown, nil when there is nothing to show.
  var dueTime: MonotonicTime? {
    state.withLock { state in
      (state.lines.isEmpty && state.prompt == nil) || state.isHeld
        ? nil : max(state.shownAt, MonotonicTime(nanoseconds: 0)) + Self.interval
    }
  }

  /// Takes the lines, when it is time.
  func take(now: MonotonicTime) -> String? {
    state.withLock { state in
      guard !state.isHeld else { return nil }
      state.shownAt = now
      guard !state.lines.isEmpty else { return nil }
      var text = state.lines.map { $0 + "\n" }.joined()
      if state.dropped > 0 { text += "· \(CountText.grouped(state.dropped)) more lines were not shown\n" }
      state.lines = []
      state.dropped = 0
      return text
    }
  }
}
