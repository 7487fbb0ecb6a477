/// A message on its way: where to, from whom, who waits for what, and until when.
package struct Envelope: Sendable {
  /// The name of the actor it is for.
  package var target: String
  package var message: Message
  /// The actor, node or client it comes from; empty when unknown.
  package var sender: String
  package var expectation: Expectation
  /// Whether a full mailbox makes the message wait instead of refusing it. Set by flow-controlled senders, who keep
  /// only a bounded number of bytes under way.
  package var waitsForRoom: Bool
  /// Whether a peer passed it on to us: then it is delivered here or nowhere, so that nothing travels in circles.
  package var isForwarded = false
  /// When it came to the mailbox, on the clock of its node in milliseconds modulo 2³²; 0 where nobody has looked. It
  /// lies where the members around it leave room.
  package var arrival: UInt32 = 0
  /// Nobody wants an answer after it.
  package var deadline: MonotonicTime
  /// Told what became of the message; nil when nobody waits.
  package var responder: (any ExchangeResponder)?
  /// The responder's own number for this exchange.
  package var correlation: UInt64

  package init(
    target: String, message: Message, sender: String = "", expectation: Expectation = .nothing,
    waitsForRoom: Bool = false, deadline: MonotonicTime = .distantFuture, responder: (any ExchangeResponder)? = nil,
    correlation: UInt64 = 0
  ) {
    self.target = target
    self.message = message
    self.sender = sender
    self.expectation = expectation
    self.waitsForRoom = waitsForRoom
    self.deadline = deadline
    self.responder = responder
    self.correlation = correlation
  }

  /// What the sender waits for.
  package enum Expectation: UInt8, Sendable {
    /// Nothing: the sender has gone on.
    case nothing = 0
    /// That the message is in the target's mailbox (`tell`).
    case acceptance = 1
    /// The handler's reply (`ask`).
    case reply = 2
  }

  /// Tells the waiting side, if there is one, what became of the message.
  package func resolve(_ outcome: ExchangeOutcome) { responder?.resolve(correlation, outcome) }
}

/// How an exchange ended: exactly one of these for each ask, and for each tell that waits.
package enum ExchangeOutcome: Sendable, Equatable {
  /// The message is in the target's mailbox.
  case accepted
  case reply(Message)
  case failure(GridError)

  /// The reply; an acceptance counts as an empty one.
  ///
  /// - Throws: the failure, when it is one.
  package func reply() throws(GridError) -> Message {
    switch self {
    case .accepted: return Message()
    case .reply(let message): return message
    case .failure(let error): throw error
    }
  }
}

/// Whoever waits for the outcome of an exchange: a link, a pending ask of this process, a relay.
///
/// Called from any thread, at most once a correlation; implementations return at once.
package protocol ExchangeResponder: AnyObject, Sendable {
  func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome)
  /// `bytes` charged against the sender's window for `target` are free again: the message they were for has moved on.
  func returnCredit(target: String, bytes: Int)
}

extension ExchangeResponder {
  package func returnCredit(target: String, bytes: Int) {}
}
