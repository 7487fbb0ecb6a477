internal import GridConcurrency
internal import GridRequests

/// What programs ask of a cluster.
extension ClusterClient {
  /// The connection for a call of a program: another one when the node is gone.
  private func ready(_ timeout: Duration) async throws(GridError) -> NodeConnection {
    if let current, current.isClosed { forget(current) }
    return try await connection(timeout: timeout)
  }

  /// Sends a message and returns once it is in the mailbox of its target.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, ``GridError/Code/mailboxFull``, ``GridError/Code/deadline``, ….
  public func tell(_ target: String, _ message: Message, timeout: Duration = .seconds(5)) async throws(GridError) {
    try await ready(timeout).tell(try ActorAddress(parsing: target).text, message, timeout: timeout)
  }

  /// Sends a message and returns the answer of the actor.
  ///
  /// - Throws: what the actor answered with, ``GridError/Code/noSuchActor``, ``GridError/Code/deadline``, ….
  public func ask(
    _ target: String, _ message: Message, timeout: Duration = .seconds(5)
  ) async throws(GridError) -> Message {
    try await ready(timeout).ask(try ActorAddress(parsing: target).text, message, timeout: timeout)
  }

  /// Makes an actor, where the request or the cluster says.
  ///
  /// - Throws: ``GridError/Code/nameTaken``, ``GridError/Code/noSuchKind``, ``GridError/Code/noSuchNode``, ….
  @discardableResult
  public func spawn(_ request: SpawnRequest, timeout: Duration = .seconds(30)) async throws(GridError) -> ActorReport {
    try await self.request(request, timeout: timeout)
  }

  /// Stops an actor wherever it runs; its waiting mail becomes dead letters.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, ….
  public func stop(_ name: String, timeout: Duration = .seconds(30)) async throws(GridError) {
    _ = try await request(StopRequest(name), timeout: timeout)
  }

  /// Has an actor start afresh wherever it runs, under the same name: its mail waits, the message in hand is broken
  /// off.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, or why it did not start again.
  public func restart(_ name: String, timeout: Duration = .seconds(30)) async throws(GridError) {
    _ = try await request(RestartRequest(name), timeout: timeout)
  }

  /// Sends a request of the cluster itself: verbs, arguments and answers are those of LINK.md.
  public func request(
    _ verb: String, _ arguments: JSONValue = [:], timeout: Duration = .seconds(5)
  ) async throws(GridError) -> JSONValue {
    try await ready(timeout).request(verb, arguments, timeout: timeout)
  }

  /// The events of all nodes from now on, until the task is cancelled; throws when the connection is lost.
  ///
  /// 65 536 wait at most; a reader that is slower misses some.
  public func events() -> AsyncThrowingStream<GridEvent, any Error> {
    guard let current else {
      return AsyncThrowingStream { throw GridError(.unavailable, "there is no connection to a node") }
    }
    let items = current.stream(EventStreamRequest())
    return AsyncThrowingStream {
      for try await item in items {
        // Some items are about the stream itself.
        if case .item(let event)? = try? EventStreamRequest.streamItem(item) { return event }
      }
      return nil
    }
  }
}
