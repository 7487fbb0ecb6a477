internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridRequests
internal import Synchronization

/// The requests that this node is answering: none outlives who asked, and a node that leaves finishes those that change
/// something first.
final class RequestBook: Sendable {
  private struct Key: Hashable {
    let link: ObjectIdentifier
    let correlation: UInt64
  }

  private struct State {
    var open: [Key: Latch] = [:]
    /// How many of these there are on each link.
    var counts: [ObjectIdentifier: Int] = [:]
    /// How many were not looked at, for what their connections had asked for already.
    var refused = 0
    /// Of these how many change something.
    var changes = 0
    var waiting: [Latch] = []
  }

  /// A request that looks at its deadline itself says in its own words what it was about.
  private static let patience = Duration.milliseconds(200)

  private let state = Mutex(State())
  private let timers: any Timers

  init(timers: any Timers) { self.timers = timers }

  // MARK: Who still waits

  /// Begins to watch over a request, in the order in which frames arrive, so that no cancel comes before it.
  ///
  /// - Returns: opens when nobody waits for the answer any more.
  func opened(_ correlation: UInt64, on link: Link) -> (abandoned: Latch, count: Int) {
    let abandoned = Latch()
    let place = ObjectIdentifier(link)
    return state.withLock { state in
      let before = state.open.updateValue(abandoned, forKey: Key(link: place, correlation: correlation))
      if before == nil { state.counts[place, default: 0] += 1 }
      return (abandoned, state.counts[place] ?? 0)
    }
  }

  /// How many requests were not looked at, for what their connections had asked for already.
  var refused: Int { state.withLock { $0.refused } }

  /// Counts and forgets a request that is not looked at.
  func refused(_ correlation: UInt64, on link: Link) {
    state.withLock { $0.refused += 1 }
    closed(correlation, on: link)
  }

  /// Forgets a request that was answered.
  func closed(_ correlation: UInt64, on link: Link) {
    let place = ObjectIdentifier(link)
    state.withLock { state in
      guard state.open.removeValue(forKey: Key(link: place, correlation: correlation)) != nil else { return }
      let left = (state.counts[place] ?? 1) - 1
      state.counts[place] = left > 0 ? left : nil
    }
  }

  func cancelled(_ correlation: UInt64, on link: Link) {
    state.withLock { $0.open[Key(link: ObjectIdentifier(link), correlation: correlation)] }?.open()
  }

  func linkClosed(_ link: Link) {
    let latches = state.withLock { state in
      state.open.filter { $0.key.link == ObjectIdentifier(link) }
        .sorted { $0.key.correlation < $1.key.correlation }.map(\.value)
    }
    for latch in latches { latch.open() }
  }

  /// Runs the work of a request as long as somebody waits for it.
  ///
  /// - Throws: what `body` throws; ``GridError/Code/cancelled`` or ``GridError/Code/deadline`` when it was given up.
  func run<Answer: Sendable>(
    until deadline: MonotonicTime, on link: Link, abandoned: Latch,
    _ body: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    let isLate = Latch()
    let timer = timers.schedule(at: deadline + Self.patience) { isLate.open() }
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

  // MARK: Who is told before the node goes

  /// Runs `body`, counted as a change where it is one. Who asks a node to leave is answered before it goes.
  func counting<Value>(_ effect: RequestEffect, _ body: () async throws -> Value) async rethrows -> Value {
    guard effect != .own, effect != .reading else { return try await body() }
    state.withLock { $0.changes += 1 }
    defer { changed() }
    return try await body()
  }

  private func changed() {
    let waiting = state.withLock { state -> [Latch] in
      state.changes -= 1
      guard state.changes == 0 else { return [] }
      defer { state.waiting = [] }
      return state.waiting
    }
    for latch in waiting { latch.open() }
  }

  /// Returns when no change is under way, or after `limit`.
  func waitForChanges(atMost limit: Duration) async {
    let latch = state.withLock { state -> Latch? in
      guard state.changes > 0 else { return nil }
      let latch = Latch()
      state.waiting.append(latch)
      return latch
    }
    _ = await latch?.wait(atMost: limit, on: timers)
  }
}
