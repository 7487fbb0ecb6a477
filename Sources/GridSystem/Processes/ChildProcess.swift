internal import GridConcurrency
package import GridCore
internal import NIOCore

/// A running child process with its three pipes; made by ``ProcessGuard/spawn(_:options:on:)``.
///
/// How a child ends and how its pipes end are told apart: a process it started may hold the pipes open after it has
/// ended, and a child may close them and live on. Whoever has a child calls ``terminate(grace:)`` at the end, also when
/// it has ended by itself: that lets go of the pipes. Safe to use from any thread or task.
package final class ChildProcess: Sendable {
  /// The id of the process, of its group and of its session.
  package let processIdentifier: Int32

  private let handle: ProcessHandle
  private let eventLoop: any EventLoop
  private let input: LineWriter
  private let output: NIOLoopBound<LineReader>
  private let errorOutput: NIOLoopBound<LineReader>
  private let lines: LineQueue?

  init(
    handle: ProcessHandle,
    eventLoop: any EventLoop,
    input: LineWriter,
    output: NIOLoopBound<LineReader>,
    errorOutput: NIOLoopBound<LineReader>,
    lines: LineQueue?
  ) {
    processIdentifier = handle.processIdentifier
    self.handle = handle
    self.eventLoop = eventLoop
    self.input = input
    self.output = output
    self.errorOutput = errorOutput
    self.lines = lines
    handle.exit.onCompletion { _ in
      eventLoop.execute {
        input.close()
        output.value.childHasEnded()
        errorOutput.value.childHasEnded()
      }
    }
  }

  /// How the child ended; `nil` while it runs.
  package var exitStatus: ProcessExitStatus? { handle.exit.status }

  /// How the child ended, after waiting for it. Any number of tasks may wait.
  ///
  /// - Throws: ``GridError/Code/cancelled`` when the waiting task is cancelled.
  package var exit: ProcessExitStatus {
    get async throws(GridError) { try await handle.exit.wait() }
  }

  /// Calls `observer` once when the child has ended, on a thread that must not be blocked; at once when it has already.
  package func onExit(_ observer: @escaping @Sendable (ProcessExitStatus) -> Void) {
    handle.exit.onCompletion(observer)
  }

  /// Sends a signal to the child and all of its process group; ``ProcessSignal/kill`` goes to all that descends from
  /// it. Nothing happens when the child has ended.
  package func signal(_ signal: ProcessSignal) { handle.signal(signal) }

  /// Ends the child with all that descends from it, and returns how it ended, once nothing of it is left: closes its
  /// standard input, asks politely (SIGTERM), and kills after `grace`. What it wrote last is still delivered, unless
  /// reading is paused.
  ///
  /// Goes on to the end when the task is cancelled, however long the kernel takes to end what was killed.
  package func terminate(grace: Duration = .seconds(10)) async -> ProcessExitStatus {
    input.close()
    if handle.exit.status == nil {
      handle.signal(.terminate)
      // A stopped process acts on the first signal only when it goes on.
      handle.signal(.resume)
    }
    let handle = handle
    let kill = eventLoop.scheduleTask(in: TimeAmount(grace)) { handle.signal(.kill) }
    let status = await handle.exit.wait(as: handle.exit.makeWaiter())
    kill.cancel()
    releasePipes()
    return status ?? .lost
  }

  /// Kills the child and lets go of its pipes without waiting.
  func abandon() {
    handle.signal(.kill)
    input.close()
    releasePipes()
  }

  private func releasePipes() {
    let output = output
    let errorOutput = errorOutput
    eventLoop.execute {
      output.value.abandon()
      errorOutput.value.abandon()
    }
  }

  /// Hands over one line for the child's standard input; a newline is added. Returns when the line is held for
  /// writing, and waits while ``Options/inputBufferBytes`` are held. Lines go out in the order they were handed over.
  ///
  /// - Throws: ``GridError/Code/handlerFailed`` when the program closed its standard input, ``GridError/Code/stopped``
  ///   after ``closeInput()`` or ``terminate(grace:)``, ``GridError/Code/cancelled``.
  /// - Returns: the place of its end in all that was handed over, in bytes; see ``bytesRead``.
  @discardableResult
  package func write(_ line: [UInt8]) async throws(GridError) -> Int { try await input.write(line) }

  /// As ``write(_:)``, but never waits: `nil` when there was no room for the line.
  package func writeIfRoom(_ line: [UInt8]) throws(GridError) -> Int? { try input.writeIfRoom(line) }

  /// Hands over the beginning of a line; the next one that is written goes on with it.
  package func write(part: [UInt8]) async throws(GridError) { try await input.write(part: part) }

  /// How many bytes were handed over.
  package var bytesHandedOver: Int { input.bytesAccepted }

  /// How many of the bytes handed over the child has read from its pipe. It may hold some that it has not looked at. On
  /// the event loop only.
  package var bytesRead: Int { input.bytesRead }

  /// Returns when the child has read more than `offset` bytes and all that it has written so far was delivered: what
  /// it wrote before it began to read is known then.
  ///
  /// Returns, too, when the child closed its input or has ended.
  ///
  /// - Throws: ``GridError/Code/cancelled``.
  package func waitUntilReading(from offset: Int) async throws(GridError) {
    let latch = Latch()
    eventLoop.execute { self.look(from: offset, latch, again: .microseconds(100)) }
    await latch.wait()
    if Task.isCancelled { throw GridError(.cancelled, "no longer waiting for the program to read") }
  }

  private func look(from offset: Int, _ latch: Latch, again pause: TimeAmount) {
    if exitStatus != nil || !input.isOpen || (bytesRead > offset && !output.value.hasUnreadBytes) {
      return latch.open()
    }
    eventLoop.scheduleTask(in: pause) { self.look(from: offset, latch, again: min(pause * 2, .milliseconds(5))) }
  }

  /// Closes the child's standard input once everything handed over is written: the program sees the end of its input.
  package func closeInput() { input.finish() }

  /// The next line the child wrote, without its newline; `nil` at the end of its output. Only with
  /// ``OutputDelivery/queue(bytes:)``; the child is read no further while that many bytes wait here.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when a line is longer than ``Options/maximumLineBytes``,
  ///   ``GridError/Code/cancelled``, ``GridError/Code/software`` when lines go to a handler.
  package func nextLine() async throws(GridError) -> [UInt8]? {
    guard let lines else { throw GridError(.software, "the lines of this child process go to a handler") }
    let eventLoop = eventLoop
    let output = output
    return try await lines.take { eventLoop.execute { output.value.resume() } }
  }

  /// Delivers no further line until ``resumeReading()``, from within the handler at once. The child blocks when its
  /// pipe is full.
  package func pauseReading() { onEventLoop { $0.pause() } }

  /// Goes on after ``pauseReading()``.
  package func resumeReading() { onEventLoop { $0.resume() } }

  private func onEventLoop(_ body: @escaping @Sendable (LineReader) -> Void) {
    guard !eventLoop.inEventLoop else { return body(output.value) }
    let output = output
    eventLoop.execute { body(output.value) }
  }
}

extension ChildProcess {
  /// What a child's output becomes, and limits.
  package struct Options: Sendable {
    /// The longest line of standard output; a longer one ends the output with an error.
    package var maximumLineBytes = Message.maximumBodyBytes
    /// The longest line of standard error; a longer one is cut.
    package var maximumErrorLineBytes = 64 * 1024
    /// The bytes held for the child's standard input at which writers wait.
    package var inputBufferBytes = 1024 * 1024
    /// Where lines of standard output go.
    package var output = OutputDelivery.queue(bytes: 1024 * 1024)
    /// Called on the event loop with what comes from standard error. It must be quick.
    package var standardError: @Sendable (SampledEvent) -> Appetite = { _ in .last(0) }
    /// The run limit it is under, from ``ProcessGuard/currentLimit``; nil for as long as it likes.
    package var limit: RunLimit.Number?

    package init() {}
  }

  /// Where lines of standard output go.
  package enum OutputDelivery: Sendable {
    /// To whoever calls ``ChildProcess/nextLine()``; reading pauses while this many bytes wait.
    case queue(bytes: Int)
    /// To a closure on the event loop, which must be quick and may pause reading.
    case handler(@Sendable (OutputEvent) -> Void)
    /// As ``handler(_:)``, with ``OutputEvent/quiet``.
    case conversation(@Sendable (OutputEvent) -> Void)
    /// To a closure on the event loop that need not have every line: a line that is too long is cut.
    case sampled(@Sendable (SampledEvent) -> Appetite)
  }

  /// What a stream delivers of which not every line is needed.
  package enum SampledEvent: Sendable, Equatable {
    /// A line without its newline, and whether its end is missing.
    case line([UInt8], isCut: Bool)
    /// So many lines were not delivered.
    case skipped(Int)
    case ended
  }

  /// What is wanted of the lines that were read already.
  package enum Appetite: Sendable {
    case all
    /// The others are skipped, which costs next to nothing.
    case last(Int)
  }

  /// What a child's standard output delivers. Nothing follows the last two.
  package enum OutputEvent: Sendable, Equatable {
    /// A line without its newline.
    case line([UInt8])
    /// Everything the child has written up to now was delivered. Only with ``OutputDelivery/conversation(_:)``.
    case quiet
    /// A line was too long (``GridError/Code/undecodable``); the pipe is closed.
    case failed(GridError)
    /// The end of the output. The child may still run.
    case ended
  }
}
