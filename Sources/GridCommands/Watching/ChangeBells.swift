internal import GridClient
internal import GridCore
internal import GridRequests

/// Tells that something happened in the cluster, so that a list is worth asking for again. Events that come together
/// ring once.
struct ChangeBells {
  /// Rings: an event came, or `after` an event the time in which what it announces has surely been done.
  let rings: AsyncStream<Void>
  private let ring: AsyncStream<Void>.Continuation

  init() { (rings, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

  /// How long events are gathered, and when it is looked once more after the last of them.
  private static let gathering = Duration.milliseconds(50)
  static let settling = Duration.milliseconds(400)

  /// Follows the events of the given kinds until the stream is lost, which it throws.
  ///
  /// - Parameter seen: hears of each before it rings; nil stands for events that are not known: those before it was
  ///   told from here on, and those that were missed.
  func follow(
    _ connection: NodeConnection, kinds: [GridEvent.Kind], seen: @Sendable (GridEvent?) -> Void
  ) async throws {
    let stream = connection.stream(EventStreamRequest(EventChoice(kinds: kinds.map(\.rawValue))))
    let settled = Latest()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        // An actor's end is announced before its name is free; the last look comes when all is done.
        for await _ in settled.rings {
          try await ProcessTimers.shared.pause(for: Self.settling)
          ring.yield()
        }
      }
      for try await item in stream {
        // Its remarks ring, too: events were missed, or are told from here on.
        if case .item(let event)? = try? EventStreamRequest.streamItem(item) { seen(event) } else { seen(nil) }
        ring.yield()
        settled.ring.yield()
      }
      group.cancelAll()
      throw GridError(
        .unavailable, "the stream was lost: node \(connection.nodeName) is gone", hint: "connect to another node")
    }
  }

  /// Calls `look` now and after each ring, until it returns true.
  func untilTrue(_ look: () async throws -> Bool) async throws {
    if try await look() { return }
    for await _ in rings {
      try await ProcessTimers.shared.pause(for: Self.gathering)
      if try await look() { return }
    }
    throw CancellationError()
  }

  private struct Latest {
    let rings: AsyncStream<Void>
    let ring: AsyncStream<Void>.Continuation

    init() { (rings, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }
  }
}
