internal import DequeModule
internal import GridCore

/// What was handed to a program and is not known to have been read, in order.
struct UnreadMail {
  private struct Item {
    let message: Message
    let sender: String
    /// Where its line ends in all that the program was handed, in bytes.
    let end: Int
  }

  private var items: Deque<Item> = []

  var isEmpty: Bool { items.isEmpty }

  /// - Parameter end: nil for a message that could not be handed over.
  mutating func add(_ message: Message, from sender: String, end: Int?) {
    items.append(Item(message: message, sender: sender, end: end ?? .max))
  }

  /// Forgets what was read up to `offset`. Returns how many messages that were. A line that was read in part is unread.
  mutating func read(upTo offset: Int) -> Int {
    var count = 0
    while let first = items.first, first.end <= offset {
      items.removeFirst()
      count += 1
    }
    return count
  }

  /// All of it, as mail for `target` that nobody waits for.
  mutating func takeAll(for target: String) -> [Envelope] {
    defer { items = [] }
    return items.map { Envelope(target: target, message: $0.message, sender: $0.sender) }
  }
}
