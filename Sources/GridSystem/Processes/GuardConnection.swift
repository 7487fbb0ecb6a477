internal import CProcessGuard
internal import DequeModule
internal import Glibc
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// One guard process as the node sees it: the socket to it, and the children it holds.
///
/// A thread of its own sends, receives and keeps the table, so nothing here blocks a task. It ends when the guard is
/// gone, wanted or not; what the guard had not reported by then is lost.
final class GuardConnection: Sendable {
  static let maximumChildren = Int(GRID_GUARD_MAXIMUM_CHILDREN)
  /// Requests that wait for the guard; signals beyond it are dropped, which leaves room for four to every child.
  private static let maximumRequests = 4 * maximumChildren

  typealias StartAnswer = Result<Int32, GridError>

  struct Request {
    var content: grid_guard_request
    /// What goes with it; closed on this side once it is sent.
    var descriptors: [OwnedDescriptor] = []
  }

  private struct Child {
    let command: ProcessCommand
    let latch = ExitLatch()
    /// The task that waits for the start; `nil` once it is answered.
    var start: Promise<StartAnswer>?
    /// That task was cancelled: it is answered when nothing is left of the child.
    var isCancelled = false
  }

  /// `open` takes requests; `closing` sends what it has and waits for the guard to end; `closed` is final.
  private enum Phase {
    case open
    case closing
    case closed
  }

  private struct State {
    var phase = Phase.open
    var nextIdentifier: UInt32 = 0
    var requests: Deque<Request> = []
    var children: [UInt32: Child] = [:]
    var closeWaiters: [Promise<Void>] = []
  }

  let guardProcess: Int32
  private let state = Mutex(State())
  private let wakeup: OwnedDescriptor
  /// Shared with the guard and the keepers, which have their own hold on its memory.
  private let limit: RunLimit

  private init(guardProcess: Int32, wakeup: Int32, limit: RunLimit) {
    self.guardProcess = guardProcess
    self.wakeup = OwnedDescriptor(wakeup)
    self.limit = limit
  }

  /// Forks a guard and starts the thread that serves it.
  ///
  /// - Throws: ``GridError/Code/retryLater`` when the system has run out of something.
  static func open(limit: RunLimit) throws(GridError) -> GuardConnection {
    let wakeup = grid_guard_make_wakeup()
    guard wakeup >= 0 else { throw descriptorShortage(-wakeup) }
    var socket: Int32 = -1
    var lifeline: Int32 = -1
    var process: Int32 = -1
    var failure = grid_guard_start(limit.page, &socket, &lifeline, &process)
    let connection = GuardConnection(guardProcess: process, wakeup: wakeup, limit: limit)
    if failure == 0 {
      let thread = GuardThread(socket: socket, lifeline: lifeline, wakeup: wakeup, connection: connection)
      failure = startThread(named: "guard-link") { thread.run() }
      // The guard ends by itself when this last end of its socket is closed.
      if failure != 0 { thread.abandon() }
    }
    guard failure == 0 else {
      throw GridError(.retryLater, "cannot start the guard of child processes: \(systemErrorText(failure))")
    }
    return connection
  }

  var isOpen: Bool { state.withLock { $0.phase == .open } }
  var childCount: Int { state.withLock { $0.children.count } }

  /// Starts a program, and returns when exec has succeeded; when it throws, nothing is left of it.
  func spawn(
    _ command: ProcessCommand, payload: [UInt8], pipes: ProcessPipes, limit: RunLimit.Number?
  ) async throws(GridError) -> ProcessHandle {
    let memory = payload.withUnsafeBytes { grid_guard_make_payload($0.baseAddress, $0.count) }
    guard memory >= 0 else { throw descriptorShortage(-memory) }
    let descriptors = [OwnedDescriptor(memory), pipes.childInput, pipes.childOutput, pipes.childError]
    let child = Child(command: command)
    let identifier = makeIdentifier()
    let answer = await withTaskCancellationHandler {
      await withPromise { promise in
        request(child, as: identifier, descriptors, limit, promise)
      }
    } onCancel: {
      cancelStart(of: identifier)
    }
    let process = try answer.get()
    return ProcessHandle(
      connection: self, identifier: identifier, processIdentifier: process, exit: child.latch)
  }

  /// Sends a signal to the child's group; nothing happens when the child has ended.
  func signal(_ identifier: UInt32, _ signal: ProcessSignal) {
    state.withLock { state in
      guard state.phase == .open, state.children[identifier] != nil else { return }
      enqueueSignal(signal, to: identifier, &state)
    }
    wake()
  }

  /// Has every child look at the run limit now.
  func recheckLimit() {
    state.withLock { state in
      guard state.phase == .open else { return }
      let content = grid_guard_request(kind: GRID_GUARD_RECHECK, identifier: 0, signal: 0, limit: 0)
      // Never dropped: it comes once for each lease that is lost.
      state.requests.append(Request(content: content))
    }
    wake()
  }

  /// Asks the guard to kill every child and end.
  func close() {
    state.withLock { state in
      if state.phase == .open { state.phase = .closing }
    }
    wake()
  }

  /// Returns when the guard and its children are gone.
  func waitUntilClosed() async {
    await withPromise { (promise: Promise<Void>) in
      let isClosed = state.withLock { state in
        if state.phase != .closed { state.closeWaiters.append(promise) }
        return state.phase == .closed
      }
      if isClosed { promise.fulfil() }
    }
  }

  private func makeIdentifier() -> UInt32 {
    state.withLock { state in
      state.nextIdentifier &+= 1
      return state.nextIdentifier
    }
  }

  private func request(
    _ child: Child, as identifier: UInt32, _ descriptors: [OwnedDescriptor], _ limit: RunLimit.Number?,
    _ promise: Promise<StartAnswer>
  ) {
    let refusal = state.withLock { state -> GridError? in
      guard state.phase == .open else { return Self.guardIsGone(child.command) }
      // The flag of a task is set before its handlers run: either it shows here, or cancelStart() finds the child.
      guard !Task.isCancelled else { return Self.cancelled(child.command) }
      guard state.children.count < Self.maximumChildren else { return Self.isFull }
      var waiting = child
      waiting.start = promise
      state.children[identifier] = waiting
      let content = grid_guard_request(
        kind: GRID_GUARD_SPAWN, identifier: identifier, signal: 0, limit: limit?.raw ?? 0)
      state.requests.append(Request(content: content, descriptors: descriptors))
      return nil
    }
    if let refusal {
      promise.fulfil(.failure(refusal))
    } else {
      wake()
    }
  }

  private func cancelStart(of identifier: UInt32) {
    state.withLock { state in
      guard state.children[identifier]?.start != nil else { return }
      state.children[identifier]?.isCancelled = true
      enqueueSignal(.kill, to: identifier, &state)
    }
    wake()
  }

  private func enqueueSignal(_ signal: ProcessSignal, to identifier: UInt32, _ state: inout State) {
    guard state.requests.count < Self.maximumRequests else { return }
    let content = grid_guard_request(
      kind: GRID_GUARD_SIGNAL, identifier: identifier, signal: signal.rawValue, limit: 0)
    state.requests.append(Request(content: content))
  }

  private func wake() {
    var one: UInt64 = 1
    // Fails only when the thread has more wake-ups waiting than a counter of 64 bits holds.
    _ = write(wakeup.raw, &one, MemoryLayout<UInt64>.size)
  }

  private static func guardIsGone(_ command: ProcessCommand) -> GridError {
    GridError(
      .unavailable, "the guard of child processes ended before \(command.quoted) was started", hint: "try again")
  }

  private static var isFull: GridError {
    GridError(
      .retryLater, "this node already runs \(maximumChildren) child processes, the most it can",
      hint: "stop some actors, or start the program on another node (--on)")
  }

  private static func cancelled(_ command: ProcessCommand) -> GridError {
    GridError(.cancelled, "no longer waiting for \(command.quoted) to start")
  }
}

// What the thread of the connection calls, and nobody else.
extension GuardConnection {
  /// The first request to send, without taking it.
  var firstRequest: Request? { state.withLock { $0.requests.first } }

  /// Whether nothing is to be sent any more, now or later.
  var hasSentAll: Bool { state.withLock { $0.phase != .open && $0.requests.isEmpty } }

  /// Takes away the first request: it was sent.
  func removeFirstRequest() {
    let request = state.withLock { $0.requests.popFirst() }
    for descriptor in request?.descriptors ?? [] { descriptor.close() }
  }

  /// Records what the guard reported.
  func handle(_ event: grid_guard_event) {
    switch event.kind {
    case GRID_GUARD_STARTED:
      let promise = state.withLock { state -> Promise<StartAnswer>? in
        guard let child = state.children[event.identifier], !child.isCancelled else { return nil }
        state.children[event.identifier]?.start = nil
        return child.start
      }
      promise?.fulfil(.success(event.process))
    case GRID_GUARD_FAILED:
      guard let child = removeChild(event.identifier) else { return }
      let failure = SpawnFailure(step: event.step, errorNumber: event.status)
      child.start?.fulfil(
        .failure(child.isCancelled ? Self.cancelled(child.command) : failure.error(for: child.command)))
    case GRID_GUARD_EXITED:
      guard let child = removeChild(event.identifier) else { return }
      child.latch.complete(ProcessExitStatus(waitStatus: event.status))
      child.start?.fulfil(.failure(Self.cancelled(child.command)))
    default: break
    }
  }

  private func removeChild(_ identifier: UInt32) -> Child? {
    state.withLock { $0.children.removeValue(forKey: identifier) }
  }

  /// Ends the connection: the guard is gone, and the keepers with what they kept, unless the kernel cannot end it.
  func finish() {
    let left = state.withLock { state in
      let left = state
      state = State(phase: .closed, nextIdentifier: left.nextIdentifier)
      return left
    }
    var status: Int32 = 0
    while waitpid(guardProcess, &status, 0) < 0, errno == EINTR { continue }
    // Keepers that outlived their guard were handed to this process if it is the first one of a container.
    while waitpid(-guardProcess, &status, WNOHANG) > 0 { continue }
    for child in left.children.values {
      child.latch.complete(.lost)
      child.start?.fulfil(.failure(Self.guardIsGone(child.command)))
    }
    for waiter in left.closeWaiters { waiter.fulfil() }
  }
}
