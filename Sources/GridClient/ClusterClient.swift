@_exported public import GridCore
internal import NIOCore

/// A program's way into a cluster without being a node of it: messages to its actors, actors made and stopped, events.
///
/// ```swift
/// let cluster = try await ClusterClient.connect(
///   to: ["10.0.0.1:4743", "10.0.0.2:4743"], namespace: "shop", secretFile: "/etc/shop/secret")
/// let answer = try await cluster.ask("calc", Message("2^10"))
/// cluster.close()
/// ```
///
/// Every method may be called from any task, and many at once. The connection is one to one node; when it is lost,
/// every call fails with ``GridError/Code/nodeLost`` or ``GridError/Code/unavailable``, and the program connects anew.
public final class ClusterClient: Sendable {
  private let connection: NodeConnection

  private init(_ connection: NodeConnection) { self.connection = connection }

  deinit { connection.close() }

  /// Connects to the first node that answers.
  ///
  /// - Parameters:
  ///   - endpoints: nodes to try in order, as `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; a program that is an
  ///     actor has its node's in the environment variable `GRIDCTL_ENDPOINT`.
  ///   - namespace: the cluster.
  ///   - secretFile: a file with the secret of the namespace, which nodes over TCP want proved; its mode is 0600 and
  ///     its user the program's. Not needed for a Unix socket.
  ///   - timeout: how long it may take altogether for one node to answer.
  /// - Throws: ``GridError/Code/usage`` for what is no endpoint, ``GridError/Code/unavailable`` when none answers,
  ///   ``GridError/Code/protocolMismatch`` when what answers is no node of the namespace, ``GridError/Code/refused``
  ///   when one of the two sides does not know the secret.
  public static func connect(
    to endpoints: [String], namespace: String = "default", secretFile: String? = nil, timeout: Duration = .seconds(5)
  ) async throws(GridError) -> ClusterClient {
    guard !endpoints.isEmpty else { throw GridError(.usage, "no endpoint was named") }
    try NameRules.validated(namespace, as: "namespace")
    return ClusterClient(
      try await NodeConnection.open(
        endpoints, namespace: namespace, timeout: timeout, clock: LoopClock(), secretFile: secretFile ?? ""))
  }

  /// The name of the node at the other end.
  public var node: String { connection.nodeName }

  /// Closes the connection; what is still awaited fails.
  public func close() { connection.close() }

  /// Sends a message and returns once it is in the mailbox of its target.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, ``GridError/Code/mailboxFull``, ``GridError/Code/deadline``, ….
  public func tell(_ target: String, _ message: Message, timeout: Duration = .seconds(5)) async throws(GridError) {
    try await connection.tell(try ActorAddress(parsing: target).text, message, timeout: timeout)
  }

  /// Sends a message and returns the answer of the actor.
  ///
  /// - Throws: what the actor answered with, ``GridError/Code/noSuchActor``, ``GridError/Code/deadline``, ….
  public func ask(
    _ target: String, _ message: Message, timeout: Duration = .seconds(5)
  ) async throws(GridError) -> Message {
    try await connection.ask(try ActorAddress(parsing: target).text, message, timeout: timeout)
  }

  /// Makes an actor, where the request or the cluster says.
  ///
  /// - Throws: ``GridError/Code/nameTaken``, ``GridError/Code/noSuchKind``, ``GridError/Code/noSuchNode``, ….
  @discardableResult
  public func spawn(_ request: SpawnRequest, timeout: Duration = .seconds(30)) async throws(GridError) -> ActorReport {
    try ActorReport(json: try await connection.request("spawn", request.json, timeout: timeout))
  }

  /// Stops an actor wherever it runs; its waiting mail becomes dead letters.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, ….
  public func stop(_ name: String, timeout: Duration = .seconds(30)) async throws(GridError) {
    _ = try await connection.request("stop", ["name": .string(name)], timeout: timeout)
  }

  /// Has an actor start afresh wherever it runs, under the same name: its mail waits, the message in hand is broken
  /// off.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, or why it did not start again.
  public func restart(_ name: String, timeout: Duration = .seconds(30)) async throws(GridError) {
    _ = try await connection.request("restart", ["name": .string(name)], timeout: timeout)
  }

  /// Sends a request of the cluster itself: verbs, arguments and answers are those of LINK.md.
  public func request(
    _ verb: String, _ arguments: JSONValue = [:], timeout: Duration = .seconds(5)
  ) async throws(GridError) -> JSONValue {
    try await connection.request(verb, arguments, timeout: timeout)
  }

  /// The events of all nodes from now on, until the task is cancelled; throws when the connection is lost.
  ///
  /// 65 536 wait at most; a reader that is slower misses some.
  public func events() -> AsyncThrowingStream<GridEvent, any Error> {
    let items = connection.stream("events", [:])
    return AsyncThrowingStream {
      for try await item in items {
        // Some items are about the stream itself.
        if let event = try? GridEvent(json: item) { return event }
      }
      return nil
    }
  }
}

/// The clock of the event loops: deadlines never leave the process.
private struct LoopClock: GridClock {
  func now() -> MonotonicTime { MonotonicTime(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds)) }

  func date() -> CalendarTime { CalendarTime(millisecondsSince1970: 0) }
}
