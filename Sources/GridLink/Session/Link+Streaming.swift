package import GridCore
internal import NIOCore
internal import Synchronization

extension Link {
  /// What became of an attempt to send within the window.
  package enum Attempt: Sendable {
    case sent
    /// The window is closed: ``windowOpens(for:)`` says when to try again.
    case wait
    /// It does not fit into a frame.
    case refused(GridError)
    case closed(GridError)
  }

  /// Sends a message that nobody waits for when the window of its target is open, and does nothing with it otherwise.
  package func attempt(_ envelope: Envelope) -> Attempt {
    if let error = LinkFrame.oversize(envelope.message, names: envelope.target.utf8.count + envelope.sender.utf8.count)
    {
      return .refused(error)
    }
    let (attempt, step) = state.withLock { state -> (Attempt, LinkState.Step) in
      if let closed = state.closed { return (.closed(closed), .nothing) }
      guard !state.isCongested, state.windows.admitIfOpen(envelope) else { return (.wait, .nothing) }
      return (.sent, append(envelope, to: &state))
    }
    follow(step)
    return attempt
  }

  /// Whether a sender that keeps within the window of `target` may send now.
  package func windowIsOpen(for target: String) -> Bool {
    state.withLock { $0.closed != nil || $0.windows.isOpen(target) && !$0.isCongested }
  }

  /// Sends one item of a stream that the peer asked for; false when the peer reads too slowly to take more, or when the
  /// item fits into no frame. One that is too large is cut, see ``JSONValue/serialized(within:)``.
  package func sendItem(_ correlation: UInt64, _ item: JSONValue) -> Bool {
    guard state.withLock({ Self.hasRoomForItem($0) }),
      let bytes = item.serialized(within: LinkFrame.maximumPayloadBytes)
    else { return false }
    let step = state.withLock { state -> LinkState.Step? in
      Self.hasRoomForItem(state) ? state.append(.item(correlation, bytes)) : nil
    }
    guard let step else { return false }
    if case .refuse = step { return false }
    follow(step)
    return true
  }

  private static func hasRoomForItem(_ state: LinkState) -> Bool {
    state.closed == nil && state.outbound.readableBytes <= maximumOutboundBytes / 8
  }

  /// Ends a stream that the peer asked for.
  package func endStream(_ correlation: UInt64) { append(.end(correlation)) }
}
