internal import DequeModule
internal import GridCore

/// The bounded queue in front of an actor, as a value: the user lane, the messages that wait for room, and the batch
/// that is being handled.
struct Mailbox {
  /// Messages taken for handling at a time; smaller mailboxes take fewer, so that their bound stays exact.
  static let maximumBatch = 256

  private var queue: Deque<Envelope> = []
  private var waiting: Deque<Envelope> = []
  private var queuedBytes = 0
  private var taken = 0

  /// Messages waiting or being handled.
  var depth: Int { queue.count + taken }
  var isEmpty: Bool { queue.isEmpty }
  /// Whether messages wait for room.
  var hasWaiting: Bool { !waiting.isEmpty }

  enum Admission {
    case queued
    /// It waits for room; it will be returned by ``takeBatch(options:)`` as admitted when there is some.
    case waits
    case full
    case displaced(Envelope)
    case dropped
  }

  mutating func admit(_ envelope: Envelope, options: MailboxOptions) -> Admission {
    if waiting.isEmpty, hasRoom(for: envelope, options) {
      push(envelope)
      return .queued
    }
    if envelope.waitsForRoom {
      waiting.append(envelope)
      return .waits
    }
    switch options.overflow {
    case .reject, .block: return .full
    case .dropNewest: return .dropped
    case .dropOldest:
      guard let oldest = pop() else { return .full }
      push(envelope)
      return .displaced(oldest)
    }
  }

  /// The next messages to handle, and those that found room by it and are now in the queue.
  mutating func takeBatch(options: MailboxOptions, atMost most: Int) -> (batch: Deque<Envelope>, admitted: [Envelope]) {
    taken = 0
    let limit = max(1, min(most, options.capacity / 16))
    var batch: Deque<Envelope> = []
    if queue.count <= limit {
      swap(&batch, &queue)
      queuedBytes = 0
    } else {
      batch.reserveCapacity(limit)
      for _ in 0..<limit { if let envelope = pop() { batch.append(envelope) } }
    }
    taken = batch.count
    var admitted: [Envelope] = []
    while let next = waiting.first, hasRoom(for: next, options) {
      waiting.removeFirst()
      push(next)
      admitted.append(next)
    }
    return (batch, admitted)
  }

  /// Returns the unhandled rest of a batch to the head of the queue.
  mutating func putBack(_ batch: Deque<Envelope>, first: Envelope) {
    for envelope in batch.reversed() {
      queuedBytes += envelope.message.cost
      queue.prepend(envelope)
    }
    queuedBytes += first.message.cost
    queue.prepend(first)
    taken = 0
  }

  /// Everything that was not handled, when the actor has ended.
  mutating func takeAll() -> [Envelope] {
    defer { self = Mailbox() }
    return Array(queue) + Array(waiting)
  }

  private func hasRoom(for envelope: Envelope, _ options: MailboxOptions) -> Bool {
    depth < options.capacity && (queue.isEmpty || queuedBytes + envelope.message.cost <= options.maximumBytes)
  }

  private mutating func push(_ envelope: Envelope) {
    queuedBytes += envelope.message.cost
    queue.append(envelope)
  }

  private mutating func pop() -> Envelope? {
    guard let envelope = queue.popFirst() else { return nil }
    queuedBytes -= envelope.message.cost
    return envelope
  }
}
