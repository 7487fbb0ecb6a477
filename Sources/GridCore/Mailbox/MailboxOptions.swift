/// How much a mailbox holds, and what happens to a message for which there is no room.
public struct MailboxOptions: Sendable, Equatable {
  /// The most messages waiting or being handled, 1 to 10 000 000.
  public var capacity: Int
  /// The most bytes of bodies waiting; one message is always taken, however large.
  public var maximumBytes: Int
  public var overflow: OverflowPolicy

  public init(capacity: Int = 10_000, maximumBytes: Int = 64 * 1024 * 1024, overflow: OverflowPolicy = .reject) {
    self.capacity = capacity
    self.maximumBytes = maximumBytes
    self.overflow = overflow
  }

  public static let standard = MailboxOptions()

  /// - Throws: ``GridError/Code/usage`` for a capacity out of range.
  package func validated() throws(GridError) -> MailboxOptions {
    guard (1...10_000_000).contains(capacity) else {
      throw GridError(.usage, "invalid mailbox capacity \(capacity)", hint: "a mailbox holds 1 to 10000000 messages")
    }
    return self
  }
}

/// What happens when a message arrives at a full mailbox.
public enum OverflowPolicy: String, Sendable, CaseIterable {
  /// The sender is told (`mailbox-full`), the message becomes a dead letter.
  case reject
  /// The oldest waiting message makes room and becomes a dead letter.
  case dropOldest = "drop-oldest"
  /// The arriving message becomes a dead letter; its sender is told it was accepted.
  case dropNewest = "drop-newest"
  /// The sender waits for room, as long as it waits for what becomes of its message: anywhere, until its deadline.
  /// The messages of those who wait for nothing (a handler's `tell`) wait in front of the mailbox, as many as it holds;
  /// more are rejected.
  case block
}
