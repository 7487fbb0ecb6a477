internal import GridConcurrency
public import GridCore

/// A way to an actor, here or on another node, that knows what it takes and what it answers.
///
/// It names an address and no activation: it goes on to work when the actor is restarted, or made again elsewhere. It
/// may be kept, copied and used from any task.
public struct ActorRef<Target: TypedMessages>: Sendable {
  /// Where its messages go.
  public let address: ActorAddress
  let host: any ActorHost
  /// In whose name it sends.
  let sender: String

  package init(_ address: ActorAddress, host: any ActorHost, sender: String) {
    self.address = address
    self.host = host
    self.sender = sender
  }

  /// Sends a request without waiting for anything. What cannot be delivered becomes a dead letter.
  public func tell(_ request: Target.Request) {
    host.route(Envelope(target: address.text, message: Message(carrying: request), sender: sender), .pool)
  }

  /// Sends a request and returns once it is in the mailbox, for whose room it waits where that is the policy.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, ``GridError/Code/mailboxFull``, ``GridError/Code/deadline``, ….
  public func tell(_ request: Target.Request, timeout: Duration) async throws(GridError) {
    _ = try await send(request, .acceptance, timeout, .pool)
  }

  /// Sends a request and returns the reply.
  ///
  /// - Throws: ``GridError``: the handler's error, ``GridError/Code/noSuchActor``, ``GridError/Code/deadline``, …;
  ///   ``GridError/Code/undecodable`` when what answers is of another kind and its reply none of this type.
  public func ask(
    _ request: Target.Request, timeout: Duration = .seconds(5)
  ) async throws(GridError) -> Target.Reply.Content {
    try Target.Reply.Content.taken(from: await send(request, .reply, timeout, .here))
  }

  private func send(
    _ request: Target.Request, _ expectation: Envelope.Expectation, _ timeout: Duration, _ place: ActorCell.Place
  ) async throws(GridError) -> Message {
    try await PendingAsk.run(timeout: timeout, deadlines: host.deadlines) { ask, deadline in
      host.route(
        Envelope(
          target: address.text, message: Message(carrying: request), sender: sender, expectation: expectation,
          deadline: deadline, responder: ask), place)
    }
  }
}

extension ActorRef: Hashable {
  /// Whether both lead to the same address.
  public static func == (left: ActorRef, right: ActorRef) -> Bool { left.address == right.address }
  public func hash(into hasher: inout Hasher) { hasher.combine(address) }
}

extension ActorContext {
  /// A way to another actor, whose messages come from this one.
  ///
  /// - Throws: ``GridError/Code/usage`` when it is no address.
  public func reference<Target: TypedMessages>(
    to address: String, as type: Target.Type = Target.self
  ) throws(GridError) -> ActorRef<Target> {
    ActorRef(try ActorAddress(parsing: address), host: cell.host, sender: cell.name)
  }

  /// The reply to the message in hand, to be given when the handler has returned.
  public func later<Content: MessageContent>(_ type: Content.Type = Content.self) -> Later<Content> {
    Later(context: self)
  }

  /// Passes a message on to another actor in the name of who sent the one in hand: the sender stays the sender, and who
  /// waits for a reply gets that actor's, before the same deadline.
  ///
  /// - Throws: ``GridError/Code/usage`` when it is no address: the sender still waits.
  public func forward(_ message: Message, to address: String) throws(GridError) {
    pass(message, to: try ActorAddress(parsing: address).text)
  }

  private func pass(_ message: Message, to target: String) {
    cell.host.route(
      Envelope(
        target: target, message: message, sender: sender, expectation: exchange == nil ? .nothing : .reply,
        deadline: deadline, responder: exchange.map(ForwardedReply.init)), .pool)
  }
}

extension ActorContext {
  /// Passes a request on, as ``forward(_:to:)`` does a message. Its reply should be what the sender waits for.
  public func forward<Target: TypedMessages>(_ request: Target.Request, to target: ActorRef<Target>) {
    pass(Message(carrying: request), to: target.address.text)
  }
}

/// Gives the reply of whoever a message was passed on to, to the sender of that message.
private final class ForwardedReply: ExchangeResponder {
  private let exchange: Exchange

  init(_ exchange: Exchange) { self.exchange = exchange }

  func resolve(_ correlation: UInt64, _ outcome: ExchangeOutcome) { exchange.resolve(outcome) }
}
