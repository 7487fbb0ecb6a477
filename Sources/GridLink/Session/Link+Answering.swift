package import GridCore
internal import NIOCore
internal import Synchronization

extension Link: ExchangeResponder {
  /// Answers the peer's tell, ask or request number `correlation`.
  package func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {
    guard correlation != 0 else { return }
    switch outcome {
    case .accepted: append(.accepted(correlation), answering: correlation)
    case .reply(let message):
      let written: Message
      do throws(GridError) {
        written = try message.written()
      } catch {
        return append(.failure(correlation, error), answering: correlation)
      }
      guard LinkFrame.oversize(written) == nil else {
        return append(.reply(correlation, written), answering: correlation)
      }
      append(answering: correlation) { $0.append(written, answering: correlation) }
    case .failure(let error): append(.failure(correlation, Self.forOthers(error)), answering: correlation)
    }
  }

  /// "Cancelled" is for who gives up itself: the other side would take it for its own user's Ctrl-C. What was broken
  /// off here and has no better words is lost for those who wait there.
  private static func forOthers(_ error: GridError) -> GridError {
    guard error.code == .cancelled else { return error }
    return GridError(.nodeLost, "the node broke off what it was asked: it may have been done", cause: error.description)
  }

  package func returnCredit(target: String, bytes: Int) {
    let needsFlush = state.withLock { state in
      guard state.closed == nil else { return false }
      state.credits.add(target, bytes: bytes)
      guard !state.flushIsPending else { return false }
      state.flushIsPending = true
      return true
    }
    if needsFlush { eventLoop.execute { self.flush() } }
  }
}

extension Link {
  /// Whoever says goodbye has answered every request that it began: the others it has not looked at.
  func refuseRequests(_ error: GridError) {
    let refused = state.withLock { state in
      state.exchanges.takeAll { $0.isRequest }
    }
    for exchange in refused { exchange.fail(error) }
  }

  /// Returns when the connection is closed, or the task is cancelled.
  package func untilClosed() async {
    let promise = eventLoop.makePromise(of: Void.self)
    channel.closeFuture.cascade(to: promise)
    await withTaskCancellationHandler {
      try? await promise.futureResult.get()
    } onCancel: {
      promise.succeed()
    }
  }
}
