package import GridCore

/// The items of a channel that was opened with ``Link/openChannel(_:_:window:patience:)``, in order, for one task.
///
/// The writer sends on as items are taken, so a slow reader costs no memory: about a window waits here. The channel is
/// given up with the last reference to its reader.
///
/// Failures, as the iterator throws them: the writer's own; ``GridError/Code/nodeLost`` with the link;
/// ``GridError/Code/deadline`` after `patience`; ``GridError/Code/cancelled`` with the task.
package final class ChannelReader: AsyncSequence, Sendable {
  package typealias Element = [UInt8]
  package typealias Failure = GridError

  private let link: Link
  /// The number of the request that opened it.
  let number: UInt64
  private let feed: ChannelFeed
  private let verb: String
  private let patience: Duration?

  init(link: Link, number: UInt64, feed: ChannelFeed, verb: String, patience: Duration?) {
    self.link = link
    self.number = number
    self.feed = feed
    self.verb = verb
    self.patience = patience
  }

  deinit { link.cancel(number) }

  /// Gives the channel up: whoever reads on hears ``GridError/Code/cancelled``.
  package func cancel() { link.cancel(number) }

  /// The next item; nil once the writer has ended the channel in good order.
  package func next() async throws(GridError) -> [UInt8]? {
    if let step = try take() { return step.item }
    let timer = patience.map { patience in
      link.timers.schedule(after: patience) { [link, number, verb] in
        link.giveUp(number, GridError(.deadline, "\(verb) did not answer in time"))
      }
    }
    defer { if let timer { link.timers.cancel(timer) } }
    while true {
      await feed.somethingArrives()
      if Task.isCancelled {
        cancel()
        throw GridError(.cancelled, "cancelled")
      }
      if let step = try take() { return step.item }
    }
  }

  /// What is there already: an item, or the end, which has none; nil when there is nothing.
  private func take() throws(GridError) -> (item: [UInt8]?, Void)? {
    switch feed.next() {
    case .item(let item, let grant):
      if grant > 0 { link.append(.grant(number, UInt64(grant))) }
      return (item, ())
    case .wait: return nil
    case .ended(let error):
      if let error { throw error }
      return (nil, ())
    }
  }

  package func makeAsyncIterator() -> Iterator { Iterator(reader: self) }

  package struct Iterator: AsyncIteratorProtocol {
    package typealias Failure = GridError
    fileprivate let reader: ChannelReader

    package mutating func next() async throws(GridError) -> [UInt8]? { try await reader.next() }
  }
}
