internal import GridCore
internal import Logging
internal import Synchronization

/// Takes in what was not handled, from any thread; gives it identifiers, keeps it in the log and tells who follows.
///
/// Letters wait in memory only until the next write. A storm is folded (``DeadLetterFolder``); while the log cannot be
/// written (a full disk) letters are counted together instead of kept one by one, and writing is tried again.
final class DeadLetterOffice: Sendable {
  /// Letters waiting to be written; beyond it they are counted on others of their target and reason.
  static let capacity = 20_000

  private struct State {
    var folder = DeadLetterFolder()
    var identifiers: DeadLetterIdentifier
    var log: (any DeadLetterLog)?
    var node = ""
    var isClosed = false
    /// Whether the last write failed: what goes on failing is said once.
    var isFailing = false
  }

  private let taken = Atomic(0)
  private let state: Mutex<State>
  private let lastFailure = Mutex<GridError?>(nil)
  private let wake = BoundedQueue<Void>(capacity: 1)
  private let live = Broadcaster<DeadLetter>()
  private let clock: any GridClock
  private let logger: Logger

  init(clock: any GridClock, logger: Logger) {
    self.clock = clock
    self.logger = logger
    state = Mutex(State(identifiers: DeadLetterIdentifier(generator: SystemRandomNumberGenerator())))
  }

  /// Begins to write to `log`, in the name of `node`.
  func open(_ log: any DeadLetterLog, node: String) {
    state.withLock { state in
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
      at: clock.date())
    state.withLock { state in
      state.folder.add(letter, canKeep: state.folder.readyCount < Self.capacity)
    }
    _ = wake.push(())
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
  func newIdentifier() -> String { state.withLock { $0.identifiers.next(at: clock.date()) } }

  /// Writes until ``close()``.
  func run() async {
    while await wake.next() != nil {
      await write()
      // Counts of a storm come out when their second is over, with no further letter to wake us.
      while state.withLock({ $0.folder.isFolding && !$0.isClosed }) {
        try? await Task.sleep(for: .milliseconds(250))
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

  private func write() async {
    let (letters, log) = state.withLock { state -> ([DeadLetter], (any DeadLetterLog)?) in
      guard let log = state.log else { return ([], nil) }
      let undelivered = state.folder.take(isClosing: state.isClosed, at: clock.date())
      return (undelivered.map { Self.letter($0, &state) }, log)
    }
    guard let log, !letters.isEmpty else { return }
    do {
      try await log.append(letters)
    } catch {
      returnToFolder(letters)
      lastFailure.withLock { $0 = error }
      let isNew = state.withLock { state in
        defer { state.isFailing = true }
        return !state.isFailing
      }
      if isNew { logger.error("dead letters cannot be kept for now", metadata: ["error": "\(error)"]) }
      if state.withLock({ $0.isClosed }) { return }
      try? await Task.sleep(for: .seconds(1))
      _ = wake.push(())
      return
    }
    let isMended = state.withLock { state in
      defer { state.isFailing = false }
      return state.isFailing
    }
    lastFailure.withLock { $0 = nil }
    if isMended { logger.notice("dead letters are kept again") }
    for letter in letters { live.publish(letter) }
  }

  private func returnToFolder(_ letters: [DeadLetter]) {
    state.withLock { state in
      for letter in letters {
        let again = UndeliveredMessage(
          target: letter.target, reason: letter.reason, detail: letter.detail, sender: letter.sender,
          message: letter.message, at: letter.at, count: letter.count)
        state.folder.add(again, canKeep: state.folder.readyCount < Self.capacity)
      }
    }
  }

  private static func letter(_ undelivered: UndeliveredMessage, _ state: inout State) -> DeadLetter {
    DeadLetter(
      identifier: state.identifiers.next(at: undelivered.at), at: undelivered.at, reason: undelivered.reason,
      target: undelivered.target, sender: undelivered.sender, node: state.node, message: undelivered.message,
      count: undelivered.count, detail: undelivered.detail)
  }
}
