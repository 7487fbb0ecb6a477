internal import DequeModule
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// Lines on their way from an event loop to a task, bounded by bytes: a full queue asks its producer to pause.
///
/// Made for one consumer; several share the lines in the order they asked.
final class LineQueue: Sendable {
  typealias Answer = Result<[UInt8]?, GridError>
  private typealias Waiter = (number: UInt64, promise: Promise<Answer>)

  private struct State {
    var lines: Deque<[UInt8]> = []
    var bytes = 0
    var isProducerPaused = false
    /// What every caller gets once the lines are used up.
    var end: Answer?
    var nextWaiter: UInt64 = 0
    var waiters: Deque<Waiter> = []

    /// The first line, or the end, and whether a paused producer may go on.
    mutating func take(limit: Int) -> (Answer?, mayResume: Bool) {
      guard let line = lines.popFirst() else { return (end, false) }
      bytes -= line.count + LineQueue.costOfLine
      guard isProducerPaused, bytes <= limit / 2 else { return (.success(line), false) }
      isProducerPaused = false
      return (.success(line), true)
    }
  }

  private let state = Mutex(State())
  private let limit: Int

  /// - Parameter limit: The bytes of lines at which the producer is asked to pause; a last line may go over it.
  init(limit: Int) { self.limit = limit }

  /// Adds a line. Returns whether the producer must pause until ``take()`` says it may go on.
  func push(_ line: [UInt8]) -> Bool {
    let (waiter, mustPause) = state.withLock { state -> (Promise<Answer>?, Bool) in
      guard state.end == nil else { return (nil, false) }
      if let waiter = state.waiters.popFirst() { return (waiter.promise, false) }
      state.lines.append(line)
      state.bytes += line.count + Self.costOfLine
      if state.bytes >= limit { state.isProducerPaused = true }
      return (nil, state.isProducerPaused)
    }
    waiter?.fulfil(.success(line))
    return mustPause
  }

  /// Ends the queue with `answer` for everyone who asks after the last line; later calls change nothing.
  func end(with answer: Answer) {
    let waiters = state.withLock { state -> Deque<Waiter> in
      guard state.end == nil else { return [] }
      state.end = answer
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.promise.fulfil(answer) }
  }

  /// The next line, waiting for it; `nil` at the end. `resumeProducer` is called when a paused producer may go on.
  ///
  /// - Throws: ``GridError/Code/cancelled`` when the task is cancelled while it waits, or what the queue ended with.
  func take(resumeProducer: @Sendable () -> Void) async throws(GridError) -> [UInt8]? {
    if let answer = takeNow(resumeProducer: resumeProducer) { return try answer.get() }
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    let answer = await withTaskCancellationHandler {
      await wait(as: number, resumeProducer: resumeProducer)
    } onCancel: {
      cancel(number)
    }
    return try answer.get()
  }

  /// The next line or the end without waiting; `nil` when there is neither yet.
  private func takeNow(resumeProducer: () -> Void) -> Answer? {
    let (answer, mayResume) = state.withLock { $0.take(limit: limit) }
    if mayResume { resumeProducer() }
    return answer
  }

  private func wait(as number: UInt64, resumeProducer: () -> Void) async -> Answer {
    await withPromise { promise in
      // Lines may have come since takeNow() found none.
      let (answer, mayResume) = state.withLock { state -> (Answer?, Bool) in
        let (answer, mayResume) = state.take(limit: limit)
        if answer != nil { return (answer, mayResume) }
        // The flag of a task is set before its handlers run: either it shows here, or cancel() finds the waiter.
        if Task.isCancelled { return (Self.cancelled, false) }
        state.waiters.append((number, promise))
        return (nil, false)
      }
      if mayResume { resumeProducer() }
      if let answer { promise.fulfil(answer) }
    }
  }

  private func cancel(_ number: UInt64) {
    let waiter = state.withLock { state in
      state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
    }
    waiter?.promise.fulfil(Self.cancelled)
  }

  /// Charged for each line besides its bytes, so that empty lines count too.
  private static let costOfLine = 32
  private static let cancelled = Answer.failure(GridError(.cancelled, "no longer waiting for a line"))
}
