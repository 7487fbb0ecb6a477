internal import GridCore
internal import Synchronization

/// The answer owed to one asking sender: given once, and by itself with an error when it is forgotten.
final class Exchange: Sendable {
  private let responder: any ExchangeResponder
  private let correlation: UInt64
  private let trace: TracedExchange?
  private let answered = Atomic(false)

  init(responder: any ExchangeResponder, correlation: UInt64, trace: TracedExchange? = nil) {
    self.responder = responder
    self.trace = trace
    self.correlation = correlation
  }

  deinit {
    resolve(.failure(GridError(.handlerFailed, "the handler ended without a reply")))
  }

  /// The message goes back to its mailbox: whoever handles it then answers it.
  func withdraw() { answered.store(true, ordering: .relaxed) }

  func resolve(_ outcome: ExchangeOutcome) {
    guard !answered.exchange(true, ordering: .relaxed) else { return }
    trace?.answered(outcome)
    responder.resolve(correlation, outcome)
  }
}
