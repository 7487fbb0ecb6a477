public import GridCore

/// What an actor takes and what it answers; references carry both, so that a wrong message does not compile.
public protocol TypedMessages {
  /// What it takes: an enum where there are several requests.
  associatedtype Request: MessageContent
  /// What its handler returns.
  associatedtype Reply: ActorReply
}

/// An actor whose messages have types, and whose handler returns the reply.
///
/// ```swift
/// struct Counter: TypedActor {
///   var total = 0
///
///   mutating func receive(_ amount: Int, _ context: ActorContext) async throws -> Int {
///     total += amount
///     return total
///   }
/// }
/// ```
///
/// The value belongs to its cell, and one message is handled at a time, as with ``GridActor``. From a shell its
/// requests are what ``MessageContent`` writes: `gridctl ask hits 5`. A body that is no request is answered with
/// ``GridError/Code/undecodable`` and leaves the state as it was; a thrown error goes to the supervision of the kind.
public protocol TypedActor: TypedMessages, Sendable {
  // Named again, so that they are known by the handler.
  associatedtype Request
  associatedtype Reply

  /// Runs once before the first message, and again after each restart.
  mutating func started(_ context: ActorContext) async throws

  /// Handles one request. The next one waits until it returns, however often it suspends.
  mutating func receive(_ request: Request, _ context: ActorContext) async throws -> Reply

  /// Runs once when the actor ends: stopped, restarted, or its node leaving.
  mutating func stopped(_ context: ActorContext) async
}

extension TypedActor {
  public mutating func started(_ context: ActorContext) async throws {}
  public mutating func stopped(_ context: ActorContext) async {}
}

/// A ``TypedActor`` whose handler never suspends: it runs where its message arrives, as an ``ImmediateActor`` does.
public protocol ImmediateTypedActor: TypedMessages, Sendable {
  associatedtype Request
  associatedtype Reply

  /// Runs once before the first message, and again after each restart.
  mutating func started(_ context: ActorContext) throws

  /// Handles one request.
  mutating func receive(_ request: Request, _ context: ActorContext) throws -> Reply

  /// Runs once when the actor ends.
  mutating func stopped(_ context: ActorContext)
}

extension ImmediateTypedActor {
  public mutating func started(_ context: ActorContext) throws {}
  public mutating func stopped(_ context: ActorContext) {}
}

/// A typed actor as one that takes messages.
struct Untyped<Wrapped: TypedActor>: GridActor {
  var wrapped: Wrapped

  mutating func started(_ context: ActorContext) async throws { try await wrapped.started(context) }

  mutating func receive(_ message: Message, _ context: ActorContext) async throws {
    try await wrapped.receive(Wrapped.Request.taken(from: message), context).answer(context)
  }

  mutating func stopped(_ context: ActorContext) async { await wrapped.stopped(context) }
}

/// The same for those that never suspend.
struct ImmediateUntyped<Wrapped: ImmediateTypedActor>: ImmediateActor {
  var wrapped: Wrapped

  mutating func started(_ context: ActorContext) throws { try wrapped.started(context) }

  mutating func receive(_ message: Message, _ context: ActorContext) throws {
    try wrapped.receive(Wrapped.Request.taken(from: message), context).answer(context)
  }

  mutating func stopped(_ context: ActorContext) { wrapped.stopped(context) }
}

extension KindRegistry {
  /// Registers a kind whose actors have typed messages.
  ///
  /// - Parameters:
  ///   - make: makes a fresh actor from what `spawn` was given; an error it throws refuses the spawn.
  ///   - directive: what follows a handler's failure; by default ``KindRegistry/standardDirective``.
  public mutating func register<Actor: TypedActor>(
    _ name: String, mailbox: MailboxOptions = .standard, restart: RestartPolicy = .standard,
    directive: @escaping @Sendable (GridError) -> SupervisionDirective = KindRegistry.standardDirective,
    make: @escaping @Sendable (SpawnRequest) throws -> Actor
  ) {
    register(
      KindDefinition(name: name, mailbox: mailbox, restart: restart, directive: directive, actor: Actor.self) {
        SuspendingBox(Untyped(wrapped: try make($0)))
      })
  }

  /// Registers a kind whose actors have typed messages and never suspend.
  public mutating func register<Actor: ImmediateTypedActor>(
    _ name: String, mailbox: MailboxOptions = .standard, restart: RestartPolicy = .standard,
    directive: @escaping @Sendable (GridError) -> SupervisionDirective = KindRegistry.standardDirective,
    make: @escaping @Sendable (SpawnRequest) throws -> Actor
  ) {
    register(
      KindDefinition(name: name, mailbox: mailbox, restart: restart, directive: directive, actor: Actor.self) {
        ImmediateBox(ImmediateUntyped(wrapped: try make($0)))
      })
  }

  /// The only kind whose actors are of that type.
  ///
  /// - Throws: ``GridError/Code/noSuchKind`` when there is none; ``GridError/Code/usage`` when there are several.
  package func kind(of type: any TypedMessages.Type) throws(GridError) -> String {
    let names = kinds.values.filter { $0.actor == ObjectIdentifier(type) }.map(\.name).sorted()
    switch names.count {
    case 1: return names[0]
    case 0:
      throw GridError(
        .noSuchKind, "no kind here makes actors of type \(type)", hint: "register one where the node is made")
    default:
      throw GridError(
        .usage, "several kinds make actors of type \(type): \(names.joined(separator: ", "))",
        hint: "spawn one by the name of its kind, and refer to it by its address")
    }
  }
}
