internal import GridConcurrency
package import GridCore

/// The writing end of a channel that the other side has opened with a request: see ``Link/writer(_:)``.
///
/// Safe from any thread; items keep the order in which they were sent. The channel is over with ``finish()``,
/// ``fail(_:)``, when the reader gives it up, or with the link.
package struct ChannelWriter: Sendable {
  private let link: Link
  private let number: UInt64
  /// Opens when the channel is over and everything that was sent before has left, or when nobody reads it any more.
  private let ended: Latch

  init(link: Link, number: UInt64, ended: Latch) {
    self.link = link
    self.number = number
    self.ended = ended
  }

  /// Whether the channel is over.
  package var isEnded: Bool { ended.isOpen }

  /// Calls `action` once when the channel is over, on whichever thread ends it.
  package func whenEnded(_ action: @escaping @Sendable () -> Void) { ended.whenOpen(action) }

  /// Returns when the channel is over or the task is cancelled.
  package func untilEnded() async { await ended.wait() }

  /// Sends an item, once what waits for the reader's credit is little: for lists and other answers that must be whole.
  ///
  /// - Throws: ``GridError/Code/undecodable`` for an item that is too large, and the channel goes on;
  ///   ``GridError/Code/cancelled`` when the reader has given up or the task is cancelled; the reason when the link is
  ///   closed.
  package func send(_ item: [UInt8]) async throws(GridError) {
    try Self.checkSize(item.count)
    while true {
      switch link.enqueue(item, to: number) {
      case .queued: return
      case .wait(let room): await room.wait()
      case .gone(let error): throw error
      }
      if Task.isCancelled { throw GridError(.cancelled, "cancelled while waiting for credit") }
    }
  }

  /// As ``send(_:)-([UInt8])``, of a JSON value; see ``JSONValue/serialized(within:)`` for one that is too large.
  package func send(_ item: JSONValue) async throws(GridError) {
    guard let bytes = item.serialized(within: ChannelLimits.itemBytes) else {
      throw Self.tooLarge(item.serializedBytes)
    }
    try await send(bytes)
  }

  /// Sends an item when there is room for it, and never waits: for tails. False when it was left out, since the reader
  /// is slow, the item too large, or the channel over.
  package func offer(_ item: [UInt8]) -> Bool {
    item.count <= ChannelLimits.itemBytes && link.offer(item, to: number)
  }

  /// As ``offer(_:)-([UInt8])``, of a JSON value; see ``JSONValue/serialized(within:)`` for one that is too large.
  package func offer(_ item: JSONValue) -> Bool {
    // Where there is no room, its text need not be made.
    guard link.hasRoom(number), let bytes = item.serialized(within: ChannelLimits.itemBytes) else { return false }
    return offer(bytes)
  }

  /// Ends the channel in good order and returns when everything has left, the reader has given up, or the task is
  /// cancelled.
  package func finish() async {
    link.end(number, nil)
    await ended.wait()
  }

  /// Ends the channel in good order behind what waits.
  package func end() { link.end(number, nil) }

  /// Ends the channel with an error behind what waits.
  package func fail(_ error: GridError) { link.end(number, error) }

  /// Ends the channel with an error at once: what waits for a reader that does not read is dropped.
  package func cut(_ error: GridError) { link.cut(number, error) }

  private static func checkSize(_ count: Int) throws(GridError) {
    if count > ChannelLimits.itemBytes { throw tooLarge(count) }
  }

  private static func tooLarge(_ count: Int) -> GridError {
    GridError(.undecodable, "an item of \(count) bytes is too large: \(ChannelLimits.itemBytes) are allowed")
  }
}
