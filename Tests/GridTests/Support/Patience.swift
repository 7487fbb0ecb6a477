internal import GridActors
internal import GridCore

@testable internal import Grid

/// Where a test says nothing of time, it waits for longer than a node does by itself: all tests run at once, and share
/// the processors with programs that are started by the hundred.
private let patience = Duration.seconds(60)

extension GridNode {
  func ask(_ target: String, _ message: Message) async throws -> Message {
    try await ask(target, message, timeout: patience)
  }

  func tell(_ target: String, _ message: Message) async throws {
    try await tell(target, message, timeout: patience)
  }
}

extension ActorReference {
  func ask(_ message: Message) async throws(GridError) -> Message { try await ask(message, timeout: patience) }
}

extension ActorContext {
  func ask(_ target: String, _ message: Message) async throws(GridError) -> Message {
    try await ask(target, message, timeout: patience)
  }
}

extension ActorRef {
  func ask(_ request: Target.Request) async throws(GridError) -> Target.Reply.Content {
    try await ask(request, timeout: patience)
  }
}
