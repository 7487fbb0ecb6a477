internal import Glibc
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// Standard input line by line, for tasks: read by a thread of its own, since a read that waits for somebody's keyboard
/// would hold up one of the few threads all tasks share.
///
/// Lines are there as soon as they are complete. The queue is bounded by bytes, and its policy is `block`: the thread
/// stops reading while it is full, so that memory stays flat and whoever writes to us is held up in turn.
final class LineFeed: Sendable {
  private let reader: LineFeedReader

  /// Starts reading.
  ///
  /// - Parameters:
  ///   - descriptor: what is read; not closed.
  ///   - lineLimit: the longest line, in bytes.
  /// - Throws: ``GridError/Code/software`` when there is no thread to be had.
  init(descriptor: Int32 = 0, lineLimit: Int = Message.maximumBodyBytes) throws(GridError) {
    if descriptor == 0 { try CommandEnvironment.claimStandardInput() }
    reader = try LineFeedReader(descriptor: descriptor, lineLimit: lineLimit)
    try reader.start()
  }

  deinit { reader.close() }

  /// The next line, or nil at the end of the input. For one task at a time.
  ///
  /// - Throws: ``GridError/Code/undecodable`` for a line over the limit, with its number, after all lines before it;
  ///   ``GridError/Code/inputOutput`` when reading fails; ``GridError/Code/cancelled``.
  func next() async throws(GridError) -> InputLine? {
    if let result = reader.take() { return try result.get() }
    let reader = reader
    return try await withTaskCancellationHandler {
      await withPromise { reader.wait($0) }
    } onCancel: {
      reader.cancelWaiting()
    }.get()
  }

  /// Stops reading, though a line may have been taken from the input that nobody gets.
  func close() { reader.close() }
}

/// What the thread and the tasks of a ``LineFeed`` share.
final class LineFeedReader: Sendable {
  typealias Next = Result<InputLine?, GridError>

  /// How the input ends.
  private enum Ending {
    case reached
    case failed(GridError)
  }

  private struct State {
    /// In reverse: the next line is the last element.
    var ready: [InputLine] = []
    /// Behind ``ready``, in order.
    var queued: [InputLine] = []
    var queuedBytes = 0
    /// What follows the last line; nil while more may come.
    var ending: Ending?
    var waiting: Promise<Next>?
    var isCancelled = false
    var isClosed = false
    var threadIsHeld = false
  }

  /// The thread pauses while so many bytes wait.
  private static let queueBytes = 1 << 20
  /// Charged for a line besides its bytes, so that empty lines are bounded, too.
  private static let lineCost = 64

  private let descriptor: Int32
  private let lineLimit: Int
  private let state = Mutex(State())
  /// A byte in it tells the thread to look at the state again.
  private let wakeReading: Int32
  private let wakeWriting: Int32

  init(descriptor: Int32, lineLimit: Int) throws(GridError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw GridError(.software, "cannot make a pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    (wakeReading, wakeWriting) = (ends[0], ends[1])
    self.descriptor = descriptor
    self.lineLimit = lineLimit
  }

  deinit {
    Glibc.close(wakeReading)
    Glibc.close(wakeWriting)
  }

  func start() throws(GridError) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let result = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<LineFeedReader>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context.toOpaque())
    guard result == 0 else {
      context.release()
      throw GridError(.software, "cannot start a thread: \(String(cString: strerror(result)))")
    }
    pthread_detach(thread)
  }

  // MARK: The tasks' side

  /// What can be had without waiting.
  func take() -> Next? {
    let (next, wakes) = state.withLock { state in (Self.take(&state), Self.releasesThread(&state)) }
    if wakes { wake() }
    return next
  }

  func wait(_ promise: Promise<Next>) {
    let next = state.withLock { state -> Next? in
      if let next = Self.take(&state) { return next }
      guard !state.isCancelled else { return .failure(Self.cancelled) }
      state.waiting = promise
      return nil
    }
    if let next { promise.fulfil(next) }
  }

  func cancelWaiting() {
    let waiting = state.withLock { state in
      state.isCancelled = true
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.fulfil(.failure(Self.cancelled))
  }

  func close() {
    let waiting = state.withLock { state in
      state.isClosed = true
      if state.ending == nil { state.ending = .reached }
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.fulfil(.success(nil))
    wake()
  }

  private static let cancelled = GridError(.cancelled, "reading was cancelled")

  private static func take(_ state: inout State) -> Next? {
    if state.ready.isEmpty {
      swap(&state.ready, &state.queued)
      state.ready.reverse()
    }
    if let line = state.ready.popLast() {
      state.queuedBytes -= line.bytes.count + lineCost
      return .success(line)
    }
    guard let ending = state.ending else { return nil }
    guard case .failed(let error) = ending else { return .success(nil) }
    // A fault is told once; whoever asks again is at the end.
    state.ending = .reached
    return .failure(error)
  }

  /// Half empty before the thread goes on, so that it is not woken for every line.
  private static func releasesThread(_ state: inout State) -> Bool {
    guard state.threadIsHeld, state.queuedBytes <= queueBytes / 2 else { return false }
    state.threadIsHeld = false
    return true
  }

  private func wake() {
    var byte: UInt8 = 0
    _ = Glibc.write(wakeWriting, &byte, 1)
  }
}

// MARK: - The thread's side

extension LineFeedReader {
  private func run() {
    var cutter = LineCutter(limit: lineLimit)
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while waitUntilReadable() {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        let reason = String(cString: strerror(errno))
        return deliver([], .failed(GridError(.inputOutput, "cannot read standard input: \(reason)")))
      }
      if count == 0 { return deliver(cutter.finish().map { [$0] } ?? [], .reached) }
      let (lines, fault) = chunk.withUnsafeBytes { cutter.take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      deliver(lines, fault.map { .failed($0) })
      if fault != nil { return }
    }
  }

  /// Waits for room in the queue and for input; false once nobody wants more.
  private func waitUntilReadable() -> Bool {
    while true {
      let (isClosed, isHeld) = state.withLock { state in
        state.threadIsHeld = state.queuedBytes >= Self.queueBytes
        return (state.isClosed, state.threadIsHeld)
      }
      if isClosed { return false }
      // A negative descriptor is left out by poll.
      var ready = [
        pollfd(fd: wakeReading, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isHeld ? -1 : descriptor, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&ready, 2, -1) >= 0 else { continue }
      if ready[0].revents != 0 {
        var bytes = [UInt8](repeating: 0, count: 64)
        _ = read(wakeReading, &bytes, bytes.count)
        continue
      }
      if ready[1].revents != 0 { return true }
    }
  }

  private func deliver(_ lines: [InputLine], _ ending: Ending?) {
    let (waiting, next) = state.withLock { state -> (Promise<Next>?, Next?) in
      guard !state.isClosed else { return (nil, nil) }
      state.queued += lines
      state.queuedBytes += lines.reduce(0) { $0 + $1.bytes.count + Self.lineCost }
      if let ending { state.ending = ending }
      guard let waiting = state.waiting, let next = Self.take(&state) else { return (nil, nil) }
      state.waiting = nil
      return (waiting, next)
    }
    if let waiting, let next { waiting.fulfil(next) }
  }
}
