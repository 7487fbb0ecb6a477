/// A first-in-first-out queue that moves its envelopes and never copies them.
///
/// `Deque` takes what is appended as a borrow, so each message costs one more retain and release of a body that two
/// threads share: measured, a sixth of a tell's time on one node. An array of optionals takes it over instead.
package struct EnvelopeQueue: Sendable {
  private var items: [Envelope?] = []
  private var head = 0

  package init() {}

  package var count: Int { items.count - head }
  package var isEmpty: Bool { items.count == head }
  /// What its messages count against a limit in bytes.
  package var cost: Int { items[head...].reduce(0) { $0 + ($1?.message.cost ?? 0) } }
  package var first: Envelope? { isEmpty ? nil : items[head] }
  /// ``Envelope/arrival`` of the first, without taking hold of it.
  package var firstArrival: UInt32? { isEmpty ? nil : items[head]?.arrival }

  /// How many messages at the front are for the same actor as the first.
  package var firstRun: Int {
    guard let target = first?.target else { return 0 }
    var end = head + 1
    while end < items.count, items[end]?.target == target { end += 1 }
    return end - head
  }

  /// Calls `body` with the first `count` messages, which stay.
  package func forEachFirst(_ count: Int, _ body: (Envelope) -> Void) {
    for item in items[head...].prefix(count) { if let item { body(item) } }
  }

  package mutating func append(_ envelope: consuming Envelope) { items.append(envelope) }

  package mutating func popFirst() -> Envelope? {
    guard head < items.count else { return nil }
    let envelope = items[head].take()
    head += 1
    if head == items.count {
      items.removeAll(keepingCapacity: true)
      head = 0
    } else if head >= Self.compactionThreshold, head * 2 > items.count {
      items.removeFirst(head)
      head = 0
    }
    return envelope
  }

  /// Slots that were emptied at the front are given back once they are the larger part.
  private static let compactionThreshold = 4096

  /// Puts what is left of a batch back in front of what came since.
  package mutating func prepend(_ first: consuming Envelope, _ rest: inout EnvelopeQueue) {
    var joined: [Envelope?] = [first]
    joined.reserveCapacity(1 + rest.count + count)
    while let envelope = rest.popFirst() { joined.append(envelope) }
    while let envelope = popFirst() { joined.append(envelope) }
    items = joined
    head = 0
  }

  package mutating func removeAll() -> [Envelope] {
    defer { self = EnvelopeQueue() }
    return items[head...].compactMap { $0 }
  }
}
