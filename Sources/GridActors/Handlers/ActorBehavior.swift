package import GridCore

/// A user's actor behind one concrete interface, so that cells need not be generic.
///
/// A cell runs its behaviour on one thread at a time; that, not the type system, is what makes the state inside safe.
package protocol ActorBehavior: AnyObject, Sendable {
  /// Set when the handler never suspends; then only the methods without `async` are called.
  var immediate: (any ImmediateBehavior)? { get }
  func started(_ context: ActorContext) async throws
  func receive(_ message: Message, _ context: ActorContext) async throws
  func stopped(_ context: ActorContext) async
  /// Ends at once what the actor holds outside of this process, and calls `gone` when nothing of it is left: only then
  /// may its name be anybody else's. Called once, from any thread, also while the handler runs.
  func vacate(_ gone: @escaping @Sendable () -> Void)
  /// What `inspect` shows of it beside what its cell knows. Called from any thread.
  func details() -> [String: JSONValue]
}

extension ActorBehavior {
  package var immediate: (any ImmediateBehavior)? { nil }
  package func vacate(_ gone: @escaping @Sendable () -> Void) { gone() }
  package func details() -> [String: JSONValue] { [:] }
}

/// Thrown by a behaviour that could not begin with a message, since it is about to be replaced: the message stays mail.
struct MessageNotTaken: Error {}

/// The same for handlers that never suspend.
package protocol ImmediateBehavior: AnyObject, Sendable {
  func startedNow(_ context: ActorContext) throws
  func receiveNow(_ message: Message, _ context: ActorContext) throws
  func stoppedNow(_ context: ActorContext)
}

final class SuspendingBox<Wrapped: GridActor>: ActorBehavior {
  nonisolated(unsafe) private var wrapped: Wrapped  // touched only by the cell's drain, one at a time

  init(_ wrapped: Wrapped) { self.wrapped = wrapped }

  func started(_ context: ActorContext) async throws { try await wrapped.started(context) }
  func receive(_ message: Message, _ context: ActorContext) async throws {
    try await wrapped.receive(message, context)
  }
  func stopped(_ context: ActorContext) async { await wrapped.stopped(context) }
}

final class ImmediateBox<Wrapped: ImmediateActor>: ActorBehavior, ImmediateBehavior {
  nonisolated(unsafe) private var wrapped: Wrapped  // touched only by the cell's drain, one at a time

  init(_ wrapped: Wrapped) { self.wrapped = wrapped }

  var immediate: (any ImmediateBehavior)? { self }

  func startedNow(_ context: ActorContext) throws { try wrapped.started(context) }
  func receiveNow(_ message: Message, _ context: ActorContext) throws { try wrapped.receive(message, context) }
  func stoppedNow(_ context: ActorContext) { wrapped.stopped(context) }

  func started(_ context: ActorContext) async throws { try startedNow(context) }
  func receive(_ message: Message, _ context: ActorContext) async throws { try receiveNow(message, context) }
  func stopped(_ context: ActorContext) async { stoppedNow(context) }
}
