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
    if envelope.message.carried != nil {
      do throws(GridError) { return attempt(try envelope.written()) } catch { return .refused(error) }
    }
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

  /// Sends a message whose value has no bytes yet.
  func sendWritten(_ envelope: Envelope) {
    do throws(GridError) { send(try envelope.written()) } catch { receiver.undeliverable(envelope, error) }
  }

  /// Whether a sender that keeps within the window of `target` may send now.
  package func windowIsOpen(for target: String) -> Bool {
    state.withLock { $0.closed != nil || $0.windows.isOpen(target) && !$0.isCongested }
  }
}

extension Envelope {
  /// The same with the bytes of its message.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when its value cannot be written.
  fileprivate func written() throws(GridError) -> Envelope {
    var written = self
    written.message = try message.written()
    return written
  }
}
