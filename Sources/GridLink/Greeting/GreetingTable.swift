internal import GridCore
internal import Synchronization

/// The connections to one address that have not greeted yet. Overflow: the oldest of them is closed, so that whoever
/// does greet is never kept out by those who do not.
final class GreetingTable: Sendable {
  /// How many may be there at once.
  static let capacity = 64

  private struct State {
    var next: UInt64 = 0
    /// In the order in which they came.
    var waiting: [(number: UInt64, close: @Sendable (GridError) -> Void)] = []
  }

  private let state = Mutex(State())

  /// - Parameter close: called on any thread when there are too many.
  /// - Returns: what ``leave(_:)`` wants.
  func enter(_ close: @escaping @Sendable (GridError) -> Void) -> UInt64 {
    let (number, surplus) = state.withLock { state in
      state.next &+= 1
      state.waiting.append((state.next, close))
      let surplus = state.waiting.count > Self.capacity ? state.waiting.removeFirst().close : nil
      return (state.next, surplus)
    }
    surplus?(
      GridError(.retryLater, "too many connections that have not greeted", hint: "greet at once, or try again later"))
    return number
  }

  func leave(_ number: UInt64) {
    state.withLock { state in
      if let index = state.waiting.firstIndex(where: { $0.number == number }) { state.waiting.remove(at: index) }
    }
  }
}
