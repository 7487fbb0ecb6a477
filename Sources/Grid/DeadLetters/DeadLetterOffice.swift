internal import GridConcurrency
internal import GridCore
internal import Logging
internal import Synchronization

/// Takes in what was not handled, from any thread; gives it identifiers, keeps it in the log and tells who follows.
///
/// Letters wait in memory only until the next write, which is at once: what a node that is killed loses is what came
/// during its last write. Every letter is kept as long as there is room, in memory as in the log; what there is no room
/// for is dropped, oldest first, and counted. What those who follow are shown of a storm is folded
/// (``DeadLetterFolder``). While the log cannot be written (a full disk) letters wait, and writing is tried again.
final class DeadLetterOffice: Sendable {
  private struct State {
    var backlog: DeadLetterBacklog
    var identifiers: DeadLetterIdentifier
    var log: (any DeadLetterLog)?
    var node = ""
    var isAwake = false
    /// Called after the first letter was kept.
    var onFirst: (@Sendable () -> Void)?
    var isClosed = false
    /// Whether the last write failed: what goes on failing is said once.
    var isFailing = false
    var folder = DeadLetterFolder()
  }

  private let taken = Atomic(0)
  private let state: Mutex<State>
  private let lastFailure = Mutex<GridError?>(nil)
  private let wake = BoundedQueue<Void>(capacity: 1)
  private let live = Broadcaster<DeadLetter>()
  private let timers: any Timers
  private let logger: Logger

  /// - Parameter capacity: that of the log. More letters need not wait; of their bytes a quarter of a gibibyte may.
  init(
    timers: any Timers, logger: Logger, capacity: DeadLetterCapacity,
    generator: any RandomNumberGenerator & Sendable
  ) {
    self.timers = timers
    self.logger = logger
    let room = DeadLetterCapacity(letters: capacity.letters, bytes: min(capacity.bytes, 256 << 20))
    state = Mutex(
      State(backlog: DeadLetterBacklog(room: room), identifiers: DeadLetterIdentifier(generator: generator)))
  }

  /// Begins to write to `log`, in the name of `node`.
  ///
  /// - Parameter onFirst: called once, when the first letter has been kept.
  func open(_ log: any DeadLetterLog, node: String, onFirst: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.onFirst = onFirst
      state.log = log
      state.node = node
    }
    _ = wake.push(())
  }

  /// Messages that were not handled since the node began.
  var total: Int { taken.load(ordering: .relaxed) }

  func take(_ envelope: Envelope, _ reason: DeadLetter.Reason, _ detail: String) {
    taken.wrappingAdd(1, ordering: .relaxed)
    let letter = UndeliveredMessage(
      target: envelope.target, reason: reason, detail: detail, sender: envelope.sender, message: envelope.message,
      at: timers.date())
    let wakes = state.withLock { state in
      state.backlog.add(letter)
      defer { state.isAwake = true }
      return !state.isAwake
    }
    if wakes { _ = wake.push(()) }
  }

  func subscribe(_ receiver: @escaping @Sendable (DeadLetter) -> Void) -> UInt64 { live.subscribe(receiver) }

  func unsubscribe(_ number: UInt64) { live.unsubscribe(number) }

  func stream() -> AsyncStream<DeadLetter> { live.stream(limit: 1024) }

  /// Why letters cannot be kept at the moment; nil when they can.
  var failure: GridError? { lastFailure.withLock { $0 } }

  /// The log.
  ///
  /// - Throws: ``GridError/Code/unavailable`` before the node has started.
  func log() throws(GridError) -> any DeadLetterLog {
    guard let log = state.withLock({ $0.log }) else {
      throw GridError(.unavailable, "the node has not opened its dead letters yet")
    }
    return log
  }

  /// A fresh identifier for a letter that is sent again.
  func newIdentifier() -> String { state.withLock { $0.identifiers.next(at: timers.date()) } }

  /// Writes until ``close()``.
  func run() async {
    while await wake.next() != nil {
      await write()
      // Counts of a storm come out when their second is over, with no further letter to wake us.
      while state.withLock({ $0.folder.isFolding && !$0.isClosed }) {
        await timers.sleep(for: .milliseconds(250))
        if Task.isCancelled { break }
        await write()
      }
    }
    await write()
  }

  /// Ends ``run()``, and writes what there is, also in a cancelled task.
  func close() async {
    state.withLock { $0.isClosed = true }
    wake.close()
    await write()
  }

  /// Writes all that waits, batch by batch.
  private func write() async {
    while true {
      let (batch, letters, dropped, log) = state.withLock { state in
        state.isAwake = false
        let (batch, dropped) = state.log == nil ? ([], 0) : state.backlog.takeBatch()
        return (batch, batch.map { Self.letter($0, &state) }, dropped, state.log)
      }
      guard let log, !batch.isEmpty || dropped > 0 else { break }
      do throws(GridError) {
        try await log.append(letters, dropped: dropped)
      } catch {
        return await failed(error, batch, dropped)
      }
      let (isMended, onFirst) = state.withLock { state in
        for letter in letters { state.folder.add(letter) }
        defer { (state.isFailing, state.onFirst) = (false, nil) }
        return (state.isFailing, state.onFirst)
      }
      lastFailure.withLock { $0 = nil }
      onFirst?()
      if isMended { logger.notice("dead letters are kept again") }
      publish()
    }
    publish()
  }

  private func publish() {
    let shown = state.withLock { $0.folder.take(isClosing: $0.isClosed, at: timers.date()) }
    for letter in shown { live.publish(letter) }
  }

  /// Puts back what could not be written, and sees to it that it is tried again.
  private func failed(_ error: GridError, _ batch: [UndeliveredMessage], _ dropped: Int) async {
    lastFailure.withLock { $0 = error }
    let (isNew, isClosed, waiting) = state.withLock { state in
      state.backlog.putBack(batch, dropped: dropped)
      state.isAwake = true
      defer { state.isFailing = true }
      return (!state.isFailing, state.isClosed, state.backlog.count)
    }
    if isNew { logger.error("dead letters cannot be kept for now", metadata: ["error": "\(error)"]) }
    if isClosed {
      return logger.error("dead letters are lost: the node ends", metadata: ["dead-letters": "\(waiting)"])
    }
    await timers.sleep(for: .seconds(1))
    _ = wake.push(())
  }

  private static func letter(_ undelivered: UndeliveredMessage, _ state: inout State) -> DeadLetter {
    DeadLetter(
      identifier: state.identifiers.next(at: undelivered.at), at: undelivered.at, reason: undelivered.reason,
      target: undelivered.target, sender: undelivered.sender, node: state.node, message: undelivered.message,
      detail: undelivered.detail)
  }
}
