package import GridCore
internal import NIOCore
internal import Synchronization

extension Link: ExchangeResponder {
  /// Answers the peer's tell, ask or request number `correlation`.
  package func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) {
    guard correlation != 0 else { return }
    switch outcome {
    case .accepted: append(.accepted(correlation))
    case .reply(let message): append(.reply(correlation, message))
    case .failure(let error): append(.failure(correlation, error))
    }
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
