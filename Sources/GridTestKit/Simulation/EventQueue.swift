internal import GridCore

/// What is to happen in a simulated world, by time, as a binary heap: of two with the same time the one that was added
/// first comes first.
///
/// Not `TimerWheel`: a world has a few hundred that wait and spends a quarter of its time on them, which a type that is
/// generic across rooms doubles.
struct EventQueue {
  struct Event {
    var process: SimulatedProcess?
    var action: @Sendable () -> Void
  }

  private struct Entry {
    var time: Int64
    var order: UInt64
    var place: Int

    static func < (left: Entry, right: Entry) -> Bool {
      left.time != right.time ? left.time < right.time : left.order < right.order
    }
  }

  private var heap: [Entry] = []
  /// By place; empty for what was taken back, until its turn comes.
  private var events: [(order: UInt64, event: Event?)] = []
  private var free: [Int] = []
  private var nextOrder: UInt64 = 0

  mutating func insert(_ event: Event, at time: MonotonicTime) -> TimerToken {
    nextOrder += 1
    let place = free.popLast() ?? events.count
    if place == events.count { events.append((nextOrder, event)) } else { events[place] = (nextOrder, event) }
    heap.append(Entry(time: time.nanoseconds, order: nextOrder, place: place))
    var child = heap.count - 1
    while child > 0, heap[child] < heap[(child - 1) / 2] {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
    return TimerToken(number: nextOrder << 24 | UInt64(place))
  }

  /// Takes an event back; nil when it is not there any more.
  mutating func remove(_ token: TimerToken) -> Event? {
    let place = Int(token.number & 0xFF_FFFF)
    guard place < events.count, events[place].order == token.number >> 24 else { return nil }
    defer { events[place].event = nil }
    return events[place].event
  }

  /// Takes the first event out that is due at `limit`.
  mutating func next(until limit: MonotonicTime) -> (time: MonotonicTime, event: Event)? {
    while let first = heap.first, first.time <= limit.nanoseconds {
      removeFirst()
      free.append(first.place)
      defer { events[first.place] = (0, nil) }
      if let event = events[first.place].event { return (MonotonicTime(nanoseconds: first.time), event) }
    }
    return nil
  }

  private mutating func removeFirst() {
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    var parent = 0
    while true {
      var least = 2 * parent + 1
      guard least < heap.count else { return }
      if least + 1 < heap.count, heap[least + 1] < heap[least] { least += 1 }
      guard heap[least] < heap[parent] else { return }
      heap.swapAt(least, parent)
      parent = least
    }
  }
}
