internal import DequeModule
internal import GridCore

/// Letters that wait until they are written. Pure: whoever holds it holds the lock.
///
/// What there is no room for is dropped, oldest first, and counted until the next write.
struct DeadLetterBacklog: Sendable {
  /// Letters that are written in one transaction, and bytes of them, about.
  static let standardBatch = DeadLetterCapacity(letters: 4096, bytes: 16 << 20)

  private let room: DeadLetterCapacity
  private let batch: DeadLetterCapacity
  private var waiting: Deque<UndeliveredMessage> = []
  private(set) var bytes = 0
  /// Letters that there was no room for, since the last write.
  private(set) var dropped = 0

  init(room: DeadLetterCapacity, batch: DeadLetterCapacity = standardBatch) {
    self.room = room
    self.batch = batch
  }

  var count: Int { waiting.count }

  mutating func add(_ letter: UndeliveredMessage) {
    waiting.append(letter)
    bytes += letter.cost
    makeRoom()
  }

  /// What is written next, at least one letter where there is one, and how many were dropped before it.
  mutating func takeBatch() -> (letters: [UndeliveredMessage], dropped: Int) {
    var letters: [UndeliveredMessage] = []
    var taken = 0
    while letters.count < batch.letters, let next = waiting.first,
      letters.isEmpty || taken + next.cost <= batch.bytes
    {
      taken += next.cost
      letters.append(next)
      waiting.removeFirst()
    }
    bytes -= taken
    defer { dropped = 0 }
    return (letters, dropped)
  }

  /// Takes back what could not be written, in front of what has come since.
  mutating func putBack(_ letters: [UndeliveredMessage], dropped: Int) {
    waiting.prepend(contentsOf: letters)
    bytes += letters.reduce(0) { $0 + $1.cost }
    self.dropped += dropped
    makeRoom()
  }

  private mutating func makeRoom() {
    while waiting.count > room.letters || bytes > room.bytes, let oldest = waiting.popFirst() {
      bytes -= oldest.cost
      dropped += 1
    }
  }
}
