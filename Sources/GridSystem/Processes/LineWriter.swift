internal import DequeModule
internal import GridConcurrency
internal import GridCore
internal import NIOCore
internal import Synchronization

/// Lines on their way to a child's standard input: what is written while a flush is under way goes out in one piece
/// with the next one, and a writer waits while too much is held.
final class LineWriter: Sendable {
  /// Where the line ends in all that was taken.
  private typealias Answer = Result<Int, GridError>

  private struct Waiter {
    let number: UInt64
    let line: Piece
    let promise: Promise<Answer>
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
    /// Bytes in ``pending`` and in the flush under way; what was not written when the pipe was closed.
    var heldBytes = 0
    /// All bytes taken so far.
    var acceptedBytes = 0
    /// Measures the pipe until the child has ended.
    var gauge: PipeGauge
    /// The bytes in the pipe when it was closed, where they could not be measured later.
    var unreadAtClose: Int?
    var isFlushing = false
    var nextWaiter: UInt64 = 0
    /// Writers in the order they came; while there is one, later ones queue up behind it.
    var waiters: Deque<Waiter> = []

    /// Returns where it ends.
    mutating func append(_ line: Piece) -> Int {
      pending.writeBytes(line.bytes)
      if line.isEnded { pending.writeInteger(UInt8(ascii: "\n")) }
      let count = line.bytes.count + (line.isEnded ? 1 : 0)
      heldBytes += count
      acceptedBytes += count
      return acceptedBytes
    }

    /// Whether the caller must start a flush.
    mutating func mustStartFlush() -> Bool {
      defer { isFlushing = true }
      return !isFlushing
    }

    /// What to write next; nothing ends the flush, and closes the pipe when that was asked for.
    mutating func takePending() -> (ByteBuffer, PipeGauge, mustClose: Bool) {
      var bytes = ByteBuffer()
      swap(&bytes, &pending)
      guard bytes.readableBytes == 0 else { return (bytes, gauge, false) }
      isFlushing = false
      guard case .finishing = phase else { return (bytes, gauge, false) }
      phase = .closed(LineWriter.closedByOwner)
      return (bytes, gauge, true)
    }
  }

  /// A line, or its beginning.
  private struct Piece {
    let bytes: [UInt8]
    let isEnded: Bool
  }

  private let state: Mutex<State>
  private let channel: any Channel
  private let limit: Int

  /// - Parameters:
  ///   - channel: The pipe to the child.
  ///   - gauge: Writes into the same pipe and measures it.
  ///   - limit: The bytes held at which writers wait; the line that reaches it is still taken.
  init(channel: any Channel, gauge: PipeGauge, limit: Int) {
    state = Mutex(State(gauge: gauge))
    self.channel = channel
    self.limit = limit
    channel.closeFuture.whenComplete { [weak self] _ in self?.close(Self.closedByProgram) }
  }

  /// Takes a line and the newline after it; returns once it is held, after waiting for room.
  ///
  /// - Returns: where it ends in all that was taken, in bytes.
  /// - Throws: ``GridError/Code/cancelled`` when the task is cancelled while it waits, ``GridError/Code/handlerFailed``
  ///   when the program or the owner closed the pipe. The line was not taken then.
  func write(_ line: [UInt8]) async throws(GridError) -> Int { try await write(Piece(bytes: line, isEnded: true)) }

  /// As ``write(_:)``, for the beginning of a line, without the newline.
  func write(part: [UInt8]) async throws(GridError) { _ = try await write(Piece(bytes: part, isEnded: false)) }

  private func write(_ line: Piece) async throws(GridError) -> Int {
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
    return try answer.get()
  }

  /// Takes a line when there is room at once. Returns where it ends, `nil` when it was not taken.
  func writeIfRoom(_ line: [UInt8]) throws(GridError) -> Int? {
    try writeNow(Piece(bytes: line, isEnded: true))?.get()
  }

  /// Whether lines are taken.
  var isOpen: Bool { state.withLock { if case .open = $0.phase { true } else { false } } }

  /// All bytes taken so far.
  var bytesAccepted: Int { state.withLock { $0.acceptedBytes } }

  /// How many bytes the child has read from the pipe. On the event loop only.
  var bytesRead: Int {
    let (written, gauge, unread) = state.withLock { ($0.acceptedBytes - $0.heldBytes, $0.gauge, $0.unreadAtClose) }
    return max(0, written - (unread ?? gauge.unreadBytes))
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
    for waiter in waiters { waiter.promise.fulfil(.failure(error)) }
    closePipe()
  }

  private func closePipe() {
    channel.eventLoop.execute { [self] in
      // The child sees the end of its input when the last descriptor of the writing end is closed.
      let gauge = state.withLock { $0.gauge }
      let turned = gauge.turned()
      state.withLock { state in
        if let turned { state.gauge = turned } else { state.unreadAtClose = gauge.unreadBytes }
      }
      gauge.close()
      channel.close(promise: nil)
    }
  }

  /// The outcome of a write that need not wait, `nil` when it must.
  private func writeNow(_ line: Piece) -> Answer? {
    let (answer, mustFlush) = state.withLock { state -> (Answer?, Bool) in
      if let refusal = refusal(state.phase) { return (refusal, false) }
      guard state.waiters.isEmpty, state.heldBytes < limit else { return (nil, false) }
      return (.success(state.append(line)), state.mustStartFlush())
    }
    if mustFlush { startFlush() }
    return answer
  }

  private func wait(as number: UInt64, _ line: Piece) async -> Answer {
    await withPromise { promise in
      let (answer, mustFlush) = state.withLock { state -> (Answer?, Bool) in
        if let refusal = refusal(state.phase) { return (refusal, false) }
        // The flag of a task is set before its handlers run: either it shows here, or cancel() finds the waiter.
        if Task.isCancelled { return (Self.cancelled, false) }
        if state.waiters.isEmpty, state.heldBytes < limit {
          return (.success(state.append(line)), state.mustStartFlush())
        }
        state.waiters.append(Waiter(number: number, line: line, promise: promise))
        return (nil, false)
      }
      if mustFlush { startFlush() }
      if let answer { promise.fulfil(answer) }
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
    waiter?.promise.fulfil(Self.cancelled)
  }

  /// Flushes in the loop's next turn, so that lines written until then go out together.
  private func startFlush() { channel.eventLoop.execute { self.flush() } }

  private func flush() {
    for _ in 0..<Self.flushesInARow {
      let (bytes, gauge, mustClose) = state.withLock { $0.takePending() }
      if mustClose { return closePipe() }
      guard bytes.readableBytes > 0 else { return }
      guard write(bytes, gauge) else { return }
    }
    // Others have their turn, however fast the child reads.
    startFlush()
  }

  private static let flushesInARow = 4

  /// Returns whether all was written; else the rest is seen to.
  private func write(_ bytes: ByteBuffer, _ gauge: PipeGauge) -> Bool {
    var bytes = bytes
    while bytes.readableBytes > 0 {
      switch bytes.withUnsafeReadableBytes(gauge.write) {
      case .wrote(let count):
        bytes.moveReaderIndex(forwardBy: count)
        written(count)
      case .full:
        waitForRoom(bytes)
        return false
      case .failed:
        close(Self.closedByProgram)
        return false
      }
    }
    return true
  }

  /// Has the channel write as much as the system takes whole or not at all, so that what is in the pipe stays known,
  /// and goes on with the rest.
  private func waitForRoom(_ bytes: ByteBuffer) {
    var bytes = bytes
    let count = min(bytes.readableBytes, Self.wholePiece)
    guard let piece = bytes.readSlice(length: count) else { return }
    state.withLock { state in
      bytes.writeImmutableBuffer(state.pending)
      state.pending = bytes
    }
    channel.writeAndFlush(piece).whenComplete { result in
      switch result {
      case .success:
        self.written(count)
        self.flush()
      case .failure: self.close(Self.closedByProgram)
      }
    }
  }

  /// `PIPE_BUF`.
  private static let wholePiece = 4096

  /// Makes room and lets waiting writers in.
  private func written(_ count: Int) {
    let admitted = state.withLock { state -> [(Waiter, Int)] in
      state.heldBytes -= count
      guard !state.waiters.isEmpty else { return [] }
      var admitted: [(Waiter, Int)] = []
      while state.heldBytes < limit, let waiter = state.waiters.popFirst() {
        admitted.append((waiter, state.append(waiter.line)))
      }
      return admitted
    }
    for (waiter, end) in admitted { waiter.promise.fulfil(.success(end)) }
  }

  private static let cancelled = Answer.failure(GridError(.cancelled, "no longer waiting to write to the program"))
  private static let closedByProgram = GridError(.handlerFailed, "the program closed its standard input")
  static let closedByOwner = GridError(.stopped, "the standard input of the program is closed")
}
