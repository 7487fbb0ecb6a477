internal import GridCore

/// The bounded queue in front of an actor, as a value: the user lane, the messages that wait for room, and the batch
/// that is being handled.
struct Mailbox {
  private var queue = EnvelopeQueue()
  private var waiting = EnvelopeQueue()
  private var queuedBytes = 0
  private var waitingBytes = 0
  // A mailbox holds ten millions at most, and there are as many mailboxes as actors.
  private var taken: Int32 = 0
  private var lentCount: Int32 = 0
  private var largestBatch: Int32 = 0

  /// Messages handed to a program that has not read them.
  var lent: Int { Int(lentCount) }
  /// Messages waiting or being handled, or handed to a program that has not read them.
  var depth: Int { queue.count + inHand + lent }
  /// Messages being handled: of a batch also those behind the first.
  var inHand: Int { Int(taken) }
  /// When the oldest message that waits came, as ``Envelope/arrival``; nil when none waits or nobody has looked.
  var oldestArrival: UInt32? {
    let arrival = queue.firstArrival ?? waiting.firstArrival ?? 0
    return arrival == 0 ? nil : arrival
  }
  var isEmpty: Bool { queue.isEmpty }
  /// Whether messages wait for room.
  var hasWaiting: Bool { !waiting.isEmpty }

  /// What became of an arriving message; one that did not get in comes back.
  enum Admission {
    case queued
    /// It waits for room; it will be returned by ``takeBatch(into:takesOne:options:)`` as admitted when there is some.
    case waits
    case full(Envelope)
    case displaced(Envelope)
    case dropped(Envelope)
  }

  /// - Parameter arrival: the time, as ``Envelope/arrival``.
  mutating func admit(_ envelope: consuming Envelope, arrival: UInt32 = 0, options: MailboxOptions) -> Admission {
    envelope.arrival = arrival
    if waiting.isEmpty, hasRoom(for: envelope, options) {
      push(envelope)
      return .queued
    }
    if mayWait(envelope, options) {
      waitingBytes += envelope.message.cost
      waiting.append(envelope)
      return .waits
    }
    switch options.overflow {
    case .reject, .block: return .full(envelope)
    case .dropNewest: return .dropped(envelope)
    case .dropOldest:
      let oldest = pop()
      push(envelope)
      // With all others in the hands of the handler there is no oldest, and no policy to refuse the newest.
      return oldest.map { .displaced($0) } ?? .queued
    }
  }

  /// Whether a message for which there is no room waits for some.
  ///
  /// Senders with a window wait whatever the policy is; the window bounds what waits. Where the policy is to wait, so
  /// do those who are told what became of their message, however many they are, and of those who are not as many
  /// messages as the mailbox holds; of all of these so many bytes as it holds.
  private func mayWait(_ envelope: borrowing Envelope, _ options: MailboxOptions) -> Bool {
    if envelope.waitsForRoom { return true }
    guard options.overflow == .block else { return false }
    return (envelope.expectation != .nothing || waiting.count < options.capacity)
      && (waiting.isEmpty || waitingBytes + envelope.message.cost <= options.maximumBytes)
  }

  /// Exchanges the empty `batch` for all messages to handle; their storages are used in turn, so that a busy actor does
  /// not allocate.
  ///
  /// - Parameter takesOne: takes the first message alone; the others stay, to be displaced or given up with the actor.
  /// - Returns: the messages that found room by it and are now in the queue.
  mutating func takeBatch(into batch: inout EnvelopeQueue, takesOne: Bool, options: MailboxOptions) -> [Envelope] {
    taken = 0
    // Where nothing is queued, what waits for room is what there is to do next.
    var admitted = queue.isEmpty ? admitWaiting(options: options) : []
    if takesOne {
      if let first = pop() { batch.append(first) }
    } else {
      swap(&batch, &queue)
      queuedBytes = 0
    }
    taken = Int32(clamping: batch.count)
    largestBatch = max(largestBatch, taken)
    admitted += admitWaiting(options: options)
    return admitted
  }

  /// Notes that all but `rest` messages of the batch were handled.
  ///
  /// - Returns: the messages that found room by it and are now in the queue.
  mutating func handled(butFor rest: Int, options: MailboxOptions) -> [Envelope] {
    taken = Int32(clamping: rest)
    return admitWaiting(options: options)
  }

  private mutating func admitWaiting(options: MailboxOptions) -> [Envelope] {
    var admitted: [Envelope] = []
    while let next = waiting.first, hasRoom(for: next, options) {
      _ = waiting.popFirst()
      waitingBytes -= next.message.cost
      push(next, hasWaited: true)
      admitted.append(next)
    }
    return admitted
  }

  /// Gives memory back when the actor has become idle after little mail, however much it had before.
  mutating func rest() {
    if largestBatch < Self.restingBatch { queue = EnvelopeQueue() }
    largestBatch = 0
  }

  /// A burst of more messages than this leaves its storage for the next one.
  private static let restingBatch: Int32 = 32

  /// Returns the unhandled rest of a batch to the head of the queue.
  mutating func putBack(_ batch: inout EnvelopeQueue, first: consuming Envelope) {
    taken = 0
    queue.prepend(first, &batch)
    queuedBytes = queue.cost
  }

  /// The message in hand is in the hands of a program from now on, and stays mail until it was read.
  mutating func lend() {
    taken = max(0, taken - 1)
    lentCount += 1
  }

  /// Notes that `count` of the messages lent were read.
  ///
  /// - Returns: the messages that found room by it and are now in the queue.
  mutating func read(_ count: Int, options: MailboxOptions) -> [Envelope] {
    lentCount = Int32(clamping: max(0, lent - count))
    return admitWaiting(options: options)
  }

  /// Returns messages that were lent and not read to the head of the queue.
  mutating func giveBack(_ unread: [Envelope]) {
    lentCount = Int32(clamping: max(0, lent - unread.count))
    guard let first = unread.first else { return }
    var rest = EnvelopeQueue()
    for envelope in unread.dropFirst() { rest.append(envelope) }
    queue.prepend(first, &rest)
    queuedBytes = queue.cost
  }

  /// Everything that was not handled, when the actor has ended.
  mutating func takeAll() -> [Envelope] {
    defer { self = Mailbox() }
    return queue.removeAll() + waiting.removeAll()
  }

  private func hasRoom(for envelope: borrowing Envelope, _ options: MailboxOptions) -> Bool {
    depth < options.capacity && (queue.isEmpty || queuedBytes + envelope.message.cost <= options.maximumBytes)
  }

  /// Queues a message whose sender is told so now: from here on only a reply is owed, and what waited for room is like
  /// any other, its credit returned. A tell is then good for ever; one that had to wait may have come too late.
  private mutating func push(_ envelope: consuming Envelope, hasWaited: Bool = false) {
    envelope.waitsForRoom = false
    if envelope.expectation == .acceptance {
      envelope.expectation = .nothing
      if !hasWaited { envelope.deadline = .distantFuture }
    }
    queuedBytes += envelope.message.cost
    queue.append(envelope)
  }

  private mutating func pop() -> Envelope? {
    guard let envelope = queue.popFirst() else { return nil }
    queuedBytes -= envelope.message.cost
    return envelope
  }
}
