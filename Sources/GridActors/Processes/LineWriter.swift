internal import DequeModule
internal import GridCore
internal import NIOCore
internal import Synchronization

/// Lines on their way to a child's standard input: what is written while a flush is under way goes out in one piece
/// with the next one, and a writer waits while too much is held.
final class LineWriter: Sendable {
  private typealias Answer = Result<Void, GridError>

  private struct Waiter {
    let number: UInt64
    let line: [UInt8]
    let continuation: CheckedContinuation<Answer, Never>
  }

  private enum Phase {
    case open
    /// Everything held is still written, then the pipe is closed.
    case finishing
    case closed(GridError)
  }

  private struct State {
    var phase = Phase.open
    var pending = ByteBuffer()
    /// Bytes in ``pending`` and in the flush under way.
    var heldBytes = 0
    var isFlushing = false
    var nextWaiter: UInt64 = 0
    /// Writers in the order they came; while there is one, later ones queue up behind it.
    var waiters: Deque<Waiter> = []

    mutating func append(_ line: [UInt8]) {
      pending.writeBytes(line)
      pending.writeInteger(UInt8(ascii: "\n"))
      heldBytes += line.count + 1
    }

    /// Whether the caller must start a flush.
    mutating func mustStartFlush() -> Bool {
      defer { isFlushing = true }
      return !isFlushing
    }
  }

  private let state = Mutex(State())
  private let channel: any Channel
  private let limit: Int

  /// - Parameters:
  ///   - channel: The pipe to the child.
  ///   - limit: The bytes held at which writers wait; the line that reaches it is still taken.
  init(channel: any Channel, limit: Int) {
    self.channel = channel
    self.limit = limit
    channel.closeFuture.whenComplete { [weak self] _ in self?.close(Self.closedByProgram) }
  }

  /// Takes a line and the newline after it; returns once it is held, after waiting for room.
  ///
  /// - Throws: ``GridError/Code/cancelled`` when the task is cancelled while it waits, ``GridError/Code/handlerFailed``
  ///   when the program or the owner closed the pipe. The line was not taken then.
  func write(_ line: [UInt8]) async throws(GridError) {
    if let answer = writeNow(line) { return try answer.get() }
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    let answer = await withTaskCancellationHandler {
      await wait(as: number, line)
    } onCancel: {
      cancel(number)
    }
    try answer.get()
  }

  /// Takes a line when there is room at once. Returns whether it was taken.
  func writeIfRoom(_ line: [UInt8]) throws(GridError) -> Bool {
    guard let answer = writeNow(line) else { return false }
    try answer.get()
    return true
  }

  /// Closes the pipe once everything held is written. Lines written from now on are refused.
  func finish() {
    let mustFlush = state.withLock { state -> Bool in
      guard case .open = state.phase else { return false }
      state.phase = .finishing
      return state.mustStartFlush()
    }
    if mustFlush { startFlush() }
  }

  /// Drops what is held and closes the pipe; writers that wait get `error`.
  func close(_ error: GridError = LineWriter.closedByOwner) {
    let waiters = state.withLock { state -> Deque<Waiter> in
      if case .closed = state.phase { return [] }
      state.phase = .closed(error)
      state.pending = ByteBuffer()
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.continuation.resume(returning: .failure(error)) }
    channel.close(promise: nil)
  }

  /// The outcome of a write that need not wait, `nil` when it must.
  private func writeNow(_ line: [UInt8]) -> Answer? {
    let (answer, mustFlush) = state.withLock { state -> (Answer?, Bool) in
      if let refusal = refusal(state.phase) { return (refusal, false) }
      guard state.waiters.isEmpty, state.heldBytes < limit else { return (nil, false) }
      state.append(line)
      return (.success(()), state.mustStartFlush())
    }
    if mustFlush { startFlush() }
    return answer
  }

  private func wait(as number: UInt64, _ line: [UInt8]) async -> Answer {
    await withCheckedContinuation { continuation in
      let (answer, mustFlush) = state.withLock { state -> (Answer?, Bool) in
        if let refusal = refusal(state.phase) { return (refusal, false) }
        // The flag of a task is set before its handlers run: either it shows here, or cancel() finds the waiter.
        if Task.isCancelled { return (Self.cancelled, false) }
        if state.waiters.isEmpty, state.heldBytes < limit {
          state.append(line)
          return (.success(()), state.mustStartFlush())
        }
        state.waiters.append(Waiter(number: number, line: line, continuation: continuation))
        return (nil, false)
      }
      if mustFlush { startFlush() }
      if let answer { continuation.resume(returning: answer) }
    }
  }

  private func refusal(_ phase: Phase) -> Answer? {
    switch phase {
    case .open: nil
    case .finishing: .failure(Self.closedByOwner)
    case .closed(let error): .failure(error)
    }
  }

  private func cancel(_ number: UInt64) {
    let waiter = state.withLock { state in
      state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
    }
    waiter?.continuation.resume(returning: Self.cancelled)
  }

  /// Flushes in the loop's next turn, so that lines written until then go out together.
  private func startFlush() { channel.eventLoop.execute { self.flush() } }

  private func flush() {
    let (bytes, mustClose) = state.withLock { state -> (ByteBuffer, Bool) in
      var bytes = ByteBuffer()
      swap(&bytes, &state.pending)
      guard bytes.readableBytes == 0 else { return (bytes, false) }
      state.isFlushing = false
      guard case .finishing = state.phase else { return (bytes, false) }
      state.phase = .closed(Self.closedByOwner)
      return (bytes, true)
    }
    if mustClose { return channel.close(promise: nil) }
    guard bytes.readableBytes > 0 else { return }
    let count = bytes.readableBytes
    channel.writeAndFlush(bytes).whenComplete { result in
      switch result {
      case .success: self.flushed(count)
      case .failure: self.close(Self.closedByProgram)
      }
    }
  }

  /// Makes room, lets waiting writers in, and goes on with what came meanwhile.
  private func flushed(_ count: Int) {
    let admitted = state.withLock { state -> Deque<Waiter> in
      state.heldBytes -= count
      var admitted: Deque<Waiter> = []
      while state.heldBytes < limit, let waiter = state.waiters.popFirst() {
        state.append(waiter.line)
        admitted.append(waiter)
      }
      return admitted
    }
    for waiter in admitted { waiter.continuation.resume(returning: .success(())) }
    flush()
  }

  private static let cancelled = Answer.failure(GridError(.cancelled, "no longer waiting to write to the program"))
  private static let closedByProgram = GridError(.handlerFailed, "the program closed its standard input")
  static let closedByOwner = GridError(.stopped, "the standard input of the program is closed")
}
