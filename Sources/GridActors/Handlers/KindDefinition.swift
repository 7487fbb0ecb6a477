public import GridCore

/// What an actor is made from: a factory, and how its actors are supervised and their mailboxes bounded.
package final class KindDefinition: Sendable {
  package let name: String
  package let mailbox: MailboxOptions
  package let restart: RestartPolicy
  let directive: @Sendable (GridError) -> SupervisionDirective
  /// The type of its actors where their messages have types.
  let actor: ObjectIdentifier?
  package let make: @Sendable (SpawnRequest) throws -> any ActorBehavior

  package init(
    name: String, mailbox: MailboxOptions = .standard, restart: RestartPolicy = .standard,
    directive: @escaping @Sendable (GridError) -> SupervisionDirective = KindRegistry.standardDirective,
    actor: (any TypedMessages.Type)? = nil, make: @escaping @Sendable (SpawnRequest) throws -> any ActorBehavior
  ) {
    self.name = name
    self.mailbox = mailbox
    self.restart = restart
    self.directive = directive
    self.actor = actor.map { ObjectIdentifier($0) }
    self.make = make
  }
}

/// The kinds a node offers.
public struct KindRegistry: Sendable {
  package private(set) var kinds: [String: KindDefinition] = [:]

  package init() {}

  /// A message that is itself at fault (it cannot be read, or is refused) leaves the state as it was; every other
  /// failure may have broken it, so it restarts.
  public static let standardDirective: @Sendable (GridError) -> SupervisionDirective = { error in
    error.code.blamesMessage ? .resume : .restart
  }

  /// Registers a kind whose handler may suspend.
  ///
  /// - Parameters:
  ///   - make: makes a fresh actor from what `spawn` was given; an error it throws refuses the spawn.
  ///   - directive: what follows a handler's failure; by default ``KindRegistry/standardDirective``.
  public mutating func register<Actor: GridActor>(
    _ name: String, mailbox: MailboxOptions = .standard, restart: RestartPolicy = .standard,
    directive: @escaping @Sendable (GridError) -> SupervisionDirective = KindRegistry.standardDirective,
    make: @escaping @Sendable (SpawnRequest) throws -> Actor
  ) {
    register(
      KindDefinition(name: name, mailbox: mailbox, restart: restart, directive: directive) {
        SuspendingBox(try make($0))
      })
  }

  /// Registers a kind whose handler never suspends.
  public mutating func register<Actor: ImmediateActor>(
    _ name: String, mailbox: MailboxOptions = .standard, restart: RestartPolicy = .standard,
    directive: @escaping @Sendable (GridError) -> SupervisionDirective = KindRegistry.standardDirective,
    make: @escaping @Sendable (SpawnRequest) throws -> Actor
  ) {
    register(
      KindDefinition(name: name, mailbox: mailbox, restart: restart, directive: directive) {
        ImmediateBox(try make($0))
      })
  }

  package mutating func register(_ kind: KindDefinition) { kinds[kind.name] = kind }
}
