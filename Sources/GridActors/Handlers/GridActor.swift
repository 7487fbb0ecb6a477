public import GridCore

/// An actor of one's own: a value with a handler that runs one message at a time.
///
/// The value belongs to its cell; nobody else sees its state, so the handler may change it freely. A thrown error
/// answers the sender, makes the message a dead letter, and goes to the supervision of the kind.
public protocol GridActor: Sendable {
  /// Runs once before the first message, and again after each restart.
  mutating func started(_ context: ActorContext) async throws

  /// Handles one message. The next one waits until it returns, however often it suspends.
  mutating func receive(_ message: Message, _ context: ActorContext) async throws

  /// Runs once when the actor ends: stopped, restarted, or its node leaving.
  mutating func stopped(_ context: ActorContext) async
}

extension GridActor {
  public mutating func started(_ context: ActorContext) async throws {}
  public mutating func stopped(_ context: ActorContext) async {}
}

/// An actor whose handler never suspends. It runs where its message arrives, on the thread that brought it, without a
/// hop: several times faster than a suspending one. A handler should take microseconds; one that was seen to take
/// longer is moved to the thread pool by itself.
public protocol ImmediateActor: Sendable {
  /// Runs once before the first message, and again after each restart.
  mutating func started(_ context: ActorContext) throws

  /// Handles one message.
  mutating func receive(_ message: Message, _ context: ActorContext) throws

  /// Runs once when the actor ends.
  mutating func stopped(_ context: ActorContext)
}

extension ImmediateActor {
  public mutating func started(_ context: ActorContext) throws {}
  public mutating func stopped(_ context: ActorContext) {}
}
