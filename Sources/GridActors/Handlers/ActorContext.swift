internal import GridConcurrency
public import GridCore

/// What a handler can do with the message it was given, and what it may know about itself.
///
/// A copy may be kept beyond the handler's return, to answer later; when the last copy is gone without an answer, an
/// asking sender is told so.
public struct ActorContext: Sendable {
  let cell: ActorCell
  let exchange: Exchange?
  /// Who sent the message: an actor, client or node; empty when unknown.
  public let sender: String
  /// When its sender stops waiting.
  public let deadline: MonotonicTime

  init(cell: ActorCell, exchange: Exchange? = nil, sender: String = "", deadline: MonotonicTime = .distantFuture) {
    self.cell = cell
    self.exchange = exchange
    self.sender = sender
    self.deadline = deadline
  }

  /// The actor's own name.
  public var name: String { cell.name }
  /// The kind it was made from.
  public var kind: String { cell.kind.name }
  /// The node it runs on.
  public var node: String { cell.host.nodeName }
  /// The cluster it belongs to.
  public var namespace: String { cell.host.namespace }
  /// The fencing token of this activation: larger than that of every earlier holder of the name. Hand it to whatever
  /// the actor writes to, so that a stale activation can be refused there.
  public var epoch: Int64 { cell.epoch }
  /// Whether the sender waits for a reply.
  public var isAsked: Bool { exchange != nil }

  /// Answers the sender. Only the first answer of a message counts; without an asking sender it does nothing.
  public func reply(_ message: Message) { exchange?.resolve(.reply(message)) }

  /// Answers the sender with an error.
  public func fail(_ error: GridError) { exchange?.resolve(.failure(error)) }

  /// Sends a message to an actor of the namespace without waiting for anything. What cannot be delivered becomes a dead
  /// letter.
  public func tell(_ target: String, _ message: Message) {
    cell.host.route(Envelope(target: target, message: message, sender: cell.name))
  }

  /// Sends a message and returns once it is in the mailbox of its target, for whose room it waits where that is the
  /// policy.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, ``GridError/Code/mailboxFull``, ``GridError/Code/deadline``, ….
  public func tell(_ target: String, _ message: Message, timeout: Duration) async throws(GridError) {
    let host = cell.host
    _ = try await PendingAsk.run(timeout: timeout, deadlines: host.deadlines) { ask, deadline in
      host.route(
        Envelope(
          target: target, message: message, sender: cell.name, expectation: .acceptance, deadline: deadline,
          responder: ask))
    }
  }

  /// Asks another actor and waits for its reply.
  ///
  /// - Throws: ``GridError``: the handler's error, ``GridError/Code/noSuchActor``, ``GridError/Code/deadline``, …
  public func ask(
    _ target: String, _ message: Message, timeout: Duration = .seconds(5)
  ) async throws(GridError) -> Message {
    let host = cell.host
    return try await PendingAsk.run(timeout: timeout, deadlines: host.deadlines) { ask, deadline in
      host.route(
        Envelope(
          target: target, message: message, sender: cell.name, expectation: .reply, deadline: deadline,
          responder: ask))
    }
  }

  /// Asks for the end of this actor once the current message is done.
  public func stop() { cell.stop(.itself) }

  /// Reports a failure that no message caused (a lost connection, a dead child) to the supervision of the kind.
  public func escalate(_ error: GridError) { cell.failed(error) }

  /// Writes to the node's log under the actor's name.
  package func log(_ text: String, isError: Bool = false) { cell.host.log(actor: cell.name, text, isError: isError) }
}
