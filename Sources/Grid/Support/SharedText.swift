internal import Synchronization

/// A text that is set once it is known and read from any thread.
final class SharedText: Sendable {
  private let text = Mutex("")

  var value: String { text.withLock { $0 } }

  func set(_ value: String) { text.withLock { $0 = value } }
}
