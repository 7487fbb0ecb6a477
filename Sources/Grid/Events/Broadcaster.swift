internal import Synchronization

/// Hands each element to every subscriber, in order, on the publishing thread. Subscribers return at once and bound
/// what they keep.
final class Broadcaster<Element: Sendable>: Sendable {
  typealias Receiver = @Sendable (Element) -> Void

  private struct State {
    var receivers: [UInt64: Receiver] = [:]
    var next: UInt64 = 0
  }

  private let state = Mutex(State())

  /// - Returns: the number to ``unsubscribe(_:)`` with.
  func subscribe(_ receiver: @escaping Receiver) -> UInt64 {
    state.withLock { state in
      state.next += 1
      state.receivers[state.next] = receiver
      return state.next
    }
  }

  func unsubscribe(_ number: UInt64) { state.withLock { $0.receivers[number] = nil } }

  func publish(_ element: Element) {
    let receivers = state.withLock { Array($0.receivers.values) }
    for receiver in receivers { receiver(element) }
  }

  /// The elements as a stream for a task; the newest `limit` are kept while it is busy.
  func stream(limit: Int) -> AsyncStream<Element> {
    AsyncStream(bufferingPolicy: .bufferingNewest(limit)) { continuation in
      let number = subscribe { continuation.yield($0) }
      continuation.onTermination = { [self] _ in unsubscribe(number) }
    }
  }
}
