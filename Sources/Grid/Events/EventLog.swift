internal import DequeModule
internal import GridCore
internal import Logging
internal import Synchronization

/// Numbers this node's events, keeps the latest, logs them, and passes them on.
final class EventLog: Sendable {
  /// Events kept for `--since`; older ones are dropped.
  static let capacity = 10_000

  private struct State {
    var events: Deque<GridEvent> = []
    var sequence: Int64 = 0
  }

  private let state = Mutex(State())
  private let live = Broadcaster<GridEvent>()
  private let clock: any GridClock
  private let logger: Logger

  init(clock: any GridClock, logger: Logger) {
    self.clock = clock
    self.logger = logger
  }

  func record(_ fact: GridEvent.Fact, _ name: String, node: String) {
    let event = state.withLock { state in
      state.sequence += 1
      let event = GridEvent(sequence: state.sequence, at: clock.date(), node: node, name: name, fact: fact)
      if state.events.count >= Self.capacity { state.events.removeFirst() }
      state.events.append(event)
      return event
    }
    logger.info(
      "event",
      metadata: ["event.kind": "\(event.kind.rawValue)", "event.name": "\(name)", "event.detail": "\(event.text)"])
    live.publish(event)
  }

  func events(since: CalendarTime) -> [GridEvent] { state.withLock { $0.events.filter { $0.at >= since } } }

  /// The events that are kept and have a larger number.
  func events(after sequence: Int64) -> [GridEvent] {
    state.withLock { $0.events.filter { $0.sequence > sequence } }
  }

  func subscribe(_ receiver: @escaping @Sendable (GridEvent) -> Void) -> UInt64 { live.subscribe(receiver) }

  func unsubscribe(_ number: UInt64) { live.unsubscribe(number) }

  func stream() -> AsyncStream<GridEvent> { live.stream(limit: 1024) }
}
