internal import GridConcurrency
package import GridCore
internal import Synchronization

/// The reading end of a channel on its link: filled on the event loop, emptied by the task that reads or, where there
/// is a listener, at once.
final class ChannelFeed: Sendable {
  private struct State {
    var inbox: ChannelInbox
    /// Whether some thread gives the listener what there is: one at a time, so that the order holds.
    var isHandingOver = false
  }

  private let state: Mutex<State>
  private let listener: (any ChannelListener)?
  private let arrival = Signal<Void>()

  init(window: Int, listener: (any ChannelListener)? = nil) {
    state = Mutex(State(inbox: ChannelInbox(window: window)))
    self.listener = listener
  }

  func received(_ part: [UInt8], hasMore: Bool) -> ChannelInbox.Receipt {
    let (receipt, isFirst) = state.withLock { state in
      let wasReady = state.inbox.isReady
      let receipt = state.inbox.received(part, hasMore: hasMore)
      return (receipt, !wasReady && state.inbox.isReady)
    }
    guard isFirst else { return receipt }
    let granted = wake()
    return granted > 0 ? .grant(granted) : receipt
  }

  /// The peer has answered with one item.
  func answered(_ item: [UInt8]) {
    state.withLock { $0.inbox.answered(item) }
    _ = wake()
  }

  func end(_ error: GridError?) {
    state.withLock { $0.inbox.end(error) }
    _ = wake()
  }

  func next() -> ChannelInbox.Step { state.withLock { $0.inbox.next() } }

  /// Returns when there is something to take, when the task is cancelled, or sooner.
  func somethingArrives() async { _ = await arrival.wait() }

  /// Wakes the reader, or gives the listener what there is; returns what the writer may send in its place.
  private func wake() -> Int {
    guard let listener else {
      arrival.raise()
      return 0
    }
    let isBusy = state.withLock { state in
      defer { state.isHandingOver = true }
      return state.isHandingOver
    }
    return isBusy ? 0 : handOver(to: listener)
  }

  private func handOver(to listener: any ChannelListener) -> Int {
    var granted = 0
    while true {
      let step = state.withLock { state in
        let step = state.inbox.next()
        // After the end it stays set: nothing is handed over any more.
        if step == .wait { state.isHandingOver = false }
        return step
      }
      switch step {
      case .item(let item, let grant):
        granted += grant
        listener.channelReceived(item)
      case .wait: return granted
      case .ended(let error):
        listener.channelEnded(error)
        return granted
      }
    }
  }
}

/// Takes the items of a channel as they come, on the event loop of the link: returns at once and keeps bounded what it
/// keeps.
package protocol ChannelListener: AnyObject, Sendable {
  func channelReceived(_ item: [UInt8])
  /// The channel is over; nil when the writer ended it in good order. Called exactly once.
  func channelEnded(_ error: GridError?)
}
