internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import NIOCore
internal import Synchronization

/// The requests that this node is answering: none outlives who asked.
///
/// Its work is a child task that is cancelled when the other side cancels the request, when its connection is gone, or
/// when its deadline has passed, whatever the verb.
final class OpenRequests: Sendable {
  private struct Key: Hashable {
    let link: ObjectIdentifier
    let correlation: UInt64
  }

  /// A verb that looks at its deadline itself says in its own words what it was about.
  private static let patience = Duration.milliseconds(200)

  private let open = Mutex<[Key: Latch]>([:])

  /// Begins to watch over a request, in the order in which frames arrive, so that no cancel comes before it.
  ///
  /// - Returns: opens when nobody waits for the answer any more.
  func opened(_ correlation: UInt64, on link: Link) -> Latch {
    let abandoned = Latch()
    open.withLock { $0[Key(link: ObjectIdentifier(link), correlation: correlation)] = abandoned }
    return abandoned
  }

  /// Forgets a request that was answered.
  func closed(_ correlation: UInt64, on link: Link) {
    open.withLock { _ = $0.removeValue(forKey: Key(link: ObjectIdentifier(link), correlation: correlation)) }
  }

  func cancelled(_ correlation: UInt64, on link: Link) {
    open.withLock { $0[Key(link: ObjectIdentifier(link), correlation: correlation)] }?.open()
  }

  func linkClosed(_ link: Link) {
    let latches = open.withLock { open in
      open.compactMap { $0.key.link == ObjectIdentifier(link) ? $0.value : nil }
    }
    for latch in latches { latch.open() }
  }

  /// Runs the work of a request as long as somebody waits for it.
  ///
  /// - Throws: what `body` throws; ``GridError/Code/cancelled`` or ``GridError/Code/deadline`` when it was given up.
  static func run<Answer: Sendable>(
    until deadline: MonotonicTime, timers: any Timers, on link: Link, abandoned: Latch,
    _ body: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    let isLate = Latch()
    let timer = timers.schedule(at: deadline + patience) { isLate.open() }
    abandoned.whenOpen { isLate.open() }
    defer { timers.cancel(timer) }
    if link.isClosed { abandoned.open() }
    return try await withThrowingTaskGroup(of: Answer?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        await isLate.wait()
        return nil
      }
      defer { group.cancelAll() }
      if let answer = try await group.next() ?? nil { return answer }
      throw abandoned.isOpen || Task.isCancelled
        ? GridError(.cancelled, "nobody waits for the answer any more") : GridError(.deadline, "no answer in time")
    }
  }
}
